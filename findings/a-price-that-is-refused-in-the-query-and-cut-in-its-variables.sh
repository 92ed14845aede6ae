#!/usr/bin/env bash
# pay(amount: 19.99) is refused, and the same price as a variable is 19.
# Ran on 2026-12-01: graphql-go/graphql v0.8.1 beside graph-gophers/graphql-go v1.11.1, Go 1.26.
# Guess: an argument of type Int takes whole numbers of 32 bits, in the query and as a variable, and a field of that type with another value is an error.
# Seen:  as a variable 19.99, and the text "19.99", is 19 for graphql-go, true is 1, and 3000000000 is refused; in the query the same price is refused, and 3000000000 comes through. A field that has 3000000000 is null in the answer, without an error, as is "1,500", and 19.99 is 19. The other library refuses all of them.
# Why:   variables and results are coerced as JavaScript would; literals are checked by their kind of token alone; what does not fit becomes nil, and nil is null.
# So:    a storefront that sends variables, as each client does, charges 19 for 19.99, and a balance above 2,147,483,647 is null for the customer, where a total of the page makes 0 of it. A test that writes the price into the query sees neither.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/graphql-go/graphql@v0.8.1 github.com/graph-gophers/graphql-go@v1.11.1 2>&1 | grep -E 'added github.com/graph' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"

	gophers "github.com/graph-gophers/graphql-go"
	"github.com/graphql-go/graphql"
)

type root struct{}

func (*root) Pay(args struct{ Amount int32 }) string { return fmt.Sprint("charged ", args.Amount) }

func short(data any, failed bool) string {
	if failed {
		return "refused"
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func main() {
	number := func(value any) *graphql.Field {
		return &graphql.Field{Type: graphql.Int, Resolve: func(graphql.ResolveParams) (any, error) { return value, nil }}
	}
	schema, err := graphql.NewSchema(graphql.SchemaConfig{Query: graphql.NewObject(graphql.ObjectConfig{Name: "Query", Fields: graphql.Fields{
		"small": number(int64(300)), "balance": number(int64(3000000000)), "price": number(19.99), "limit": number("1,500"),
		"pay": &graphql.Field{
			Type: graphql.String, Args: graphql.FieldConfigArgument{"amount": &graphql.ArgumentConfig{Type: graphql.NewNonNull(graphql.Int)}},
			Resolve: func(p graphql.ResolveParams) (any, error) { return fmt.Sprint("charged ", p.Args["amount"]), nil },
		},
	}})})
	if err != nil {
		panic(err)
	}
	other := gophers.MustParseSchema(`type Query { pay(amount: Int!): String! }`, &root{})
	ask := func(query string, variables map[string]any) string {
		answer := graphql.Do(graphql.Params{Schema: schema, RequestString: query, VariableValues: variables})
		return short(answer.Data, answer.HasErrors())
	}
	askOther := func(query string, variables map[string]any) string {
		answer := other.Exec(context.Background(), query, "", variables)
		return short(answer.Data, len(answer.Errors) > 0)
	}
	for _, value := range []string{`19`, `19.99`, `"19.99"`, `true`, `3000000000`} {
		var variable any
		if err := json.Unmarshal([]byte(value), &variable); err != nil {
			panic(err)
		}
		literal, byVariable, variables := `{pay(amount: `+value+`)}`, `query($a: Int!) {pay(amount: $a)}`, map[string]any{"a": variable}
		fmt.Printf("%s: graphql-go in the query %s, as a variable %s; graph-gophers %s, %s\n", value, ask(literal, nil), ask(byVariable, variables), askOther(literal, nil), askOther(byVariable, variables))
	}
	fmt.Println("fields:", ask(`{small balance price limit}`, nil))
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
19: graphql-go in the query {"pay":"charged 19"}, as a variable {"pay":"charged 19"}; graph-gophers {"pay":"charged 19"}, {"pay":"charged 19"}
19.99: graphql-go in the query refused, as a variable {"pay":"charged 19"}; graph-gophers refused, refused
"19.99": graphql-go in the query refused, as a variable {"pay":"charged 19"}; graph-gophers refused, refused
true: graphql-go in the query refused, as a variable {"pay":"charged 1"}; graph-gophers refused, refused
3000000000: graphql-go in the query {"pay":"charged 3000000000"}, as a variable refused; graph-gophers refused, refused
fields: {"balance":null,"limit":null,"price":19,"small":300}
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
