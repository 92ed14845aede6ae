#!/usr/bin/env bash
# An amount above its declared maximum passes, and the handler sees 0 instead of the default.
# Ran on 2026-11-30: huma v2.37.2, the framework that makes OpenAPI from Go types and checks requests by it; Go 1.26.
# Guess: fields of an embedded struct are parameters, as encoding/json has it, exported type or not; else registering the handler fails.
# Seen:  of an embedded struct whose type is not exported nothing is read, checked or described: no default, no maximum, no line in the OpenAPI document, no error. With an exported type all of it works.
# Why:   the walk over the input's fields leaves out fields that are not exported, and an embedded field has its type's name.
# So:    moving the common limits of several endpoints into one small struct takes them off all of them. Test each bound with a request that breaks it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/danielgtaylor/huma/v2@v2.37.2 2>&1 | grep -E 'github.com/danielgtaylor/huma/v2' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

type limits struct {
	Amount int64 `query:"amount" default:"100" maximum:"500"`
}

type Limits struct {
	Amount int64 `query:"amount" default:"100" maximum:"500"`
}

type answer struct{ Body struct{ Amount int64 } }

func main() {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("payments", "1"))
	huma.Get(api, "/embedded", func(_ context.Context, in *struct{ limits }) (*answer, error) {
		return &answer{struct{ Amount int64 }{in.Amount}}, nil
	})
	huma.Get(api, "/exported", func(_ context.Context, in *struct{ Limits }) (*answer, error) {
		return &answer{struct{ Amount int64 }{in.Amount}}, nil
	})
	for _, path := range []string{"/exported", "/embedded"} {
		for _, query := range []string{"", "?amount=501"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", path+query, nil))
			var got struct{ Amount *int64 }
			json.Unmarshal(w.Body.Bytes(), &got)
			amount := "none"
			if got.Amount != nil {
				amount = fmt.Sprint(*got.Amount)
			}
			fmt.Printf("%s%-12s status %d, amount %s\n", path, query, w.Code, amount)
		}
		text, err := json.Marshal(api.OpenAPI().Paths[path])
		fmt.Println(path, "is described with a maximum:", strings.Contains(string(text), `"maximum"`), err)
	}
	var in struct{ limits }
	fmt.Println("encoding/json:", json.Unmarshal([]byte(`{"Amount":7}`), &in), in.Amount)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
/exported             status 200, amount 100
/exported?amount=501  status 422, amount none
/exported is described with a maximum: true <nil>
/embedded             status 200, amount 0
/embedded?amount=501  status 200, amount 0
/embedded is described with a maximum: false <nil>
encoding/json: <nil> 7
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
