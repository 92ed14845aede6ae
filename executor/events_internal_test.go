package executor

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
)

// An event that waits for the journal is copied by its type. Of a type that copyOf does not list nothing would be kept, and an answer would
// be lost without a word.
func TestEveryEventIsKept(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../flow/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				if at, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 && at.Name == "Moment" {
					declared[spec.Name.Name] = true
				}
			}
		}
		return true
	})
	at, listed := flow.Moment{At: time.Unix(1, 0)}, map[string]bool{}
	for _, e := range []flow.Event{
		flow.Start{Moment: at}, flow.Answered{Moment: at}, flow.Queried{Moment: at}, flow.Received{Moment: at}, flow.Due{Moment: at},
		flow.Resumed{Moment: at}, flow.Resolved{Moment: at}, flow.Withdrawn{Moment: at},
	} {
		listed[reflect.TypeOf(e).Name()] = true
		if got := copyOf(e); !reflect.DeepEqual(got, e) || flow.When(e) != at {
			t.Errorf("%T: the copy is %v, and its moment %v", e, got, flow.When(e))
		}
	}
	if !maps.Equal(declared, listed) {
		t.Errorf("flow declares the events %v, and the test lists %v", slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(listed)))
	}
}
