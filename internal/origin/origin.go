// Package origin says whether a request may come from a web page of another site. A page in a person's browser can send requests to
// each address that the browser reaches, loopback as well: under its own name, which browsers tell the server, or under a name of its
// own that it makes resolve to the server's address, which only the request's Host shows.
package origin

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// OfAnotherSite reports whether a browser says that a page of another origin made a request. What is no browser says nothing.
func OfAnotherSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// Local reports whether no foreign name server can have made a request's Host: it is an address, localhost, or missing, which no
// browser leaves out.
func Local(host string) bool {
	if name, port, _ := strings.Cut(host, ":"); (name == "127.0.0.1" || name == "localhost" || name == "") && strings.Trim(port, "0123456789") == "" { // as most are
		return true
	}
	name, ok := Name(host)
	if !ok {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// Name is the name in a request's Host in lower case, without a port and a final dot; false: it is no host.
func Name(host string) (string, bool) {
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host {
		return "", false
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), true
}
