package providers

import (
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/internal/source"
)

// Deployments lists the names of the [deployment] tables: places where the same provider speaks with other words, codes
// or units.
func (c *Catalog) Deployments() []string { return slices.Sorted(maps.Keys(c.deployments)) }

// Deployment returns the catalogue of one of the [Catalog.Deployments]: this one, with what the deployment says
// over it.
func (c *Catalog) Deployment(name string) (*Catalog, bool) {
	d, ok := c.deployments[name]
	return d, ok
}

// origin is a file with [deployment] tables.
type origin struct {
	file     string
	data     []byte
	embedded bool
}

// deployed reads the [deployment.NAME] tables. Those that are inherited are read once more, over the catalogue as it is
// now; they are parsed anew, since reading marks a table, and an embedded catalogue is shared.
func (l *loader) deployed(root source.Table, own origin) {
	l.c.deployments = map[string]*Catalog{}
	for _, o := range l.c.read.deployments {
		if doc, err := source.Parse(o.file, o.data); err == nil { // as it was before
			l.layDeployments(doc.Root(), o.embedded)
		}
	}
	if root.Has("deployment") {
		l.layDeployments(root, own.embedded)
		l.c.read.deployments = append(slices.Clone(l.c.read.deployments), own)
	}
}

// layDeployments lays each deployment of a file over what is known of it, or over the catalogue.
func (l *loader) layDeployments(root source.Table, embedded bool) {
	t, ok := root.Table(l.errs, "deployment")
	if !ok {
		return
	}
	for _, name := range t.Keys() {
		if sub, ok := t.Table(l.errs, name); ok {
			base := l.c.deployments[name]
			if base == nil {
				base = l.c
			}
			l.c.deployments[name] = l.deployment(base, name, sub, embedded)
		}
	}
}

// deployment lays a deployment's table over a catalogue.
func (l *loader) deployment(base *Catalog, name string, t source.Table, embedded bool) *Catalog {
	d := &loader{errs: l.errs, embedded: embedded}
	d.inherit(base)
	d.c.deployments, d.c.read.deployments = nil, nil
	d.c.digest = sha256.Sum256(append(base.digest[:], name...))
	d.body(t)
	t.Done(l.errs)
	return d.c
}
