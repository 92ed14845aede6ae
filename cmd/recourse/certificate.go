package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
)

// collect prepares to take the certificate of a run; nil: none is asked for.
func (q *verifyRun) collect() *certificate.Certificate {
	if *q.certificate == "" {
		return nil
	}
	c, mu := &certificate.Certificate{V: certificate.Version}, sync.Mutex{}
	q.options.Certificate = func(p *certificate.Product) {
		mu.Lock()
		defer mu.Unlock()
		c.Products = append(c.Products, *p)
	}
	return c
}

// leaveOutRefused checks certificates as recourse certify does, and leaves out those that it would refuse. The error says why.
func (q *verifyRun) leaveOutRefused(cmd *cobra.Command, e *ruleset.Engine, c *certificate.Certificate) error {
	c.Rules = ruleTexts(e, *q.rules)
	rules, err := engine.OpenFS(c.FS())
	if err != nil {
		return err
	}
	all, err := certifyAll(cmd, rules, c)
	if err != nil {
		return err
	}
	var held []certificate.Product
	for i := range all {
		if p := &all[i]; p.Holds {
			held = append(held, c.Products[i])
		} else {
			err = errors.Join(err, fmt.Errorf("no certificate for %s %s (%s): certify refuses it: %s", p.Provider, p.Operation, p.Capture, p.Refused))
		}
	}
	c.Products = slices.DeleteFunc(held, func(p certificate.Product) bool { // one capture mode is no proof of the product
		return len(p.Captures) == 1 && slices.ContainsFunc(all, func(o certifiedProduct) bool {
			return !o.Holds && o.Provider == p.Payment.Provider && o.Operation == p.Payment.Operation && slices.Equal(o.Merchants, p.Merchants)
		})
	})
	c.Without = without(rules, merchantsIn(c), c)
	return err
}

// writeCertificate writes the certificates of a run in which everything was proved. Of some products there may be none: the file is
// written without them, and the error names them.
func (q *verifyRun) writeCertificate(cmd *cobra.Command, c *certificate.Certificate, r *verify.Report) error {
	if !r.Holds {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s is not written: not everything is proved\n", *q.certificate)
		return nil
	}
	has := map[string]bool{}
	for i := range c.Products {
		for _, m := range c.Products[i].Merchants {
			has[fmt.Sprint(c.Products[i].Payment.Provider, c.Products[i].Payment.Operation, m)] = true
		}
	}
	var without []string
	for i := range r.Products {
		p := &r.Products[i]
		if name := fmt.Sprint(p.Provider, " ", p.Operation); !has[fmt.Sprint(p.Provider, p.Operation, p.Merchants[0])] && !slices.Contains(without, name) {
			without = append(without, name)
		}
	}
	var missing error
	if len(without) > 0 {
		missing = fmt.Errorf("%s has no certificate of %s: too large, refused by certify, or proved for each kind of payment by itself or with counts", *q.certificate, strings.Join(without, ", "))
	}
	if len(c.Products) == 0 {
		return fmt.Errorf("%w; it is not written", missing)
	}
	slices.SortFunc(c.Products, func(a, b certificate.Product) int {
		return cmp.Or(strings.Compare(a.Payment.Provider, b.Payment.Provider), cmp.Compare(a.Payment.Operation, b.Payment.Operation),
			cmp.Compare(a.Payment.Capture, b.Payment.Capture), slices.Compare(a.Merchants, b.Merchants))
	})
	data, err := c.Bytes()
	if err != nil {
		return err
	}
	if err := outfile.Write(cmd.Context(), *q.certificate, data); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "written: %s, %s bytes\n", *q.certificate, count(len(data)))
	return missing
}

// ruleTexts are the files that rules were read from: the folder's, and the defaults that it does not replace.
func ruleTexts(e *ruleset.Engine, dir string) []certificate.Text {
	var all []certificate.Text
	for _, f := range e.Rules.Files() {
		all = append(all, certificate.Text{Name: f.Path, Data: f.Text})
	}
	if dir != "" {
		files := filesOf(dir)
		names, _ := fs.ReadDir(files, "providers")
		for _, n := range names {
			if data, err := fs.ReadFile(files, path.Join("providers", n.Name())); err == nil && strings.HasSuffix(n.Name(), ".toml") {
				all = append(all, certificate.Text{Name: "providers/" + n.Name(), Data: data})
			}
		}
	}
	slices.SortFunc(all, func(a, b certificate.Text) int { return strings.Compare(a.Name, b.Name) })
	return all
}
