package providers

import (
	"net/url"
	"strings"
	"testing"
)

// What the form reader reads the standard library reads alike, and it refuses more: of a text that both take no name
// has two values.
func FuzzForms(f *testing.F) {
	for _, s := range []string{
		"a=1&b=2", "a[b]=1&a[c][d]=2", "a=1&a=2", "a%5Bb%5D=1", "a;b=1", "a=%zz", "%ff=1", "=1", "&&", "a[]=1&a[]=2", "a[b=1", "a]b=1", "a+b=c+d", "a[b]=1&a=2",
		"a[a[b]=0&a[a[b]", "a[1=0&a[1", "vnp_Amount=1500000&vnp_TxnRef=o-1", strings.Repeat("a[", 20) + "b=1", "\x00=\x01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, release, err := parseForm(text)
		if err != nil {
			return
		}
		defer release()
		std, err := url.ParseQuery(text)
		if err != nil {
			t.Fatalf("%q is read, and url.ParseQuery says %v", text, err)
		}
		for name, values := range std {
			steps, _ := formName(name)
			if strings.ContainsAny(strings.Join(steps, ""), "[]") {
				continue // no path can name it
			}
			var read keys
			read.add(steps)
			if read.check(v) != nil {
				continue // it says two things
			}
			for _, value := range values {
				if got := v.GetStringBytes(steps...); string(got) != value {
					t.Fatalf("%q: %q is %q, and url.ParseQuery has %q", text, name, got, value)
				}
			}
		}
	})
}
