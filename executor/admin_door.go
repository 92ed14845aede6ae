package executor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/internal/console"
	"github.com/recourse-pay/recourse/internal/origin"
)

// anyHost in Config.AdminHosts allows every Host.
const anyHost = "*"

// validateHosts holds Config.AdminHosts to what a Host is compared with.
func validateHosts(hosts []string) (errs []error) {
	for i, host := range hosts {
		if host != anyHost && (host == "" || strings.ContainsAny(host, "/:*@ \t") || host != strings.TrimSpace(host)) {
			errs = append(errs, fmt.Errorf("executor: Config.AdminHosts[%d] is %q; it must be a name without scheme, port and path, such as admin.example.com, or %s", i, host, anyHost))
		}
	}
	return errs
}

// door lets in what comes from people and their tools, and no page of another site: package origin says how such a page reaches this
// address.
func (a *admin) door(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.servesHost(r.Host) {
			writeRefusal(w, refusal(http.StatusForbidden, "Host is %q; it must be localhost, an IP address, or one of Config.AdminHosts: a web page could have made that name resolve to here", r.Host))
			return
		}
		if !slices.Contains(console.Pages, r.URL.Path) && origin.OfAnotherSite(r) { // the console judges its own forms
			writeRefusal(w, refusal(http.StatusForbidden, "%s %s: the request comes from a web page of another site", r.Method, r.URL.Path))
			return
		}
		if by := a.x.cfg.AdminWho; by != nil {
			who, err := by(r)
			if err == nil && strings.TrimSpace(who) == "" {
				err = errors.New("no name")
			}
			if err != nil {
				writeRefusal(w, refusal(http.StatusForbidden, "Config.AdminWho does not say who asks: %s", err))
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), personKey{}, who))
		}
		to.ServeHTTP(w, r)
	})
}

// servesHost reports whether a host is this server's: no foreign name server can have made an address or localhost, and the other
// names are listed.
func (a *admin) servesHost(host string) bool {
	if origin.Local(host) {
		return true
	}
	name, ok := origin.Name(host)
	return ok && slices.ContainsFunc(a.x.cfg.AdminHosts, func(known string) bool {
		return known == anyHost || strings.EqualFold(strings.TrimSuffix(known, "."), name)
	})
}

// personKey is the context's key of who asks.
type personKey struct{}

// personOf is who asks, as Config.AdminWho says; empty: it is nil.
func personOf(r *http.Request) string {
	who, _ := r.Context().Value(personKey{}).(string)
	return who
}

// by sets who wants it, where that is known, and refuses another name. Of what was typed no card number is kept: it stands in the
// journal for good. A known name stays as it is: two numbers of persons must not become one.
func (o *instruction) by(r *http.Request) error {
	o.Why = cards.Mask(o.Why)
	known := personOf(r)
	switch {
	case known == "":
		o.Who = cards.Mask(o.Who)
	case o.Who == "":
		o.Who = known
	case o.Who != known:
		return refusal(http.StatusForbidden, "who is %q, and the request comes from %q", o.Who, known)
	}
	return nil
}
