package providers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// gaps are those of a catalogue, as "OPERATION PHASE GAP", with the line that each wants.
func gaps(c *providers.Catalog) map[string]string {
	all := map[string]string{}
	c.Gaps(func(op policy.Operation, ph policy.Phase, gap, at, shown, line string) {
		all[op.String()+" "+ph.String()+" "+gap] = line
		if at == "" || shown == "" {
			all["no place, or nothing shown: "+gap] = line
		}
	})
	return all
}

// What is known of the shipped catalogues: whose amount an answer about a capture bears is not said, and a
// binding at SHOPLINE bears no known name. Neither is a payment.
func TestGapsOfTheShippedCatalogues(t *testing.T) {
	var got []string
	for _, name := range names {
		for gap := range gaps(catalog(t, name)) {
			got = append(got, name+" "+gap)
		}
	}
	slices.Sort(got)
	want := `momo capture query foreign amount
momo capture send foreign amount
momo capture webhook foreign amount
paykka capture query foreign amount
paykka capture send foreign amount
paykka capture webhook foreign amount
shopline bind query foreign order
shopline bind query nameless
shopline bind webhook foreign order
shopline bind webhook nameless
shopline capture query foreign amount
shopline capture send foreign amount
shopline capture webhook foreign amount`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("the gaps are\n%s", text)
	}
}

// A danger that is put back is found, and the line that closes it is named.
func TestDangersThatArePutBackAreFound(t *testing.T) {
	const refund, pay = `operation = ["refund"]`, `operation = ["pay"]`
	for _, tt := range []struct{ name, provider, lines, gap, line string }{
		{"an order id that is not read", "shopline", pay + "\nphase = [\"query\"]\norder_id = []\nprovider_id = []\ncarries = []", "pay query foreign order", `order_id = "referenceOrderId"`},
		{"an order id where none stands", "shopline", pay + "\nphase = [\"query\"]\norder_id = \"orderNo\"\nprovider_id = \"id\"\ncarries = []", "pay query foreign order", `order_id = "referenceOrderId"`},
		{"an amount where none stands", "shopline", pay + "\nphase = [\"webhook\"]\namount = \"amount.value\"\ncarries = []", "pay webhook foreign amount", `amount = "data.order.amount.value"`},
		{"a provider's id that is said to be the same, and is not read", "momo", pay + "\nphase = [\"webhook\"]\nprovider_id = []", "pay webhook unread id", `provider_id = "PATH"`},
		{"no identifier is demanded", "momo", pay + "\ncarries = []", "pay query nameless", `carries = ["order_id"]`},
		{"the same, of a refund's notice", "opi", refund + "\nphase = [\"webhook\"]\ncarries = [\"event\"]", "refund webhook nameless", `carries = ["order_id", "event"]`},
		{"amounts that are not compared", "paykka", pay + "\namount = []\ncarries = [\"request_id\"]", "pay query foreign amount", `amount = "data.amount"`},
		{"the merchant's number taken for the provider's", "paykka", pay + "\nphase = [\"query\"]\nrequest_id = \"data.order_id\"\nprovider_id = \"data.trans_id\"", "pay query own", `provider_id = "data.order_id"`},
		{"an event that is not read", "paykka", refund + "\nphase = [\"webhook\"]\nevent = []\ncarries = [\"request_id\"]", "refund webhook foreign event", `event = "notify_type"`},
		{"fields beside the one that is signed", "opi", `operation = ["payout"]` + "\nphase = [\"webhook\"]\nwithin = \"\"", "payout webhook unsigned", `within = "param"`},
		{"a ticket's notice", "opi", `operation = ["payout"]` + "\nphase = [\"webhook\"]\nevent = []\ncarries = [\"order_id\"]", "payout webhook foreign event", `event = "eventName"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cs := with(t, "own.toml", "name = \""+tt.provider+"\"\n[[decode]]\n"+tt.lines+"\n")
			c, _ := cs.Get(tt.provider)
			all := gaps(c)
			if line, found := all[tt.gap]; !found || line != tt.line {
				t.Errorf("%s: found %v, with the line %s\nof %v", tt.gap, found, line, all)
			}
		})
	}
}

// A catalogue without envelopes is looked at as its [[decode]] blocks read it.
func TestGapsWithoutEnvelopes(t *testing.T) {
	const head = "name = \"acme\"\ncurrency = \"EUR\"\namount_unit = \"minor\"\noperations = [\"pay\"]\n" +
		"[[code]]\ncode = \"00\"\nclass = \"success\"\ndescription = \"Paid.\"\nfacts = [{ operation = [\"pay\"], phase = [\"send\", \"query\", \"webhook\"], effect = \"executed\", stage = \"result\", because = \"x\" }]\n[[decode]]\ncode = \"code\"\n"
	for _, tt := range []struct{ lines, want string }{
		{"", "foreign amount, foreign order, nameless"},
		{"order_id = \"order\"\n", "foreign amount, nameless"},
		{"order_id = \"order\"\ncarries = [\"order_id\"]\n", "foreign amount"},
		{"order_id = \"list[order=$order_id].order\"\namount = \"list[all].amount\"\n", "foreign order, nameless"},
		{"order_id = \"order\"\namount = \"sum.value\"\ncarries = [\"order_id\", \"amount\"]\n", ""},
		{"order_id = \"header:X-Order\"\namount = \"sum\"\ncarries = [\"order_id\"]\n", ""},
		{"body = \"form\"\norder_id = \"order\"\namount = \"sum\"\ncarries = [\"order_id\"]\n", ""},
	} {
		c, _ := with(t, "acme.toml", head+tt.lines).Get("acme")
		kinds := map[string]bool{}
		for gap := range gaps(c) {
			kinds[strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(gap, "pay send "), "pay query "), "pay webhook ")] = true
		}
		var got []string
		for kind := range kinds {
			got = append(got, kind)
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != tt.want {
			t.Errorf("%q: %s, want %s", tt.lines, text, tt.want)
		}
	}
}
