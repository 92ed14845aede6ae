package source

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/recourse-pay/recourse/policy"
)

// ParseEmbedded is [Parse] for a file that the program carries: a test holds what it reads to what Parse does. The values come from the syntax
// tree, from which the places come anyway. What is no error of syntax, such as a table that a dotted key has
// closed, is not looked for: a command is about one answer, and spent most of its time on looking.
func ParseEmbedded(file string, data []byte) (*Doc, error) {
	d := newDoc(file, data)
	d.root = map[string]any{}
	v := values{table: d.root, begun: map[string]bool{}}
	if err := cmp.Or(d.index(v.take(d.root)), v.wrong); err != nil {
		return nil, policy.Mistakes{{Position: Pos{File: file}, Msg: err.Error()}}
	}
	return d, nil
}

// values makes the values of a file.
type values struct {
	table map[string]any  // of the header that the line stands below
	begun map[string]bool // by path: a table that has had its header
	wrong error
}

// take takes a header or a key with its value.
func (v *values) take(root map[string]any) func(*unstable.Node, string) {
	return func(e *unstable.Node, path string) {
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			if v.begun[path] {
				v.refuse("a table has two headers")
			}
			v.begun[path] = true
			v.table = v.header(root, e)
		case unstable.KeyValue:
			v.keyValue(v.table, e)
		default: // a comment
		}
	}
}

// header is the table that a header begins, or goes on with.
func (v *values) header(at map[string]any, e *unstable.Node) map[string]any {
	for it := e.Key(); it.Next(); {
		name := string(it.Node().Data)
		if list, ok := at[name].([]map[string]any); e.Kind == unstable.ArrayTable && it.IsLast() && (ok || at[name] == nil) {
			next := map[string]any{}
			at[name] = append(list, next)
			return next
		}
		at = v.within(at, name)
	}
	return at
}

// within is the table of a name, or the last one of its list.
func (v *values) within(at map[string]any, name string) map[string]any {
	switch next := at[name].(type) {
	case nil:
		made := map[string]any{}
		at[name] = made
		return made
	case map[string]any:
		return next
	case []map[string]any:
		return next[len(next)-1]
	}
	v.refuse("%s is no table", name)
	return map[string]any{}
}

func (v *values) keyValue(at map[string]any, e *unstable.Node) {
	for it := e.Key(); it.Next(); {
		name := string(it.Node().Data)
		if !it.IsLast() {
			at = v.within(at, name)
			continue
		}
		if at[name] != nil {
			v.refuse("%s is there twice", name)
		}
		at[name] = v.value(e.Value())
	}
}

// value is a value. A date or a time no embedded file has.
func (v *values) value(n *unstable.Node) any {
	text := string(n.Data)
	switch n.Kind { //nolint:exhaustive // the others are no values, or refused below
	case unstable.String:
		return text
	case unstable.Bool:
		return text == "true"
	case unstable.Integer:
		i, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			v.refuse("%s", err)
		}
		return i
	case unstable.Float:
		f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		if err != nil {
			v.refuse("%s", err)
		}
		return f
	case unstable.Array:
		list := []any{}
		for it := n.Children(); it.Next(); {
			if it.Node().Kind != unstable.Comment {
				list = append(list, v.value(it.Node()))
			}
		}
		return list
	case unstable.InlineTable:
		table := map[string]any{}
		for it := n.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				v.keyValue(table, it.Node())
			}
		}
		return table
	}
	v.refuse("a value of the kind %s", n.Kind)
	return nil
}

func (v *values) refuse(format string, args ...any) {
	if v.wrong == nil {
		v.wrong = fmt.Errorf(format, args...)
	}
}
