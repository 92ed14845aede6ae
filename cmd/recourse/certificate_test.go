package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A product of which there is no certificate takes nothing from the others: the file is written without it, and the error names it.
func TestCertificateWithoutSome(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "proof.zip"), ""
	q := &verifyRun{certificate: &file, rules: &dir}
	var said bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetErr(&said)
	cmd.SetContext(t.Context())
	proved := func(ops ...policy.Operation) *verify.Report {
		r := &verify.Report{Holds: true}
		for _, op := range ops {
			r.Products = append(r.Products, verify.Product{Provider: "momo", Operation: op, Merchants: []string{""}, Holds: true})
		}
		return r
	}
	c := &certificate.Certificate{V: certificate.Version}
	if err := q.writeCertificate(cmd, c, proved(policy.Pay)); err == nil || !strings.HasSuffix(err.Error(), "it is not written") {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a certificate of nothing is written")
	}
	c.Products = []certificate.Product{{Payment: policy.Payment{Provider: "momo", Operation: policy.Refund}, Merchants: []string{""}}}
	if err := q.writeCertificate(cmd, c, proved(policy.Refund)); err != nil {
		t.Errorf("of all: %v", err)
	}
	said.Reset()
	err := q.writeCertificate(cmd, c, proved(policy.Refund, policy.Pay, policy.Pay))
	if err == nil || !strings.Contains(err.Error(), "has no certificate of momo pay: ") || !strings.Contains(said.String(), "written: ") {
		t.Errorf("of some: %v, and %q", err, said.String())
	}
}

// A certificate that the checker refuses is not written: the file said that all is proved, and certify refused it.
func TestRefusedCertificateIsLeftOut(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	dir, c := "", &certificate.Certificate{V: certificate.Version}
	o := &verify.Options{Providers: []string{"shopline"}, Operations: []policy.Operation{policy.Unbind},
		Certificate: func(p *certificate.Product) { c.Products = append(c.Products, *p) }}
	if _, err := verify.Run(t.Context(), e, o); err != nil || len(c.Products) != 1 {
		t.Fatal(err, len(c.Products))
	}
	less := c.Products[0]
	less.Closed = less.Closed[1:]
	c.Products = append(c.Products, less)
	q, cmd := &verifyRun{rules: &dir}, &cobra.Command{}
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetContext(t.Context())
	err = q.leaveOutRefused(cmd, e, c)
	if !slices.ContainsFunc(c.Without, func(p certificate.Part) bool { return p.Provider == "momo" && p.Operation == policy.Pay }) {
		t.Errorf("it does not say that it is not about momo pay: %v", c.Without)
	}
	if err == nil || !strings.Contains(err.Error(), "no certificate for shopline unbind (auto): certify refuses it: ") || len(c.Products) != 1 {
		t.Errorf("%d products are left: %v", len(c.Products), err)
	}
}
