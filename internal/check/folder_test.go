package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// manyMerchants writes a folder of rules for many merchants. The conditions have the forms that
// merchants use: codes, classes, counts and times.
func manyMerchants(dir string, merchants, rules int) error {
	if err := os.MkdirAll(filepath.Join(dir, "merchants"), 0o700); err != nil {
		return err
	}
	classes := []string{"insufficient_funds", "issuer_declined", "limit_exceeded", "maintenance", "rate_limited"}
	codes := []string{"1001", "1002", "1003", "1004", "10", "11", "4001"}
	for m := range merchants {
		var b strings.Builder
		fmt.Fprintf(&b, "timezone = \"Asia/Tokyo\"\n[limits]\nmax_attempts = %d\n[schedule.own]\nintervals = [\"%dm\"]\n", 3+m%4, 1+m%50)
		for r := range rules {
			when := ""
			switch r % 5 {
			case 0:
				when = fmt.Sprintf(`provider == "momo" && operation == "pay" && code == "%s" && effect == "not_executed" && !in_doubt && fired < 2`, codes[(m+r)%len(codes)])
			case 1:
				when = fmt.Sprintf(`operation == "pay" && class == "%s" && effect == "not_executed" && !in_doubt && attempt < %d`, classes[(m+r)%len(classes)], 2+m%5)
			case 2:
				when = fmt.Sprintf(`operation == "payout" && in_doubt && currency == "PHP" && amount >= %d && elapsed > duration("%dh")`, 1000*(m+1), 1+r%9)
			case 3:
				when = fmt.Sprintf(`phase == "query" && class == "not_found" && hour >= %d && hour < %d && queries > %d`, r%12, 12+r%12, r)
			case 4:
				when = fmt.Sprintf(`operation == "refund" && effect == "unknown" && tags.tier == "gold-%d"`, r)
			}
			then := []string{"mark_failed", "retry_new_request", "escalate", "query_status", "query_status"}[r%5]
			fmt.Fprintf(&b, "[[rule]]\nid = \"m%d-r%d\"\nwhen = '%s'\nthen = \"%s\"\nreason = \"of its own\"\n", m, r, when, then)
		}
		if err := os.WriteFile(filepath.Join(dir, "merchants", fmt.Sprintf("m%04d.toml", m)), []byte(b.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}
