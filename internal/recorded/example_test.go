package recorded_test

import (
	"encoding/json"
	"fmt"

	"github.com/recourse-pay/recourse/internal/recorded"
)

func ExampleLine() {
	text, err := json.Marshal(&recorded.Line{V: 1, Flow: "f-1", At: "2026-11-22T08:00:00Z", Phase: "send", Provider: "momo", Merchant: "acme", Fault: "timeout"})
	fmt.Println(string(text), err)
	// Output: {"v":1,"flow":"f-1","at":"2026-11-22T08:00:00Z","phase":"send","provider":"momo","merchant":"acme","fault":"timeout"} <nil>
}
