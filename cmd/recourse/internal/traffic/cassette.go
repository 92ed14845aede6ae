package traffic

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// readCassette reads the cassettes of go-vcr, Ruby's VCR and vcrpy, as YAML or JSON.
func readCassette(s *Source, v *Visitor) error {
	data, err := wholeOf(s.text)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return yamlError(s, err)
	}
	list := at(&doc, "http_interactions")
	if list == nil {
		list = at(&doc, "interactions")
	}
	if list == nil || list.Kind != yaml.SequenceNode {
		return errors.New("no list of interactions is in it")
	}
	for _, n := range list.Content {
		c, why := interaction(n)
		if why != "" {
			v.Skip(n.Line, why)
			continue
		}
		c.Line, s.line = n.Line, n.Line
		if err := v.Call(c); err != nil {
			return err
		}
	}
	return nil
}

// yamlError puts the line that the parser names before its error.
func yamlError(s *Source, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, what, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				return &PlaceError{File: s.Name, Line: n, Err: errors.New(what)}
			}
		}
	}
	return errors.New(text)
}

// at is the node below names; nil where there is none. Aliases are followed.
func at(n *yaml.Node, names ...string) *yaml.Node {
	n = target(n)
	if n != nil && n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = target(n.Content[0])
	}
	for _, name := range names {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				next = target(n.Content[i+1])
				break
			}
		}
		n = next
	}
	return n
}

func target(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// text is a scalar; empty where there is none, or null.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	if n.Tag == "!!binary" || n.Tag == "!binary" { // Ruby's Psych writes the second
		if raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), "")); err == nil {
			return string(raw)
		}
	}
	return n.Value
}

// bodyText is a body: a text, or an object that holds one (string, base64_string).
func bodyText(n *yaml.Node) ([]byte, error) {
	if n == nil {
		return nil, nil
	}
	if n.Kind == yaml.MappingNode {
		if packed := text(at(n, "base64_string")); packed != "" {
			return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(packed), ""))
		}
		n = at(n, "string")
	}
	return []byte(text(n)), nil
}

func interaction(n *yaml.Node) (c *Call, why string) {
	req, res := at(n, "request"), at(n, "response")
	if req == nil || res == nil {
		return nil, "broken: it has no request or no response"
	}
	c = &Call{
		Method: strings.ToUpper(text(at(req, "method"))), URL: firstOf(text(at(req, "url")), text(at(req, "uri"))),
		Header: headerNode(at(req, "headers")), ReplyHeader: headerNode(at(res, "headers")), Latency: -1,
	}
	if c.URL == "" {
		return nil, "broken: its request has no url or uri"
	}
	var err error
	if c.Body, err = bodyText(at(req, "body")); err != nil {
		return nil, "broken: its request's body: " + err.Error()
	}
	if form := at(req, "form"); len(c.Body) == 0 && form != nil && form.Kind == yaml.MappingNode { // go-vcr
		c.Body = []byte(formOf(form))
	}
	if c.Reply, err = bodyText(at(res, "body")); err != nil {
		return nil, "broken: its response's body: " + err.Error()
	}
	status := at(res, "status")
	code := firstOf(text(at(status, "code")), text(at(res, "code")), text(at(res, "status_code")), text(status))
	first, _, _ := strings.Cut(code, " ")
	if c.Status, err = strconv.Atoi(first); err != nil || c.Status < 100 || c.Status > 999 {
		return nil, "broken: its response has no status"
	}
	if d, err := time.ParseDuration(text(at(res, "duration"))); err == nil && d >= 0 {
		c.Latency = d
	}
	if recorded := text(at(n, "recorded_at")); recorded != "" {
		if c.Received, err = timeOf(recorded); err != nil {
			return nil, "broken: recorded_at: " + err.Error()
		}
		return c, ""
	}
	c.setDate()
	return c, ""
}

func formOf(n *yaml.Node) string {
	var parts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		values := target(n.Content[i+1])
		if values == nil {
			continue
		}
		for _, item := range append([]*yaml.Node{}, values.Content...) {
			parts = append(parts, pair(n.Content[i].Value, text(target(item))))
		}
	}
	return strings.Join(parts, "&")
}

func headerNode(n *yaml.Node) http.Header {
	h := http.Header{}
	if n == nil || n.Kind != yaml.MappingNode {
		return h
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, target(n.Content[i+1])
		switch {
		case value == nil:
		case value.Kind == yaml.SequenceNode:
			for _, item := range value.Content {
				h.Add(name, text(target(item)))
			}
		default:
			h.Add(name, text(value))
		}
	}
	return h
}
