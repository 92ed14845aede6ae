package webhook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/webhook"
)

// A URL for MoMo's notices: it verifies, hands in, and answers as MoMo wants it.
func Example() {
	rules, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, nil)
	if err != nil {
		panic(err)
	}
	momo, err := rules.Catalogs.Get("momo")
	if err != nil {
		panic(err)
	}
	shape, _ := momo.Webhook()
	shape = shape.With(map[string]string{"accessKey": "my access key"})
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/momo", &webhook.Handler{
		Notify: x.Notify, About: executor.Webhook{Provider: "momo"}, Shape: shape, Secrets: []string{"my secret key"},
		OnError: func(err error) { fmt.Println(err) },
	})

	// What MoMo would send.
	_, body, err := shape.Sign("my secret key", time.Now(), []byte(`{"orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":0}`))
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("POST", "/hooks/momo", strings.NewReader(string(body))))
	fmt.Println(w.Code)
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("POST", "/hooks/momo", strings.NewReader(`{"orderId":"o-1","signature":"00"}`)))
	fmt.Println(w.Code)
	// Output:
	// webhook: a verified webhook of "momo" names no flow; it is acknowledged: executor: no such flow
	// 204
	// webhook: a webhook of "momo" is not verified: its signature is not one that the secret makes
	// 401
}
