package policy_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

func TestPositionShowsWhatIsKnown(t *testing.T) {
	for _, tt := range []struct {
		p    policy.Position
		want string
	}{
		{policy.Position{File: "a.toml"}, "a.toml"},
		{policy.Position{File: "a.toml", Line: 3}, "a.toml:3"},
		{policy.Position{File: "a.toml", Line: 3, Column: 7}, "a.toml:3:7"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("the position is %q, want %q", got, tt.want)
		}
	}
}

func TestMistakesErrSortsACopy(t *testing.T) {
	list := policy.Mistakes{
		{Position: policy.Position{File: "b.toml", Line: 1}, Msg: "third"},
		{Position: policy.Position{File: "a.toml", Line: 10}, Msg: "second"},
		{Position: policy.Position{File: "a.toml", Line: 9, Column: 4}, Msg: "first"},
	}
	err := list.Err()
	if want := "a.toml:9:4: first\na.toml:10: second\nb.toml:1: third"; err.Error() != want {
		t.Errorf("the error is\n%s\nwant\n%s", err, want)
	}
	if list[0].Msg != "third" {
		t.Error("Err changed the order of its receiver")
	}
	if err := (policy.Mistakes{}).Err(); err != nil {
		t.Errorf("an empty list is the error %v, want nil", err)
	}
}

func TestMistakesAreFoundInAWrappedError(t *testing.T) {
	err := fmt.Errorf("open: %w", policy.Mistakes{
		{Position: policy.Position{File: "a.toml", Line: 2}, Msg: "first"}, {Position: policy.Position{File: "a.toml", Line: 3}, Msg: "second"},
	})
	var all policy.Mistakes
	if !errors.As(err, &all) || len(all) != 2 {
		t.Errorf("errors.As finds %v, want two mistakes", all)
	}
	var first policy.Mistake
	if !errors.As(err, &first) || first.Line != 2 || first.Msg != "first" {
		t.Errorf("errors.As finds %v, want the first mistake", first)
	}
}
