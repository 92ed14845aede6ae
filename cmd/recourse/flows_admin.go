package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// flowsSource is where flows are: the admin handler of a running process, or a journal, over which
// this command sets up the same handler. So both answer alike.
type flowsSource struct {
	journal, schema, url string
	rules                *string
}

func (s *flowsSource) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.journal, "journal", "", "the journal file of a process that does not run (reading works beside it, too), or the URL of a PostgreSQL database (postgres://), whoever has it open")
	cmd.Flags().StringVar(&s.schema, "schema", "", "of the tables in PostgreSQL; recourse where it is left out")
	cmd.Flags().StringVar(&s.url, "admin", "", "URL of the admin handler of the process that runs")
	_ = cmd.MarkFlagFilename("journal")
	cmd.MarkFlagsOneRequired("journal", "admin")
	cmd.MarkFlagsMutuallyExclusive("journal", "admin")
	cmd.MarkFlagsMutuallyExclusive("schema", "admin")
	s.rules = rulesFlag(cmd)
}

// adminClient asks an admin handler.
type adminClient struct {
	base  string
	do    func(*http.Request) (*http.Response, error)
	close func() error
}

// open reaches the handler. write says that the command changes something, which only the owner of a
// file may.
func (s *flowsSource) open(cmd *cobra.Command, write bool) (*adminClient, error) {
	if s.url != "" {
		at, err := url.Parse(s.url)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.RawQuery != "" {
			return nil, fmt.Errorf("--admin %q is no HTTP URL", s.url)
		}
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		return &adminClient{base: strings.TrimSuffix(s.url, "/"), do: client.Do, close: func() error { return nil }}, nil
	}
	e, err := open(cmd, *s.rules)
	if err != nil {
		return nil, err
	}
	j, err := s.openJournal(cmd, write)
	if err != nil {
		return nil, err
	}
	return overJournal(e, j, cmd.ErrOrStderr())
}

// openJournal opens the file, which only its owner may write, or the database, which any process may.
func (s *flowsSource) openJournal(cmd *cobra.Command, write bool) (flowJournal, error) {
	if isDatabase(s.journal) {
		log := cmd.ErrOrStderr()
		j, err := openDatabase(cmd.Context(), s.journal, &postgres.Options{
			Schema: s.schema, ReadOnly: !write, Connections: 2, OnError: func(err error) { fmt.Fprintln(log, err) },
		})
		if err != nil {
			return nil, ofFlags(err, "recourse serve ")
		}
		return visited{j}, nil
	}
	if err := s.isFile(); err != nil {
		return nil, err
	}
	j, err := sqlite.Open(s.journal, &sqlite.Options{MustExist: true, ReadOnly: !write})
	if errors.Is(err, journal.ErrOwned) {
		return nil, fmt.Errorf("%s is in use: %w; a running process must do this itself: use --admin with the URL of its admin handler", s.journal, err)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// isFile refuses a journal that is no file.
func (s *flowsSource) isFile() error {
	if s.schema != "" {
		return errors.New("--schema is for a journal in PostgreSQL")
	}
	return isFile(s.journal)
}

// visited is a database in which this command does what a person wants, and nothing else: what other processes have left for flows that
// none of them holds is for those that carry flows, by their own rules.
type visited struct{ *postgres.Journal }

// Collect takes no message.
func (visited) Collect(context.Context, func(string, []byte) error) (int, error) { return 0, nil }

// errLeftToTheProcess is what the hooks return here, so that their calls stay owed in the journal.
var errLeftToTheProcess = errors.New("left to the process that owns the hooks")

// localHost is the Host of requests that go through no network.
const localHost = "journal"

// overJournal sets up the admin handler over a journal. The executor behind it has no client: it sends and
// asks nothing. Its sweeper never comes.
func overJournal(rules executor.Rules, j flowJournal, log io.Writer) (*adminClient, error) {
	x, err := executor.New(rules, &executor.Config{
		Journal: j, Sweep: math.MaxInt64, AdminHosts: []string{localHost},
		OnEscalate: func(context.Context, *executor.Result) error { return errLeftToTheProcess },
		OnAlert:    func(context.Context, *executor.Alert) error { return errLeftToTheProcess },
		OnError:    func(err error) { fmt.Fprintln(log, err) },
	})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	over := &localHandler{handler: x.AdminHandler()}
	return &adminClient{base: "http://" + localHost, do: over.do, close: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return errors.Join(x.Close(ctx), j.Close())
	}}, nil
}

// localHandler answers requests without a network.
type localHandler struct{ handler http.Handler }

// do serves a request in another goroutine, and returns when the answer begins.
func (l *localHandler) do(r *http.Request) (*http.Response, error) {
	body, pipe := io.Pipe()
	w := &localWriter{header: http.Header{}, body: pipe, begun: make(chan *http.Response, 1)}
	go func() {
		l.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		_ = pipe.Close()
	}()
	answer := <-w.begun
	answer.Body = body
	return answer, nil
}

// localWriter is the http.ResponseWriter of a localHandler.
type localWriter struct {
	header http.Header
	body   *io.PipeWriter
	begun  chan *http.Response
	wrote  bool
}

// Header implements [http.ResponseWriter].
func (w *localWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *localWriter) WriteHeader(status int) {
	if !w.wrote {
		w.wrote = true
		w.begun <- &http.Response{StatusCode: status, Header: w.header.Clone(), ContentLength: -1}
	}
}

// Write implements [http.ResponseWriter].
func (w *localWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// largestAnswer bounds what is read of an answer that is one JSON object.
const largestAnswer = 256 << 20

// refusedError is an answer that says no: the flow has ended, has changed, or is proved otherwise.
type refusedError struct {
	text string
	body []byte
}

// Error implements error.
func (e *refusedError) Error() string { return e.text }

// get asks for a path with parameters, and decodes the answer.
func (c *adminClient) get(ctx context.Context, path string, q url.Values, into any) ([]byte, error) {
	r, err := c.send(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return nil, err
	}
	return decodeAnswer(r, into)
}

// post gives an order, and decodes the answer. A local one is not broken off half-way.
func (c *adminClient) post(ctx context.Context, path string, body, into any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := c.send(ctx, http.MethodPost, path, nil, text)
	if err != nil && ctx.Err() != nil {
		return nil, errors.Join(ctx.Err(), errors.New("it may have been done nevertheless: see recourse flows show"))
	}
	if err != nil {
		return nil, err
	}
	return decodeAnswer(r, into)
}

// send returns an answer with status 200 or 202; any other is an error.
func (c *adminClient) send(ctx context.Context, method, path string, q url.Values, body []byte) (*http.Response, error) {
	at := c.base + path
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusAccepted {
		return answer, nil
	}
	defer answer.Body.Close()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	var said struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(text, &said); err != nil || said.Error == "" {
		return nil, fmt.Errorf("%s answered with status %d; is that the admin handler?", at, answer.StatusCode)
	}
	if answer.StatusCode == http.StatusConflict {
		return nil, &refusedError{text: said.Error, body: text}
	}
	return nil, errors.New(said.Error)
}

func decodeAnswer(r *http.Response, into any) ([]byte, error) {
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, largestAnswer))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, fmt.Errorf("the answer cannot be read; is that the admin handler? %w", err)
	}
	return text, nil
}
