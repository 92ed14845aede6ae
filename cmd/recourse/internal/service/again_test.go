package service_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
)

// atEnd calls a function when the first flow has ended, while the executor still has it in memory.
type atEnd struct {
	executor.NoopObserver
	call func()
}

func (o *atEnd) Ended(context.Context, *executor.EndEvent) {
	if call := o.call; call != nil {
		o.call = nil
		call()
	}
}

// A payment that failed is begun anew by a call that comes at the moment of the end: it gets a send, and not the end that is over.
func TestAPaymentIsBegunAnewAtTheMomentThatItFails(t *testing.T) {
	o := new(atEnd)
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Observers: []executor.Observer{o}})
	first := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	again := make(chan string, 1)
	o.call = func() {
		_, text := a.raw("POST", "/v1/flows?wait_ms=60000", "application/json", start("caller-02", "k1"))
		again <- text
	}
	a.do(200, "POST", "/v1/flows/"+first["flow"].(string)+"/reports", cancelled("caller-01", first))
	var step map[string]any
	if text := <-again; json.Unmarshal([]byte(text), &step) != nil || step["do"] != "send" || step["flow"] == first["flow"] {
		t.Errorf("the call that begins it anew: %s", text)
	}
}

// cancelled is a caller's report that the shopper cancelled.
func cancelled(caller string, step map[string]any) string {
	return fmt.Sprintf(`{"caller":%q,"command":%q,"http_status":200,"body":{"partnerCode":"P","orderId":%q,"requestId":%q,"amount":50000,"transId":77,"resultCode":1006,"message":"no"}}`,
		run(caller), step["command"], step["order_id"], step["request_id"])
}

// A start that is repeated after the rules took the provider away joins the flow that stands: an error would say that there is none.
func TestAStartIsRepeatedAfterTheProviderIsTakenAway(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "merchants"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "merchants", "shop.toml"), []byte("[merchant]\nproviders = [\"vnpay\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.rules.Open(func() (none [sha256.Size]byte) { return none }, func() (*ruleset.Engine, error) { return e, nil }); err != nil {
		t.Fatal(err)
	}
	if again := a.do(200, "POST", "/v1/flows", start("caller-01", "k1")); again["command"] != step["command"] {
		t.Errorf("the same call again: %v", again)
	}
	if other := a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-02", "k1")); other["flow"] != step["flow"] || other["do"] != "busy" {
		t.Errorf("another caller: %v", other)
	}
	a.do(409, "POST", "/v1/flows", strings.Replace(start("caller-01", "k1"), "50000", "50001", 1))
	refused := func(key string) {
		t.Helper()
		if got := fmt.Sprint(a.do(422, "POST", "/v1/flows", start("caller-03", key))["detail"]); !strings.Contains(got, "does not use provider momo") {
			t.Errorf("the error is %s", got)
		}
	}
	refused("k2")
	a.do(200, "POST", "/v1/flows/"+step["flow"].(string)+"/reports", cancelled("caller-01", step))
	refused("k1") // it failed, and would begin anew
}
