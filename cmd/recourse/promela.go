package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/promela"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// exportPromela writes the model of one product, with each kind of payment that its rules tell apart.
func exportPromela(ctx context.Context, e *ruleset.Engine, o *verify.Options, file string) error {
	if len(o.Providers) != 1 || len(o.Operations) != 1 || len(o.Merchants) > 1 {
		return errors.New("--promela: choose one --provider and one --operation, and at most one --merchant")
	}
	p := policy.Payment{Provider: o.Providers[0], Operation: o.Operations[0], Amount: 120_000, Currency: "VND"}
	if len(o.Merchants) == 1 {
		p.Merchant = o.Merchants[0]
	}
	worlds, err := promela.Worlds(e, p, o.DistrustInferred)
	if err != nil {
		return fmt.Errorf("--promela: %w", err)
	}
	var b bytes.Buffer
	if err := promela.Write(&b, worlds...); err != nil {
		return err
	}
	return outfile.Write(ctx, file, b.Bytes())
}
