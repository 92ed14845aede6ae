package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/recourse-pay/recourse/policy"
)

// The peers find a rule's condition by its code in a map, as their users would, and evaluate it whole.
// OPA has an index of its own.

// exprEnv is what an expr condition sees.
type exprEnv struct {
	Operation string            `expr:"operation"`
	Phase     string            `expr:"phase"`
	Code      string            `expr:"code"`
	Currency  string            `expr:"currency"`
	Amount    int               `expr:"amount"`
	Hour      int               `expr:"hour"`
	Tags      map[string]string `expr:"tags"`
}

func (d *decisionSet) byExpr(t testing.TB) chooser {
	t.Helper()
	byCode := map[string]*vm.Program{}
	for i := range d.rules {
		p, err := expr.Compile(d.when(i), expr.Env(exprEnv{}), expr.AsBool())
		if err != nil {
			t.Fatal(err)
		}
		byCode[fmt.Sprintf("c%d", i)] = p
	}
	var machine vm.VM
	return chooser{"expr, indexed by code", func(s *policy.Situation) string {
		p := byCode[s.Answer.Code]
		if p == nil {
			return ""
		}
		held, err := machine.Run(p, exprEnv{
			s.Payment.Operation.String(), s.Answer.Phase.String(), s.Answer.Code, s.Payment.Currency, int(s.Payment.Amount), s.At.Hour(), s.Payment.Tags,
		})
		if err != nil || held != true {
			return ""
		}
		return "r" + s.Answer.Code[1:]
	}}
}

func (d *decisionSet) byCEL(t testing.TB) chooser {
	t.Helper()
	env, err := cel.NewEnv(cel.Variable("operation", cel.StringType), cel.Variable("phase", cel.StringType), cel.Variable("code", cel.StringType),
		cel.Variable("currency", cel.StringType), cel.Variable("amount", cel.IntType), cel.Variable("hour", cel.IntType), cel.Variable("tags", cel.MapType(cel.StringType, cel.StringType)))
	if err != nil {
		t.Fatal(err)
	}
	byCode := map[string]cel.Program{}
	for i := range d.rules {
		tree, issues := env.Compile(d.when(i))
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		p, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			t.Fatal(err)
		}
		byCode[fmt.Sprintf("c%d", i)] = p
	}
	return chooser{"CEL, indexed by code", func(s *policy.Situation) string {
		p := byCode[s.Answer.Code]
		if p == nil {
			return ""
		}
		out, _, err := p.Eval(map[string]any{
			"operation": s.Payment.Operation.String(), "phase": s.Answer.Phase.String(), "code": s.Answer.Code, "currency": s.Payment.Currency,
			"amount": s.Payment.Amount, "hour": s.At.Hour(), "tags": s.Payment.Tags,
		})
		if err != nil || out.Value() != true {
			return ""
		}
		return "r" + s.Answer.Code[1:]
	}}
}

// regoModule is the rules for OPA.
func (d *decisionSet) regoModule() string {
	var module strings.Builder
	module.WriteString("package rules\n\nimport rego.v1\n\n")
	for i := range d.rules {
		condition := strings.ReplaceAll(d.when(i), " && ", "\n\t")
		for _, name := range []string{"operation", "phase", "code", "currency", "amount", "hour", "tags"} {
			condition = strings.ReplaceAll("\n\t"+condition, "\n\t"+name, "\n\tinput."+name)
		}
		fmt.Fprintf(&module, "decision := \"r%d\" if {%s\n}\n\n", i, strings.ReplaceAll(condition, "\n\t\n", "\n"))
	}
	return module.String()
}

func (d *decisionSet) byOPA(t testing.TB) chooser {
	t.Helper()
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.rules.decision"), rego.Module("rules.rego", d.regoModule())).PrepareForEval(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return chooser{"OPA, prepared", func(s *policy.Situation) string {
		tags := make(map[string]any, len(s.Payment.Tags))
		for k, v := range s.Payment.Tags {
			tags[k] = v
		}
		out, err := query.Eval(ctx, rego.EvalInput(map[string]any{
			"operation": s.Payment.Operation.String(), "phase": s.Answer.Phase.String(), "code": s.Answer.Code, "currency": s.Payment.Currency,
			"amount": s.Payment.Amount, "hour": s.At.Hour(), "tags": tags,
		}))
		if err != nil || len(out) == 0 {
			return ""
		}
		rule, _ := out[0].Expressions[0].Value.(string)
		return rule
	}}
}
