package imports

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
)

// stub is a call of a file that is one of many: WireMock stores a file for each call, under names that say nothing of their order.
type stub struct {
	source *traffic.Source
	call   *traffic.Call
}

// putStubs takes the stubs that were read, folder by folder, in the order of their calls as far as it is known.
func (i *importer) putStubs(ctx context.Context) error {
	all := i.stubs
	i.stubs = nil
	folder := func(s *stub) string { return filepath.Dir(s.source.Name) }
	slices.SortStableFunc(all, func(a, b stub) int { return strings.Compare(folder(&a), folder(&b)) })
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(s stub) bool { return folder(&s) != folder(&all[0]) })
		if n < 0 {
			n = len(all)
		}
		if err := i.putFolder(ctx, folder(&all[0]), all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (i *importer) putFolder(ctx context.Context, folder string, stubs []stub) error {
	oneList, name := true, stubs[0].source.Name
	sources, calls := map[*traffic.Call]*traffic.Source{}, make([]*traffic.Call, len(stubs))
	for k, s := range stubs {
		calls[k], sources[s.call] = s.call, s.source
		if s.source != stubs[0].source {
			oneList, name = false, folder
		}
	}
	known := traffic.InCallOrder(calls, oneList)
	i.scope, i.clock, i.times = folder, clock{unordered: !known}, false
	first := i.seq
	for _, c := range calls {
		i.source = sources[c]
		if err := errors.Join(i.call(c), ctx.Err()); err != nil {
			return err
		}
	}
	err := i.unfollowed()
	i.read(name, &i.source.Format, i.seq-first)
	return err
}
