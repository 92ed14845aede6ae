package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/recording"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve decisions and flows over HTTP, to programs in any language",
		Long: `Answers what would be done about an answer (/v1/decide, /v1/explain, /v1/codes), and with
--journal carries whole payments: a program begins a flow, is given what to send or ask and under
which identifiers, and reports what came of it. The program may die at any time, and this process
too. /openapi.json describes the interface, docs/serve.md how to use it.

It listens on loopback. Another address needs --access, --token-file or --tls-client-ca. SIGHUP, and
--watch by itself, reads the rules and the files of tokens anew: a set with a mistake is reported and the
old one stays. Ctrl-C ends it: calls that callers make can be reported until --drain is over.

Exit codes: 0 it was ended by Ctrl-C, or --restored is done, 2 could not run, or the journal was restored, replaced or taken over while it ran.`,
		Example: `  recourse serve --rules rules --journal flows.db
  recourse serve --journal postgres://payments@db/shop --migrate
  recourse serve --journal flows.db --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem --token-file token
  curl -s -d '{"provider":"momo","operation":"pay","fault":"timeout"}' -H 'Content-Type: application/json' 127.0.0.1:8377/v1/decide`,
		Args: cobra.NoArgs,
	}
	var q serving
	f := cmd.Flags()
	q.rules = rulesFlag(cmd)
	f.StringVar(&q.journal, "journal", "", "SQLite file of the flows, made if it is not there, or the URL of a PostgreSQL database (postgres://); without it no flow can be begun")
	f.BoolVar(&q.migrate, "migrate", false, "make the tables in PostgreSQL, or take them to the form of this release")
	f.StringVar(&q.schema, "schema", "", "of the tables in PostgreSQL; recourse where it is left out")
	f.BoolVar(&q.restored, "restored", false, "make a restored copy the journal, and end: keys that were paid since are free in it, so hold it against the providers' records first")
	f.StringVar(&q.listen, "listen", "127.0.0.1:8377", "address; port 0 takes a free one")
	f.StringVar(&q.access, "access", "", "file of callers (TOML): the token or certificate of each, and the merchants and verbs that it opens")
	f.StringVar(&q.token, "token-file", "", "file with one bearer token, which opens every merchant")
	f.StringVar(&q.admin, "admin-token-file", "", "file with the token for /admin/, where people settle flows; without it there is none")
	f.BoolVar(&q.twoPersons, "two-persons", false, "what one person resolves below /admin/ a second one confirms")
	f.StringVar(&q.cert, "tls-cert", "", "certificate (PEM)")
	f.StringVar(&q.key, "tls-key", "", "its key (PEM)")
	f.StringVar(&q.clientCA, "tls-client-ca", "", "certificates (PEM) of which one must have signed a caller's")
	f.Float64Var(&q.perMerchant, "per-merchant", 0, "flows that a merchant may begin in a second; 0: any number")
	f.StringVar(&q.record, "record", "", "folder for a recording of what happens, for recourse simulate")
	f.StringVar(&q.decisions.dir, "decision-log", "", "folder for a line about each decision, for recourse simulate and recourse replay")
	f.Var(&q.decisions.size, "decision-log-size", "bytes of a file of that folder, about, such as 100MB; then a new one begins")
	f.DurationVar(&q.decisions.every, "decision-log-every", 24*time.Hour, "a new file at each turn of it, UTC")
	f.DurationVar(&q.drain, "drain", 30*time.Second, "how long callers may report after Ctrl-C")
	f.BoolVar(&q.watch, "watch", false, "read the rules anew when a file changes")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsMutuallyExclusive("access", "token-file")
	cmd.MarkFlagsMutuallyExclusive("access", "admin-token-file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := q.flagsFit(cmd); err != nil {
			return err
		}
		if q.restored {
			return q.adopt(cmd)
		}
		return q.run(cmd)
	}
	return cmd
}

// serving holds the flags of the command.
type serving struct {
	rules                   *string
	journal, listen, record string
	access, token, admin    string
	stamp                   string // of the files of callers, before they were first read
	cert, key, clientCA     string
	perMerchant             float64
	drain                   time.Duration
	watch, twoPersons       bool
	migrate, restored       bool
	schema                  string
	decisions               decisionLog
}

func (q *serving) run(cmd *cobra.Command) (wrong error) {
	log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	live, err := q.open(cmd)
	if err != nil {
		return err
	}
	o := service.Options{Rules: live, Log: log, PerMerchant: q.perMerchant, Burst: int(2*q.perMerchant) + 1, Version: buildVersion(), TwoPersons: q.twoPersons}
	o.Access, q.stamp = new(access.Live), q.stampOfCallers()
	if err := o.Access.Open(q.callers); err != nil {
		return err
	}
	secure := !o.Access.Now().Open() || q.clientCA != ""
	l, err := q.listener(secure)
	if err != nil {
		return err
	}
	defer l.Close()
	registry := client.NewRegistry()
	meters, err := newMeters(&o, registry)
	if err != nil {
		return err
	}
	end, err := q.decisions.begin(&o, registry)
	if err != nil {
		return err
	}
	defer func() { wrong = errors.Join(wrong, end()) }()
	if q.record != "" {
		r, err := recording.NewFolder(q.record, nil)
		if err != nil {
			return err
		}
		defer func() { wrong = errors.Join(wrong, r.Close()) }()
		o.Observers = append(o.Observers, r)
	}
	if q.journal != "" {
		j, err := q.openJournal(cmd.Context(), log)
		if err != nil {
			return err
		}
		defer func() { wrong = errors.Join(wrong, j.Close()) }()
		o.Journal = j
	}
	s, err := service.New(cmd.Context(), o)
	if err != nil {
		return err
	}
	if x := s.Executor(); x != nil {
		unwatch, err := otelrecourse.Watch(x, meters)
		if err != nil {
			return err
		}
		defer func() { wrong = errors.Join(wrong, unwatch()) }()
	}
	return q.serve(cmd, s, l, &o, log)
}

// newMeters makes the metrics of the flows, and the handler that shows them.
func newMeters(o *service.Options, registry *client.Registry) (*otelrecourse.Options, error) {
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry), prometheus.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	meters := &otelrecourse.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))}
	observer, err := otelrecourse.New(meters)
	if err != nil {
		return nil, err
	}
	o.Metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	o.Observers = append(o.Observers, observer)
	return meters, nil
}

// listener opens the address, with TLS if there is a certificate.
func (q *serving) listener(secure bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(q.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	ip := net.ParseIP(host)
	if loopback := host == "localhost" || ip != nil && ip.IsLoopback(); !loopback && !secure {
		return nil, fmt.Errorf("--listen %s: other machines can reach it, so callers must show who they are: --access, --token-file or --tls-client-ca", q.listen)
	}
	if q.cert == "" {
		return net.Listen("tcp", q.listen)
	}
	pair, err := tls.LoadX509KeyPair(q.cert, q.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if q.clientCA != "" {
		text, err := os.ReadFile(q.clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", q.clientCA)
		}
	}
	return tls.Listen("tcp", q.listen, config)
}

// serve answers until Ctrl-C. Then callers may still report, and nothing new begins. It ends as well when the journal is lost: nothing can be
// written any more, and whether the next process may go on is for the journal to say when it opens it.
func (q *serving) serve(cmd *cobra.Command, s *service.Service, l net.Listener, o *service.Options, log *slog.Logger) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, hangUp...) // before a caller can know that the process is there, and until it ends: SIGHUP would kill it
	defer signal.Stop(asked)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	var lost <-chan struct{}
	if j, ok := o.Journal.(flowJournal); ok {
		lost = j.Lost()
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	go q.reloading(ctx, asked, o, log)
	go keepRoom(ctx)
	fmt.Fprintf(cmd.OutOrStdout(), "recourse listens on %s\n", l.Addr())
	var broken error
	drain := max(time.Second, q.drain)
	select {
	case <-ctx.Done():
		// A second signal ends the process at once: the next one finds out what was under way.
	case broken = <-failed:
	case <-lost:
		broken, drain = errLost, 0 // no report can be written
		log.Error(errLost.Error())
	}
	log.Info("stopping", "drain", drain.String())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := s.Close(end)
	if errors.Is(err, context.DeadlineExceeded) { // what is left in doubt, the next process finds out
		log.Warn("a caller did not report in time", "error", err)
		err = nil
	}
	if broken != nil && q.isGone() {
		log.Error("there is no file at the journal's path: put it back. The next process would make an empty one, in which each paid key is free, so this one waits for Ctrl-C or SIGTERM")
		<-ctx.Done()
	}
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelLast()
	if server.Shutdown(last) != nil {
		_ = server.Close() // cuts off who does not leave
	}
	return errors.Join(broken, err)
}

// errLost is why the service ends; that of the journal, which says what has happened, follows when it is closed.
var errLost = errors.New("the journal is lost: it was restored, replaced or taken over, and this process takes no work any more; what was under way is in doubt, and the next one finds it out")

// open reads the rules, which can be read anew.
func (q *serving) open(cmd *cobra.Command) (*ruleset.Live, error) {
	live := new(ruleset.Live)
	first := true
	return live, live.Open(func() [sha256.Size]byte { return ruleset.StampOfPath(*q.rules) }, func() (*ruleset.Engine, error) {
		if first {
			first = false
			return open(cmd, *q.rules)
		}
		return openPinned(cmd, openRules, *q.rules)
	})
}

// reloading reads the rules and the callers anew at SIGHUP and, with --watch, when a file changes.
func (q *serving) reloading(ctx context.Context, asked <-chan os.Signal, o *service.Options, log *slog.Logger) {
	rules := func(err error) {
		if failed(log, "the rules have mistakes; the old ones stay", err) {
			return
		}
		now := o.Rules.Now()
		log.Info("rules read anew", "digest", now.Digest(), "warnings", len(now.Warnings))
	}
	callers := func(err error) {
		if !failed(log, "the callers have mistakes; the old ones stay, and whom they let in", err) && q.secret() {
			log.Info("callers read anew")
		}
	}
	if q.watch {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		go func() { _ = o.Rules.Watch(ctx, tick.C, rules) }() // until the context ends
		go q.watchCallers(ctx, o.Access, callers)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			callers(o.Access.Reload())
			rules(o.Rules.Reload())
		}
	}
}

// failed logs all mistakes of an error.
func failed(log *slog.Logger, what string, err error) bool {
	if err == nil {
		return false
	}
	var text bytes.Buffer
	printErrors(&text, err, nil)
	log.Error(what, "mistakes", text.String())
	return true
}
