package access

import (
	"sync"
	"sync/atomic"
)

// Live is the list of now, which is replaced while it is asked. [Live.Open] comes first.
type Live struct {
	now       atomic.Pointer[List]
	read      func() (*List, error)
	reloading sync.Mutex // so that what was read earlier replaces nothing newer
}

// Open reads the list, by a function that can read it again.
func (l *Live) Open(read func() (*List, error)) error {
	l.read = read
	return l.Reload()
}

// Reload reads the list again and puts it in the place of the old one, which stays where there is an error.
func (l *Live) Reload() error {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	next, err := l.read()
	if err != nil {
		return err
	}
	l.now.Store(next)
	return nil
}

// Now is the list of now.
func (l *Live) Now() *List { return l.now.Load() }
