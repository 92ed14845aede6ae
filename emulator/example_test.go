package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/providers"
)

// A payout executes, and its client receives an error page. The ledger shows the execution.
func Example() {
	catalogs, err := providers.Builtin()
	if err != nil {
		panic(err)
	}
	opi, err := catalogs.Get("opi")
	if err != nil {
		panic(err)
	}
	plan, err := emulator.ReadPlan("faults.toml", []byte(`
[[fault]]
kind   = "error_after"
orders = ["unlucky-*"]
`))
	if err != nil {
		panic(err)
	}
	provider := emulator.NewProvider(opi, &emulator.Options{Plan: plan})
	listener, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- emulator.NewServer(provider, nil).Serve(ctx, listener) }()

	payout := `{"appId":"a","sign":"s","param":"{\"mchOrderId\":\"unlucky-1\",\"idempotencyId\":\"r-1\",\"amount\":5735}"}`
	response, err := http.Post("http://"+listener.Addr().String()+"/open-api/disbursement/transfer", "application/json", strings.NewReader(payout))
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	fmt.Println(response.Status)
	for _, x := range provider.Ledger(time.Now()) {
		fmt.Println("and yet executed:", x.Operation, x.OrderID, x.RequestID, x.Amount)
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// 502 Bad Gateway
	// and yet executed: payout unlucky-1 r-1 5735
	// <nil>
}
