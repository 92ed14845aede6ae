package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
)

// callers reads who may call, from the files of the flags.
func (q *serving) callers() (*access.List, error) {
	if q.access != "" {
		l, err := access.Read(q.access)
		if err == nil && l.Certified() && q.clientCA == "" {
			err = fmt.Errorf("%s names certificates, which only count with --tls-client-ca", q.access)
		}
		return l, err
	}
	token, err := tokenOf(q.token)
	if err != nil {
		return nil, err
	}
	admin, err := tokenOf(q.admin)
	if err != nil {
		return nil, err
	}
	if admin != "" && admin == token {
		return nil, errors.New("--admin-token-file: the token must not be that of --token-file: programs could settle what is for people")
	}
	return access.Simple(token, admin), nil
}

// tokenOf reads a file with one token.
func tokenOf(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := string(bytes.TrimSpace(text))
	if len(token) < access.LeastToken {
		return "", fmt.Errorf("%s: a token has at least %d characters", file, access.LeastToken)
	}
	return token, nil
}

// secret reports whether a file says who may call.
func (q *serving) secret() bool { return q.access+q.token+q.admin != "" }

// watchCallers reads the callers anew when one of their files has changed and was then left alone until the next look.
func (q *serving) watchCallers(ctx context.Context, live *access.Live, report func(error)) {
	loaded := q.stamp
	last := loaded
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := q.stampOfCallers()
		if now == last && now != loaded {
			loaded = now
			report(live.Reload())
		}
		last = now
	}
}

// stampOfCallers is by what a change of the files shows.
func (q *serving) stampOfCallers() (stamp string) {
	for _, file := range []string{q.access, q.token, q.admin} {
		if file == "" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			stamp += err.Error()
			continue
		}
		stamp += fmt.Sprintf("%d %d %s;", info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return stamp
}
