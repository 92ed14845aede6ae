package executor_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// knocks sends a request with headers, and returns the status.
func knocks(h http.Handler, method, host, path, body string, headers ...string) int {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = host
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// A page whose name resolves to here is let in at no path, by no method.
func TestAdminOfOtherNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), AdminHosts: []string{"Admin.example.org", "desk"}})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		for _, host := range []string{
			"", "localhost", "LOCALHOST:9090", "localhost.", "a.localhost", "127.0.0.1:9090", "[::1]:9090", "[::1]", "10.1.2.3",
			"admin.example.org", "ADMIN.example.org.:8080", "desk:9090",
		} {
			if code := knocks(admin, "GET", host, "/flows", ""); code != 200 {
				t.Errorf("%q: %d", host, code)
			}
		}
		form := url.Values{"flow": {h.Flow()}, "do": {"withdraw"}, "version": {"1"}, "who": {"ann"}, "why": {"x"}}.Encode()
		for _, host := range []string{
			"evil.invalid", "evil.invalid:9090", "localhost.evil.invalid", "127.0.0.1.evil.invalid", "admin.example.org.evil.invalid", "xadmin.example.org", "example.org",
			"2130706433", "0x7f000001", "127.1", "[::1", "::1]:x", "desk:1:2", "localhost:9090@evil.invalid", "localhost/", "localhost evil.invalid", "ⓛocalhost", "*",
		} {
			for _, at := range []string{"/", "/flow?id=" + h.Flow(), "/console.css", "/flows", path, "/export", "/backup", "/none"} {
				if code := knocks(admin, "GET", host, at, ""); code != 403 {
					t.Errorf("GET %q %s: %d", host, at, code)
				}
			}
			if code := knocks(admin, "POST", host, path+"/resolve", sayNotExecuted("k", "")); code != 403 {
				t.Errorf("POST %q: %d", host, code)
			}
			if code := knocks(admin, "POST", host, "/flow", form, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", "http://"+host); code != 403 {
				t.Errorf("a form of %q: %d", host, code)
			}
		}
		if s := h.State(); s.Outcome != policy.Open || s.Withdrawn != "" {
			t.Errorf("something was done: %+v", s)
		}
		wantAnswer(t, admin, "GET", "/flows", "", 403, "example.com", "Config.AdminHosts") // as httptest.NewRequest has it
		all := open(t, defaults(), executor.Config{Journal: newSpy(), AdminHosts: []string{"*"}})
		if code := knocks(all.AdminHandler(), "GET", "evil.invalid", "/flows", ""); code != 200 {
			t.Errorf("* does not allow all: %d", code)
		}
	})
}

func TestAdminHostsAreNames(t *testing.T) {
	_, err := executor.New(defaults(), &executor.Config{AdminHosts: []string{"ok.example.org", "http://a", "a:80", "", "a b", "*.example.org"}})
	if err == nil {
		t.Fatal("they were taken")
	}
	for i := 1; i < 6; i++ {
		if !strings.Contains(err.Error(), fmt.Sprintf("AdminHosts[%d]", i)) {
			t.Errorf("nothing is said of %d: %v", i, err)
		}
	}
}

// A page of another site reads nothing, begins no backup, and settles nothing, in a browser that says where a request comes from and in
// an older one. A link to a page of the console may stand anywhere.
func TestAdminOfOtherSites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Site", "what comes later"},
			{"Origin", "http://evil.invalid"}, {"Origin", "null"}, {"Origin", "http://localhost:8080"}, {"Origin", "::"}, {"Origin", "http://evil.invalid", "Sec-Fetch-Site", "cross-site"},
		} {
			for _, at := range []string{"/flows", path, "/export", "/backup", "/audit", "//flows", "/flow/../backup", "/./export", "/counts", "/breakers"} {
				if code := knocks(admin, "GET", "localhost:9090", at, "", headers...); code == 200 || code == 501 {
					t.Errorf("GET %s %q: %d", at, headers, code)
				}
			}
			for _, verb := range []string{"/resolve", "/withdraw", "/confirm"} {
				if code := knocks(admin, "POST", "localhost:9090", path+verb, sayNotExecuted("k", ""), headers...); code != 403 {
					t.Errorf("POST %s %q: %d", verb, headers, code)
				}
			}
			if code := knocks(admin, "POST", "localhost:9090", "/flow", "", headers...); code != 403 && code != 415 {
				t.Errorf("a form %q: %d", headers, code)
			}
		}
		for _, at := range []string{"/", "/flow?id=" + h.Flow(), "/trail"} {
			if code := knocks(admin, "GET", "localhost:9090", at, "", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"); code != 200 {
				t.Errorf("a link to %s: %d", at, code)
			}
		}
		if s := h.State(); s.Outcome != policy.Open {
			t.Errorf("it was settled: %+v", s)
		}
		for _, headers := range [][]string{nil, {"Sec-Fetch-Site", "same-origin", "Origin", "https://outer.example.org"}, {"Sec-Fetch-Site", "none"}, {"Origin", "http://localhost:9090"}} {
			if code := knocks(admin, "GET", "localhost:9090", "/flows", "", headers...); code != 200 {
				t.Errorf("%q: %d", headers, code)
			}
		}
	})
}

// Who asks is what stands before the handler says, whatever is typed.
func TestAdminKnowsWhoAsks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), AdminWho: func(r *http.Request) (string, error) {
			if r.Header.Get("X-User") == "broken" {
				return "ann", errors.New("the directory is down")
			}
			return r.Header.Get("X-User"), nil
		}})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		for _, user := range []string{"", "  ", "broken"} {
			for _, at := range []string{"/", "/flows", "/audit", "/none"} {
				if code := knocks(admin, "GET", "localhost", at, "", "X-User", user); code != 403 {
					t.Errorf("%q at %s: %d", user, at, code)
				}
			}
			if code := knocks(admin, "POST", "localhost", path+"/resolve", sayNotExecuted("k", ""), "X-User", user); code != 403 {
				t.Errorf("%q: %d", user, code)
			}
		}
		for _, user := range []string{"bob", "Ann", "ann "} { // the body says ann
			if code := knocks(admin, "POST", "localhost", path+"/resolve", sayNotExecuted("k", ""), "X-User", user); code != 403 {
				t.Errorf("%q resolves as ann: %d", user, code)
			}
		}
		if code := knocks(admin, "POST", "localhost", path+"/withdraw", `{"why":"the shopper left"}`, "X-User", strings.Repeat("a", 5000)); code != 400 {
			t.Errorf("a long name: %d", code)
		}
		if code := knocks(admin, "POST", "localhost", path+"/withdraw", `{"why":"the shopper left"}`, "X-User", "bob"); code != 200 {
			t.Errorf("bob: %d", code)
		}
		if s := h.State(); s.Withdrawn != "bob: the shopper left" {
			t.Errorf("withdrawn by %q", s.Withdrawn)
		}
		r := httptest.NewRequest("GET", "/flow?id="+h.Flow(), nil)
		r.Header.Set("X-User", `o'br"ien`)
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, r)
		wantPage(t, w, "the page", 200, `name="who" value="o&#39;br&#34;ien" readonly`)
	})
}
