package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"
)

// flagsFit reports all flags that are wrong, or say nothing without others: a service that was started with a limit, a log or a schema must not
// run without it.
func (q *serving) flagsFit(cmd *cobra.Command) error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	given := cmd.Flags().Changed
	wrong(!(q.perMerchant >= 0) || math.IsInf(q.perMerchant, 1), "--per-merchant %g: it must be a number from 0 up", q.perMerchant)
	wrong(q.drain < 0, "--drain %s: it must not be negative", q.drain)
	wrong((q.migrate || q.schema != "") && !isDatabase(q.journal), "--migrate and --schema are for a journal in PostgreSQL; a SQLite file is taken to the form of this release when it is opened")
	wrong(q.restored && q.journal == "", "--restored needs --journal")
	wrong(q.perMerchant > 0 && q.journal == "", "--per-merchant needs --journal: without it no flow can be begun")
	wrong(q.record != "" && q.journal == "", "--record needs --journal: it records flows")
	wrong(q.admin != "" && q.journal == "", "--admin-token-file needs --journal: people settle flows")
	wrong(q.twoPersons && (q.journal == "" || q.admin == "" && q.access == ""), "--two-persons needs --journal, and --access or --admin-token-file: without these there is no /admin/")
	wrong(q.clientCA != "" && q.cert == "", "--tls-client-ca needs --tls-cert and --tls-key")
	wrong((given("decision-log-size") || given("decision-log-every")) && q.decisions.dir == "", "--decision-log-size and --decision-log-every go with --decision-log")
	return errors.Join(errs...)
}
