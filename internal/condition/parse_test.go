package condition_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/file"

	"github.com/recourse-pay/recourse/internal/condition"
)

// Each of these ended the process, or kept it busy, when it was parsed without a bound.
func TestHostileConditionsAreRefused(t *testing.T) {
	const many = 3_000_000
	long := func(s string, n int) string { return strings.Repeat(s, n) }
	for _, tt := range []struct {
		name, text, want string
		at               int
	}{
		{"brackets", long("(", many), "the condition has 3000000 characters; at most 32768", 32768},
		{"brackets within the length", long("(", 30_000), "brackets stand more than 64 deep", 64},
		{"lists", "code in " + long("[", 1000), "brackets stand more than 64 deep", 8 + 64},
		{"maps", long("{a:", 1000), "brackets stand more than 64 deep", 3 * 64},
		{"nots", long("!", 30_000) + "in_doubt", "more than 64 signs", 64},
		{"nots as words", long("not ", 1000) + "in_doubt", "more than 64 signs", 4 * 64},
		{"minuses", long("-", 1000) + "attempt > 0", "more than 64 signs", 64},
		{"minuses and pluses", long("+ - ", 1000) + "attempt > 0", "more than 64 signs", 2 * 64},
		{"ors", "in_doubt" + long(" || in_doubt", 2000), "more than 4000 words and signs", 0},
		{"ors within the tokens", "in_doubt" + long("||in_doubt", 600), "has more than 1000 values, names and operators", 0},
		{"else-ifs", long("in_doubt ? true : ", 900) + "false", "more than 1000 values, names and operators", 0},
		{"defaults", "(tags.x" + long(" ?? tags.x", 900) + ") == \"\"", "more than 1000 values, names and operators", 0},
		{"powers", "attempt" + long("**2", 900), "more than 1000 values, names and operators", 0},
		{"a long list", "code in [" + long(`"a",`, 1500) + `"a"]`, "more than 1000 values, names and operators", 0},
		{"members", "tags" + long(".x", 1900), "more than 1000 values, names and operators", 0},
		{"comparisons in a row, one in another", chained(60) + " == 1", "more than 1000 values, names and operators", 0},
		{"pipes", "code" + long("|upper()", 1100), "more than 4000 words", 0},
		{"no UTF-8", "code == \"4\xc4\"", "no text in UTF-8", 10},
		{"an unclosed text", `code == "` + long("x", 20_000), "literal not terminated", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			_, err := condition.Parse(tt.text)
			var at *file.Error
			if !errors.As(err, &at) || !strings.Contains(at.Message, tt.want) || tt.at > 0 && at.From != tt.at {
				t.Errorf("the error is %.200v, want %q at %d", err, tt.want, tt.at)
			}
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// chained writes x in "1 < x < 2" in x and so on. The parser has x twice each time.
func chained(depth int) string {
	x := "attempt"
	for range depth {
		x = "(1 < " + x + " < 2 ? 1 : 2)"
	}
	return x
}

func TestConditionsUpToTheBounds(t *testing.T) {
	codes := make([]string, 900)
	for i := range codes {
		codes[i] = fmt.Sprintf("%q", fmt.Sprintf("PAYMENT_DECLINED_%03d", i))
	}
	for _, text := range []string{
		"code in [" + strings.Join(codes, ", ") + "]",
		strings.Repeat("(", condition.MaxDepth) + "in_doubt" + strings.Repeat(")", condition.MaxDepth),
		strings.Repeat("!", 64) + "in_doubt",
		strings.Repeat("(in_doubt) && ", 300) + "true",
		`message == "` + strings.Repeat("(", 1000) + `"`,
		"in_doubt // " + strings.Repeat("(", 1000),
	} {
		if _, err := condition.Parse(text); err != nil {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}
