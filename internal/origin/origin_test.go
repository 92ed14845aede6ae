package origin

import (
	"net/http/httptest"
	"testing"
)

func TestLocal(t *testing.T) {
	for host, want := range map[string]bool{
		"": true, "localhost": true, "localhost:8080": true, "LOCALHOST.": true, "a.localhost:1": true, "127.0.0.1": true, "127.0.0.1:80": true, "[::1]:80": true, "10.0.0.7": true,
		"evil.example": false, "localhost.evil.example": false, "localhost:9@evil.example": false, "127.0.0.1:9@evil.example": false, "127.0.0.1.evil.example": false, "2130706433": false,
		"localhost:80/x": false, "evil.example#localhost": false, " localhost": false, "notlocalhost": false,
	} {
		if got := Local(host); got != want {
			t.Errorf("Local(%q) = %t, want %t", host, got, want)
		}
	}
}

func TestOfAnotherSite(t *testing.T) {
	for _, tt := range []struct {
		site, origin string
		want         bool
	}{
		{"", "", false}, {"none", "", false}, {"same-origin", "null", false}, {"", "http://shop.example:8080", false},
		{"same-site", "", true}, {"cross-site", "", true}, {"else", "", true}, {"", "null", true}, {"", "http://shop.example", true}, {"", "http://evil.example:8080", true}, {"", "://", true},
	} {
		r := httptest.NewRequest("POST", "http://shop.example:8080/x", nil)
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if got := OfAnotherSite(r); got != tt.want {
			t.Errorf("Sec-Fetch-Site %q, Origin %q: %t, want %t", tt.site, tt.origin, got, tt.want)
		}
	}
}
