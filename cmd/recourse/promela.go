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

// exportPromela writes the model of one product: with each capture mode that its payments can have.
func exportPromela(ctx context.Context, e *ruleset.Engine, o *verify.Options, file string) error {
	if len(o.Providers) != 1 || len(o.Operations) != 1 || len(o.Merchants) > 1 {
		return errors.New("--promela: choose one --provider and one --operation, and at most one --merchant")
	}
	p := policy.Payment{Provider: o.Providers[0], Operation: o.Operations[0], Amount: 120_000, Currency: "VND"}
	if len(o.Merchants) == 1 {
		p.Merchant = o.Merchants[0]
	}
	var worlds []*promela.World
	for _, p.Capture = range policy.All[policy.CaptureMode]() {
		if p.Capture != policy.Auto && p.Operation != policy.Pay && p.Operation != policy.Checkout {
			continue
		}
		w, err := promela.NewWorld(e, p, o.DistrustInferred)
		if err != nil {
			return fmt.Errorf("--promela: %w", err)
		}
		worlds = append(worlds, w)
	}
	var b bytes.Buffer
	if err := promela.Write(&b, worlds...); err != nil {
		return err
	}
	return outfile.Write(ctx, file, b.Bytes())
}
