package traffic

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

type postmanItem struct {
	Name     string          `json:"name"`
	Item     []postmanItem   `json:"item"`
	Request  json.RawMessage `json:"request"`
	Response []struct {
		Name     string          `json:"name"`
		Original json.RawMessage `json:"originalRequest"`
		Code     int             `json:"code"`
		Header   json.RawMessage `json:"header"`
		Body     *string         `json:"body"`
		Time     any             `json:"responseTime"`
	} `json:"response"`
}

type postmanRequest struct {
	Method string          `json:"method"`
	URL    json.RawMessage `json:"url"`
	Header json.RawMessage `json:"header"`
	Body   *struct {
		Mode string `json:"mode"`
		Raw  string `json:"raw"`
		Form []struct {
			Key      string `json:"key"`
			Value    string `json:"value"`
			Disabled bool   `json:"disabled"`
		} `json:"urlencoded"`
	} `json:"body"`
}

// readPostman reads the answers that were saved in a collection.
func readPostman(s *Source, v *Visitor) error {
	return items(s, "item", func(line int, raw json.RawMessage) error {
		var item postmanItem
		if err := json.Unmarshal(raw, &item); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		return item.visit(line, v)
	})
}

func (i *postmanItem) visit(line int, v *Visitor) error {
	for k := range i.Item {
		if err := i.Item[k].visit(line, v); err != nil {
			return err
		}
	}
	if len(i.Response) == 0 && len(i.Request) > 0 {
		v.Skip(line, "it has no saved answer: request "+shortened(i.Name))
		return nil
	}
	for k := range i.Response {
		r := &i.Response[k]
		request := r.Original
		if len(request) == 0 {
			request = i.Request
		}
		c, err := postmanCall(request)
		if err != nil {
			v.Skip(line, err.Error()+": answer "+shortened(r.Name))
			continue
		}
		if r.Code == 0 {
			v.Skip(line, "broken: it has no status: answer "+shortened(r.Name))
			continue
		}
		c.Line, c.Status, c.ReplyHeader = line, r.Code, postmanHeaders(r.Header)
		if r.Body != nil {
			c.Reply = []byte(*r.Body)
		}
		if ms, ok := r.Time.(float64); ok && ms >= 0 && ms < 1e9 {
			c.Latency = time.Duration(ms * float64(time.Millisecond))
		}
		c.setDate()
		if err := v.Call(c); err != nil {
			return err
		}
	}
	return nil
}

func postmanCall(raw json.RawMessage) (*Call, error) {
	c := &Call{Method: "GET", Latency: -1}
	if json.Unmarshal(raw, &c.URL) == nil { // a request may be its URL alone
		return c, nil
	}
	var r postmanRequest
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, errors.New(misfit(err))
	}
	if r.Method != "" {
		c.Method = strings.ToUpper(r.Method)
	}
	if json.Unmarshal(r.URL, &c.URL) != nil {
		c.URL = postmanURL(r.URL)
	}
	if c.URL == "" {
		return nil, errors.New("its request has no url")
	}
	if strings.Contains(c.URL, "{{") { // a variable stands for the host; the path is what counts
		if _, rest, ok := strings.Cut(c.URL, "}}"); ok && strings.HasPrefix(c.URL, "{{") {
			c.URL = "https://variable" + rest
		}
	}
	c.Header = postmanHeaders(r.Header)
	if b := r.Body; b != nil {
		switch b.Mode {
		case "urlencoded":
			var parts []string
			for _, f := range b.Form {
				if !f.Disabled {
					parts = append(parts, pair(f.Key, f.Value))
				}
			}
			c.Body = []byte(strings.Join(parts, "&"))
		default:
			c.Body = []byte(b.Raw)
		}
	}
	return c, nil
}

// postmanURL reads a url in parts. The text of the whole is not always there.
func postmanURL(raw json.RawMessage) string {
	var u struct {
		Raw      string          `json:"raw"`
		Protocol string          `json:"protocol"`
		Host     json.RawMessage `json:"host"`
		Path     json.RawMessage `json:"path"`
		Query    []struct {
			Key      string `json:"key"`
			Value    string `json:"value"`
			Disabled bool   `json:"disabled"`
		} `json:"query"`
	}
	if json.Unmarshal(raw, &u) != nil || u.Raw != "" {
		return u.Raw
	}
	joined := func(raw json.RawMessage, by string) string {
		var parts []string
		if json.Unmarshal(raw, &parts) == nil {
			return strings.Join(parts, by)
		}
		return string(jsonBody(raw))
	}
	path := joined(u.Path, "/")
	if path == "" {
		return ""
	}
	var query []string
	for _, q := range u.Query {
		if !q.Disabled {
			query = append(query, pair(q.Key, q.Value))
		}
	}
	whole := firstOf(u.Protocol, "https") + "://" + joined(u.Host, ".") + "/" + strings.TrimPrefix(path, "/")
	if host := joined(u.Host, "."); strings.HasPrefix(host, "{{") {
		whole = host + "/" + strings.TrimPrefix(path, "/")
	}
	if len(query) > 0 {
		whole += "?" + strings.Join(query, "&")
	}
	return whole
}

// postmanHeaders reads a list of headers. Old collections have them as one text.
func postmanHeaders(raw json.RawMessage) http.Header {
	h := http.Header{}
	var list []struct {
		Key      string `json:"key"`
		Value    string `json:"value"`
		Disabled bool   `json:"disabled"`
	}
	if json.Unmarshal(raw, &list) == nil {
		for _, p := range list {
			if !p.Disabled {
				h.Add(p.Key, p.Value)
			}
		}
		return h
	}
	for line := range strings.Lines(string(jsonBody(raw))) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return h
}
