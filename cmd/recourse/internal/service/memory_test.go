package service_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
)

// Memory is used again for the next question: nothing of one, whole, broken, long or another merchant's, reaches the answer to another.
func TestAnswersDoNotMix(t *testing.T) {
	a := newAPI(t, service.Options{Access: twoMerchants(t)})
	var asked []string
	for i := range 48 {
		q := fmt.Sprintf(`{"provider":"momo","operation":"pay","merchant":"shop","at":"2026-01-02T03:04:05Z","code":%d,"attempt":%d,"in_doubt":%t,"tags":{"t":"%d"}}`, []int{0, 1000, 9000, 41, 98, 1003}[i%6], 1+i%3, i%2 == 0, i)
		switch i % 8 {
		case 3:
			q = q[:len(q)/2]
		case 4:
			q = strings.Replace(q, `"shop"`, `"other"`, 1)
		case 5:
			q = strings.Replace(q, `"tags"`, `"message":"`+strings.Repeat("x", 100_000+i)+`","tags"`, 1)
		case 6:
			q = strings.Replace(q, `"code"`, fmt.Sprintf(`"colour%d":1,"code"`, i), 1)
		case 7:
			q = strings.Replace(q, `"code"`, `"body":{"resultCode":1006,"orderId":"o"},"sub_code"`, 1)
		}
		asked = append(asked, q)
	}
	answer := func(kind, body string) string {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/decide", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", "Bearer "+tokenA)
		w := httptest.NewRecorder()
		a.service.ServeHTTP(w, r)
		return w.Body.String()
	}
	var want []string
	for _, q := range asked {
		want = append(want, answer("application/json", q))
	}
	batch := strings.Join(asked, "\n")
	wantBatch := answer("application/x-ndjson", batch)
	if lines := strings.Count(wantBatch, "\n"); lines != len(asked) {
		t.Fatalf("%d lines for %d questions", lines, len(asked))
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for n := range 60 {
				i := (g*17 + n*7) % len(asked)
				if got := answer("application/json", asked[i]); got != want[i] {
					t.Errorf("question %d: %.300s, want %.300s", i, got, want[i])
				}
				if n%20 == 0 {
					if got := answer("application/x-ndjson", batch); got != wantBatch {
						t.Error("a batch is answered otherwise")
					}
				}
			}
		})
	}
	wg.Wait()
}
