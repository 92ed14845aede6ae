package schema_test

import (
	"fmt"

	"github.com/recourse-pay/recourse/schema"
)

// A rules file names its schema in its first line, for editors that read TOML with schemas.
func Example() {
	for _, name := range schema.OfRules() {
		text, err := schema.Read(name)
		fmt.Println("#:schema ./schema/"+name, len(text) > 0, err)
	}
	// Output:
	// #:schema ./schema/rules.json true <nil>
	// #:schema ./schema/test.json true <nil>
	// #:schema ./schema/catalogue.json true <nil>
}
