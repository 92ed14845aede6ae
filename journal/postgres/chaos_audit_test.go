package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// audit compares the outcomes in the journal with the provider's ledger, in numbers of carts.
type audit struct {
	succeeded, failed, escalated                    int
	executed                                        int
	twice, failedThoughExecuted, succeededThoughNot int
	lost, open                                      int
}

func (c *chaos) audit() (a audit) {
	c.t.Helper()
	executed := map[string]int{}
	for _, e := range c.provider.Ledger(time.Now().AddDate(1, 0, 0)) {
		cart, _, _ := strings.Cut(e.OrderID, ".")
		executed[cart]++
	}
	for cart, n := range executed {
		a.executed++
		if n > 1 {
			a.twice++
			c.t.Logf("%s executed %d times", cart, n)
		}
	}
	rows, err := c.look.Query(context.Background(), "SELECT DISTINCT ON (payment) payment, standing FROM recourse.flow ORDER BY payment, standing = 'succeeded' DESC, n DESC")
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	stored := map[string]string{}
	for rows.Next() {
		var cart, standing string
		if err := rows.Scan(&cart, &standing); err != nil {
			c.t.Fatal(err)
		}
		stored[cart] = standing
	}
	for i := range c.harm.flows {
		cart := fmt.Sprintf("k%d", i)
		switch n := executed[cart]; stored[cart] {
		case policy.Succeeded.String():
			a.succeeded++
			if n == 0 {
				a.succeededThoughNot++
			}
		case policy.Failed.String():
			a.failed++
			if n > 0 {
				a.failedThoughExecuted++
			}
		case policy.Escalated.String():
			a.escalated++
		case "":
			a.lost++
		default:
			a.open++
		}
	}
	for cart := range c.started { // each that was acknowledged is stored
		if stored[cart] == "" {
			a.lost++
		}
	}
	return a
}
