package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
)

// wording is the texts of a body that are for people.
var wording = regexp.MustCompile(`"(message|ret_msg|failedMessage|error_description|msg)":"([^"]+)"`)

// differ makes a body one that no other line has, as where a provider writes a trace id into its message and signs what it says.
func differ(r *rand.Rand, body []byte) []byte {
	if !bytes.HasSuffix(body, []byte("}")) {
		return body
	}
	body = wording.ReplaceAll(body, fmt.Appendf(nil, `"$1":"$2 (trace %016x)"`, r.Uint64()))
	return fmt.Appendf(body[:len(body)-1], `,"traceId":"%016x","signature":"%016x%016x"}`, r.Uint64(), r.Uint64(), r.Uint64())
}
