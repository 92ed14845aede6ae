package policy_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// The names are what rules, recordings and catalogues are written in: changing one
// breaks the files of users.
func TestEveryWordHasItsName(t *testing.T) {
	words(t, "operation", policy.Operations(), "checkout pay capture cancel refund payout bind unbind onboard")
	words(t, "phase", policy.Phases(), "send query webhook")
	words(t, "effect", policy.All[policy.Effect](), "unknown pending not_executed executed")
	words(t, "stage", policy.All[policy.Stage](), "door result")
	words(t, "reach", policy.All[policy.Reach](), "payment attempt")
	words(t, "basis", []policy.Basis{policy.Inferred, policy.Documented}, "inferred documented")
	words(t, "final", policy.All[policy.Finality](), "unspecified yes no")
	words(t, "fault", policy.All[policy.Fault](), "not_sent timeout reset unreadable")
	words(t, "capture", policy.All[policy.CaptureMode](), "auto manual")
	words(t, "action", policy.All[policy.Action](),
		"escalate mark_succeeded retry_same_request retry_new_request retry_new_order query_status mark_failed")
	words(t, "outcome", []policy.Outcome{policy.Open, policy.Succeeded, policy.Failed, policy.Escalated},
		"open succeeded failed escalated")
	words(t, "class", policy.All[policy.Class](),
		"unrecognized success authorized processing customer_action insufficient_funds limit_exceeded "+
			"issuer_declined risk_declined authentication_failed invalid_instrument expired cancelled "+
			"invalid_request invalid_amount credentials configuration unsupported duplicate_request "+
			"duplicate_order conflict not_found not_yet already_done rate_limited maintenance provider_error "+
			"channel_error network_error disputed mismatch merchant_balance")
}

// words holds a closed set to its names: each word writes its name and reads it
// back, and every other text is refused with an error that lists what there is.
func words[W interface {
	comparable
	fmt.Stringer
	encoding.TextMarshaler
}, P interface {
	*W
	encoding.TextUnmarshaler
}](t *testing.T, kind string, all []W, names string) {
	t.Helper()
	want := strings.Fields(names)
	if len(all) != len(want) {
		t.Fatalf("%s: %d words, want %d", kind, len(all), len(want))
	}
	for i, w := range all {
		text, err := w.MarshalText()
		if err != nil || string(text) != want[i] || w.String() != want[i] {
			t.Errorf("%s %d: writes %q (%v), shows %q; want %q", kind, i, text, err, w, want[i])
		}
		var back W
		if err := P(&back).UnmarshalText(text); err != nil || back != w {
			t.Errorf("%s %q: read back as %q (%v)", kind, text, back, err)
		}
	}
	for _, wrong := range []string{"nonsense", strings.ToUpper(want[0]), " " + want[0], "(1)"} {
		kept := all[len(all)-1]
		refused(t, kind, wrong, want, P(&kept).UnmarshalText([]byte(wrong)))
		if kept != all[len(all)-1] {
			t.Errorf("%s: reading %q failed and yet changed the word to %q", kind, wrong, kept)
		}
	}
}

func refused(t *testing.T, kind, got string, known []string, err error) {
	t.Helper()
	var we *policy.WordError
	if !errors.As(err, &we) {
		t.Errorf("%s: reading %q gives %v, want a *WordError", kind, got, err)
		return
	}
	if we.Kind != kind || we.Got != got {
		t.Errorf("reading %s %q: the error speaks of %s %q", kind, got, we.Kind, we.Got)
	}
	if want := fmt.Sprintf("unknown %s %q (there are: %s)", kind, got, strings.Join(known, ", ")); err.Error() != want {
		t.Errorf("%s: the error is\n  %s\nwant\n  %s", kind, err, want)
	}
}

func TestNoFaultIsTheEmptyText(t *testing.T) {
	f := policy.Timeout
	if err := f.UnmarshalText(nil); err != nil || f != policy.NoFault {
		t.Errorf("the empty text reads as %v (%v), want no fault", f, err)
	}
	if text, _ := policy.NoFault.MarshalText(); len(text) != 0 {
		t.Errorf("no fault writes %q, want nothing", text)
	}
}

func TestZeroWordsAreTheCarefulOnes(t *testing.T) {
	var f policy.Fact
	if f.Effect != policy.Unknown || f.Class != policy.Unrecognized || f.Stage != policy.Door ||
		f.Basis != policy.Inferred || f.Final != policy.Unspecified {
		t.Errorf("the zero fact claims something: %+v", f)
	}
	var d policy.Decision
	if d.Action != policy.Escalate {
		t.Errorf("the zero decision is %s, want escalate", d.Action)
	}
	var o policy.Outcome
	if o != policy.Open {
		t.Errorf("the zero outcome is %s, want open", o)
	}
}

func TestWordOutsideItsSetShowsItsNumber(t *testing.T) {
	for _, w := range []fmt.Stringer{policy.Operation(200), policy.Class(200), policy.Fault(200), policy.Action(200)} {
		if w.String() != "(200)" {
			t.Errorf("%T(200) shows %q, want (200)", w, w)
		}
	}
}

func TestSettledEffects(t *testing.T) {
	for effect, want := range map[policy.Effect]bool{
		policy.Unknown: false, policy.Pending: false, policy.NotExecuted: true, policy.Executed: true,
	} {
		if effect.Settled() != want {
			t.Errorf("%s: settled %v, want %v", effect, effect.Settled(), want)
		}
	}
}

func TestActionsThatSend(t *testing.T) {
	sends := map[policy.Action]bool{policy.RetrySame: true, policy.RetryNewRequest: true, policy.RetryNewOrder: true}
	for _, a := range policy.All[policy.Action]() {
		if a.Sends() != sends[a] {
			t.Errorf("%s: sends %v, want %v", a, a.Sends(), sends[a])
		}
	}
}

func TestWordsInJSON(t *testing.T) {
	tests := []struct {
		name string
		have any
		want string
	}{
		{"a fact writes every word", policy.Fact{Effect: policy.NotExecuted, Class: policy.InsufficientFunds,
			Stage: policy.Result, Basis: policy.Documented, Final: policy.Final},
			`{"effect":"not_executed","class":"insufficient_funds","stage":"result","reach":"payment","basis":"documented","final":"yes"}`},
		{"an answer leaves out what it does not hold", policy.Answer{Phase: policy.Query, Code: "0"},
			`{"phase":"query","code":"0"}`},
		{"a fault is named", policy.Answer{Fault: policy.Timeout}, `{"phase":"send","fault":"timeout"}`},
		{"a payment always says how it is captured", policy.Payment{Provider: "momo"},
			`{"provider":"momo","operation":"checkout","capture":"auto"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.have)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, tt.want)
			}
		})
	}
	var p policy.Payment
	if err := json.Unmarshal([]byte(`{"operation":"refnud"}`), &p); err == nil || !strings.Contains(err.Error(), "refund") {
		t.Errorf("a misspelt operation gives %v, want an error that names the known ones", err)
	}
}
