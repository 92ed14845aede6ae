package testkit

import (
	"maps"
	"testing/fstest"
)

// door says of MoMo's code 10 that it refuses a request before it is processed. No code of the
// catalogue refuses a payment of MoMo's for a while: those tests of the machine need one.
const door = `
name = "momo"
[[code]]
code        = "10"
class       = "maintenance"
final       = "no"
description = "Closed for a while; nothing was recorded."
facts = [
  { operation = "*", phase = ["send"], effect = "not_executed", stage = "door" },
  { operation = "*", phase = ["query"], effect = "unknown", stage = "door" },
]
`

// Door is a folder of rules in which MoMo's code 10 refuses at the door, for tests of the machine.
var Door = fstest.MapFS{"providers/momo.toml": {Data: []byte(door)}}

// WithDoor adds to files what [Door] has, unless they have a catalogue of MoMo's.
func WithDoor(files map[string]string) map[string]string {
	all := map[string]string{"providers/momo.toml": door}
	maps.Copy(all, files)
	return all
}
