package ruleset

import (
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// env is what a condition sees. Its tags are the names of the variables.
type env struct {
	Provider   string            `expr:"provider"`
	Merchant   string            `expr:"merchant"`
	Operation  string            `expr:"operation"`
	Phase      string            `expr:"phase"`
	Code       string            `expr:"code"`
	SubCode    string            `expr:"sub_code"`
	Status     string            `expr:"status"`
	SubStatus  string            `expr:"sub_status"`
	Message    string            `expr:"message"`
	HTTPStatus int               `expr:"http_status"`
	Fault      string            `expr:"fault"`
	Effect     string            `expr:"effect"`
	Class      string            `expr:"class"`
	Stage      string            `expr:"stage"`
	Reach      string            `expr:"reach"`
	Final      string            `expr:"final"`
	InDoubt    bool              `expr:"in_doubt"`
	Attempt    int               `expr:"attempt"`
	Queries    int               `expr:"queries"`
	Fired      int               `expr:"fired"`
	Elapsed    time.Duration     `expr:"elapsed"`
	Amount     int               `expr:"amount"`
	Currency   string            `expr:"currency"`
	Capture    string            `expr:"capture"`
	Hour       int               `expr:"hour"`
	Weekday    string            `expr:"weekday"`
	RetryAfter time.Duration     `expr:"retry_after"`
	Tags       map[string]string `expr:"tags"`
}

// kind is what a variable holds.
type kind int

const (
	text     kind = iota // any string
	word                 // a string of a closed set
	boolean              // in_doubt
	number               // an integer
	duration             // compare it with duration("15m")
	table                // tags
)

// A variable of the rules' language. Its dim is where the index finds it; -1 where
// it is not indexed.
type variable struct {
	kind  kind
	words []string // of a word: every value, at its index
	dim   int
}

// The dimensions of the index: variables whose values are known to be few, and those
// whose values are looked up among the texts that the rules mention.
const (
	dimOperation = int(condition.Operation)
	dimPhase     = int(condition.Phase)
	dimEffect    = int(condition.Effect)
	dimClass     = int(condition.Class)
	dimStage     = int(condition.Stage)
	dimReach     = int(condition.Reach)
	dimFinal     = int(condition.Final)
	dimFault     = int(condition.Fault)
	dimCapture   = int(condition.Capture)
	dimInDoubt   = int(condition.InDoubt)
	dimWeekday   = int(condition.Weekday)
	dimCode      = int(condition.Code) // from here on: dictionaries
	dimSubCode   = int(condition.SubCode)
	dimStatus    = int(condition.Status)
	dimSubStatus = int(condition.SubStatus)
	dimCurrency  = int(condition.Currency)
	dims         = dimCurrency + 1
)

const firstDictionary = dimCode

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

var variables = map[string]variable{
	"provider":    {kind: text, dim: -1},
	"merchant":    {kind: text, dim: -1},
	"operation":   {kind: word, words: names(policy.Operations()), dim: dimOperation},
	"phase":       {kind: word, words: names(policy.Phases()), dim: dimPhase},
	"code":        {kind: text, dim: dimCode},
	"sub_code":    {kind: text, dim: dimSubCode},
	"status":      {kind: text, dim: dimStatus},
	"sub_status":  {kind: text, dim: dimSubStatus},
	"message":     {kind: text, dim: -1},
	"http_status": {kind: number, dim: -1},
	"fault":       {kind: word, words: append([]string{""}, names(policy.All[policy.Fault]())...), dim: dimFault},
	"effect":      {kind: word, words: names(policy.All[policy.Effect]()), dim: dimEffect},
	"class":       {kind: word, words: names(policy.All[policy.Class]()), dim: dimClass},
	"stage":       {kind: word, words: names(policy.All[policy.Stage]()), dim: dimStage},
	"reach":       {kind: word, words: names(policy.All[policy.Reach]()), dim: dimReach},
	"final":       {kind: word, words: names(policy.All[policy.Finality]()), dim: dimFinal},
	"in_doubt":    {kind: boolean, dim: dimInDoubt},
	"attempt":     {kind: number, dim: -1},
	"queries":     {kind: number, dim: -1},
	"fired":       {kind: number, dim: -1},
	"elapsed":     {kind: duration, dim: -1},
	"amount":      {kind: number, dim: -1},
	"currency":    {kind: text, dim: dimCurrency},
	"capture":     {kind: word, words: names(policy.All[policy.CaptureMode]()), dim: dimCapture},
	"hour":        {kind: number, dim: -1},
	"weekday":     {kind: word, words: weekdays, dim: dimWeekday},
	"retry_after": {kind: duration, dim: -1},
	"tags":        {kind: table, dim: -1},
}

func names[T interface{ String() string }](all []T) []string {
	n := make([]string, len(all))
	for i, v := range all {
		n[i] = v.String()
	}
	return n
}

// noTags is never nil and never written to.
var noTags = map[string]string{}

// makeEnv writes a situation in the words of the rules. fired is the count of the
// rule that is tried.
func makeEnv(s *policy.Situation, fired int, zone *time.Location) env {
	a, p := s.Answer, s.Payment
	local := s.At.In(zone)
	tags := p.Tags
	if tags == nil {
		tags = noTags
	}
	return env{
		Provider: p.Provider, Merchant: p.Merchant, Operation: p.Operation.String(), Phase: a.Phase.String(),
		Code: a.Code, SubCode: a.SubCode, Status: a.Status, SubStatus: a.SubStatus, Message: a.Message,
		HTTPStatus: a.HTTPStatus, Fault: a.Fault.String(), Effect: s.Fact.Effect.String(), Class: s.Fact.Class.String(),
		Stage: s.Fact.Stage.String(), Reach: s.Fact.Reach.String(), Final: s.Fact.Final.String(), InDoubt: s.InDoubt,
		Attempt: s.Attempt, Queries: s.Queries, Fired: fired, Elapsed: s.Elapsed, Amount: int(p.Amount),
		Currency: p.Currency, Capture: p.Capture.String(), Hour: local.Hour(), Weekday: weekdays[local.Weekday()],
		RetryAfter: a.RetryAfter, Tags: tags,
	}
}

// sample returns an env that shows expr the types.
func sample() env { return env{Tags: map[string]string{}} }

func isCurrency(s string) bool {
	return len(s) == 3 && strings.ToUpper(s) == s && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
