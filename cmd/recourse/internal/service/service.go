package service

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/decisions"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Options are the parts of a service. Rules are needed.
type Options struct {
	Rules   *ruleset.Live
	Journal journal.Journal // nil: no flows, only decisions

	Observers []executor.Observer // of the flows
	Decisions *decisions.Log      // of decisions without a flow; nil: none is kept
	Metrics   http.Handler        // nil: there is no /metrics
	Log       *slog.Logger        // nil: nothing is logged

	// Access is who may call. Nil: whoever reaches the service may do what programs may.
	Access *access.Live
	// TwoPersons makes of each resolve below /admin/ a proposal that a second person confirms.
	TwoPersons bool
	// PerMerchant is how many flows a merchant may begin a second, and Burst how many at once. 0: any number.
	PerMerchant float64
	Burst       int
	// Version is the command's, for the description of the interface.
	Version string
}

// Service is the HTTP interface. It is safe for concurrent use.
type Service struct {
	o        Options
	x        *executor.Executor // nil without a journal
	hub      *hub
	api      huma.API
	mux      *http.ServeMux
	admin    http.Handler // nil: none
	log      *slog.Logger
	stopping chan struct{}
	stop     sync.Once

	refusals, unready, failures rate.Sometimes // that are logged

	mu     sync.Mutex
	limits limits
}

// New makes a service. It continues the flows of the journal.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{o: o, hub: newHub(), mux: http.NewServeMux(), log: o.Log, stopping: make(chan struct{}), limits: newLimits(o.PerMerchant, o.Burst)}
	s.refusals.Interval, s.unready.Interval, s.failures.Interval = time.Second, time.Second, time.Second
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.o.Access == nil {
		s.o.Access = new(access.Live)
		if err := s.o.Access.Open(func() (*access.List, error) { return access.Simple("", ""), nil }); err != nil {
			return nil, err
		}
	}
	if o.Journal != nil {
		clients := map[string]executor.Client{}
		for _, name := range o.Rules.Now().Catalogs.Names() {
			clients[name] = s.hub
		}
		config := executor.Config{
			Journal: o.Journal, Clients: clients, Observers: append(o.Observers, s.hub),
			AtOnce:     math.MaxInt32, // callers bound themselves, and those that are gone must not stand in the way of others
			AdminHosts: []string{"*"}, // it asks for a token
			OnError:    func(err error) { s.log.Error("flow", "error", err) },
			OnEscalate: s.escalated,
			OnAlert:    s.alerted,
			TwoPersons: o.TwoPersons,
		}
		if s.o.Access.Now().Named() {
			config.AdminWho = person
		}
		x, err := executor.New(o.Rules, &config)
		if err != nil {
			return nil, err
		}
		s.x = x
		n, err := x.Resume(ctx)
		if err != nil {
			return nil, errors.Join(err, x.Close(ctx))
		}
		s.log.Info("resumed", "flows", n)
	}
	if s.x != nil {
		s.admin = http.StripPrefix("/admin", s.x.AdminHandler())
	}
	s.register()
	return s, nil
}

// Executor is that of the flows; nil without a journal.
func (s *Service) Executor() *executor.Executor { return s.x }

// Close ends the service: no flow begins any more, and no command is given out. What callers have taken they
// can report until ctx is over. Serve until it returns.
func (s *Service) Close(ctx context.Context) error {
	s.stop.Do(func() { close(s.stopping) })
	if s.x == nil {
		return nil
	}
	s.hub.drain(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.x.Close(last) }()
	s.hub.stop()
	return <-closed
}

// closing is how long the executor may take to write what it knows.
const closing = 10 * time.Second

// escalated and alerted are the hooks. People find these flows by the admin handler; the log says when.
func (s *Service) escalated(_ context.Context, r *executor.Result) error {
	s.log.Warn("escalated", "flow", r.Flow, "reason", r.Reason)
	return nil
}

func (s *Service) alerted(_ context.Context, a *executor.Alert) error {
	said := a.Evidence.Answer
	if said == nil {
		said = new(policy.Answer)
	}
	// Not the message, the tags or the data: they may name a person.
	s.log.Error("alert", "flow", a.Flow, "reason", a.Reason, "merchant", a.State.Payment.Merchant, "payment_key", a.State.Payment.Key,
		"phase", said.Phase.String(), "code", said.Code, "order_id", said.OrderID, "request_id", said.RequestID, "provider_id", said.ProviderID)
	return nil
}

func (s *Service) register() {
	strictCasing()
	config := huma.DefaultConfig("Recourse", s.o.Version)
	config.Info.Description = "Decides what to do with a payment provider's answer, and carries payments so that none is made twice."
	config.DocsPath, config.SchemasPath = "", ""
	config.OpenAPIPath = "/openapi"
	config.CreateHooks = nil // no $schema in answers
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.Transformers = append(config.Transformers, shortened)
	if !s.o.Access.Now().Open() {
		config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
		config.Security = []map[string][]string{{"token": {}}}
	}
	s.api = humago.New(s.mux, config)
	s.api.UseMiddleware(s.allowed)
	s.registerFlows()
	s.registerDecisions()
	s.registerHealth()
	s.mux.HandleFunc("/", s.elsewhere)
}

func (s *Service) registerHealth() {
	huma.Register(s.api, huma.Operation{
		OperationID: "healthy", Method: http.MethodGet, Path: "/healthz", Tags: []string{"operation"}, Summary: "The process answers",
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	huma.Register(s.api, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/readyz", Tags: []string{"operation"}, Summary: "The process takes work", Errors: []int{503},
	}, s.ready)
	if s.o.Metrics != nil {
		s.mux.HandleFunc("GET /metrics", s.metrics)
	}
}

// readable is how long the journal may take to be read by a process that takes work.
const readable = 5 * time.Second

func (s *Service) ready(ctx context.Context, _ *struct{}) (*struct{}, error) {
	if err := s.open(); err != nil || s.x == nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readable) // a database that does not answer is waited for
	defer cancel()
	stats, err := s.x.Stats(ctx)
	if err != nil {
		s.unready.Do(func() { s.log.Error("the journal cannot be read", "error", err) })
		return nil, huma.Error503ServiceUnavailable("the journal cannot be read; the log says why") // not here: who asks has shown no token
	}
	if stalled := stats.Journal.Stalled; stalled > 10*time.Second {
		return nil, huma.Error503ServiceUnavailable("the journal has not written for " + stalled.Round(time.Second).String())
	}
	return nil, nil
}

// open is an error while the service stops.
func (s *Service) open() error {
	select {
	case <-s.stopping:
		return huma.Error503ServiceUnavailable("the service stops; this call began nothing, and can be repeated")
	default:
		return nil
	}
}

// limit takes one of the flows that a merchant may begin. A call that is repeated begins none: an error would say that there is none.
func (s *Service) limit(ctx context.Context, p *policy.Payment) error {
	if s.o.PerMerchant <= 0 || s.allow(p.Merchant) {
		return nil
	}
	rows, err := s.o.Journal.ByKey(ctx, journal.Key{Merchant: p.Merchant, Operation: p.Operation, Payment: p.Key})
	if err != nil {
		return s.refused(err)
	}
	for i := range rows {
		if rows[i].Open || rows[i].Standing != policy.Failed.String() {
			return nil
		}
	}
	return huma.Error429TooManyRequests("merchant " + p.Merchant + " begins more flows than it may; this call began nothing, and can be repeated")
}

// allow takes one of the flows that a merchant may begin now.
func (s *Service) allow(merchant string) bool {
	known := s.o.Rules.Now().Rules.Merchants[merchant] != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.of(merchant, known, time.Now()).Allow()
}
