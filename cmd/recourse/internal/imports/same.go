package imports

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
)

// A file may have one call twice: as it was redirected and as it arrived, or as a page made it and as the page's service worker did.

// redirect is a call whose answer names another URL for the same request.
type redirect struct {
	entry  *entry
	file   string
	line   int
	to     string
	method string
	kind   string // of the body
	body   []byte
}

// maxRedirects bounds those that wait for the call that followed them.
const maxRedirects = 100

// redirected is where an answer sends the same request; empty: nowhere.
func redirected(c *traffic.Call) string {
	if c.Status != http.StatusTemporaryRedirect && c.Status != http.StatusPermanentRedirect {
		return ""
	}
	from, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	to, err := from.Parse(c.ReplyHeader.Get("Location"))
	if err != nil || c.ReplyHeader.Get("Location") == "" {
		return ""
	}
	return to.String()
}

// carryOver gives a call that followed a redirect the body that it was sent with: such a redirect repeats the request as it was, and
// Playwright keeps the body in the first of the two alone.
func (i *importer) carryOver(c *traffic.Call) {
	if len(c.Body) > 0 || c.BodyIn != "" {
		return
	}
	k := slices.IndexFunc(i.redirects, func(r redirect) bool { return r.to == c.URL && r.method == c.Method })
	if k < 0 {
		return
	}
	c.Body = i.redirects[k].body
	if kind := i.redirects[k].kind; kind != "" && c.Header.Get("Content-Type") == "" {
		c.Header.Set("Content-Type", kind)
	}
}

// follow leaves out a redirect whose request was sent again to where it pointed: it is one send, and not two.
func (i *importer) follow(c *traffic.Call, e *entry) {
	k := slices.IndexFunc(i.redirects, func(r redirect) bool {
		l, o := &r.entry.Line, &e.Line
		return r.to == c.URL && l.Phase == o.Phase && l.OrderID == o.OrderID && l.RequestID == o.RequestID
	})
	if k >= 0 {
		where := fmt.Sprint("line ", c.Line)
		if i.redirects[k].file != i.source.Name {
			where = "another file"
		}
		i.leaveOut(i.redirects[k].file, i.redirects[k].line, fmt.Sprintf("a redirect: %s has the call that followed it", where))
		i.redirects = slices.Delete(i.redirects, k, k+1)
	}
}

// unfollowed keeps the redirects that no call followed.
func (i *importer) unfollowed() error {
	for _, r := range i.redirects {
		if err := i.keep(r.entry, r.line); err != nil {
			return err
		}
	}
	i.redirects = nil
	return nil
}

// workers tells the calls of a service worker from those of the pages that it answers. A browser's recording has both, and one alone
// was sent. A call that a worker makes of its own, such as one that it repeats later, is a send.
type workers struct {
	pages []sameCall // the latest
	held  []workerCall
}

// sameCall is by what two records of one call are known.
type sameCall struct {
	method, url, body string
	from, to          time.Time
	line              int
}

type workerCall struct {
	entry *entry
	call  sameCall
}

const (
	maxWorkers = 100         // calls of workers, and of pages, that wait for each other
	apart      = time.Second // how far apart a page's call and its worker's may begin
)

func sameCallOf(c *traffic.Call) sameCall {
	return sameCall{c.Method, c.URL, string(c.Body), c.At, c.At.Add(max(c.Latency, 0)), c.Line}
}

func (w *workers) page(s sameCall) {
	if len(s.body) > 1<<16 || s.from.IsZero() {
		return
	}
	if len(w.pages) == maxWorkers {
		w.pages = slices.Delete(w.pages, 0, 1)
	}
	w.pages = append(w.pages, s)
}

// answers reports whether a worker's call is that of a page.
func (w *sameCall) answers(page *sameCall) bool {
	return w.method == page.method && w.url == page.url && w.body == page.body &&
		!w.from.Before(page.from.Add(-apart)) && !w.from.After(page.to.Add(apart))
}

// onlyWorkers leaves out the calls of workers that a page's call stands for, one each, and keeps the others.
func (i *importer) onlyWorkers() error {
	pages, held := i.workers.pages, i.workers.held
	i.workers = workers{}
	for _, w := range held {
		k := slices.IndexFunc(pages, func(p sameCall) bool { return w.call.answers(&p) })
		if k < 0 {
			if err := i.keep(w.entry, w.call.line); err != nil {
				return err
			}
			continue
		}
		i.leaveOut(i.source.Name, w.call.line, fmt.Sprintf("a service worker's: line %d has the page's call that it answered", pages[k].line))
		pages = slices.Delete(pages, k, k+1)
	}
	return nil
}
