package executor

import "sync"

// flowLock guards a flow. It is never held over the journal's I/O: the goroutine that writes gives it away
// meanwhile, and keeps others from changing the flow until it has the outcome. They may look.
type flowLock struct {
	sync.Mutex               // held for moments only
	idle       chan struct{} // closed when the write is over; nil: nothing is written
}

// Lock waits until nothing is written, and locks. A journal that stalls keeps it waiting: use it only
// where that does not keep a caller.
func (l *flowLock) Lock() {
	l.Mutex.Lock()
	for l.idle != nil {
		idle := l.idle
		l.Mutex.Unlock()
		<-idle
		l.Mutex.Lock()
	}
}

// TryLock locks if nothing is written.
func (l *flowLock) TryLock() bool {
	l.Mutex.Lock()
	if l.idle != nil {
		l.Mutex.Unlock()
		return false
	}
	return true
}

// Look locks for a goroutine that only reads the flow, or that counts those who wait for it. Unlock ends it.
func (l *flowLock) Look() { l.Mutex.Lock() }

// during runs a write without the lock, which the caller holds before and after.
func (l *flowLock) during(write func()) {
	idle := make(chan struct{})
	l.idle = idle
	l.Mutex.Unlock()
	defer func() { // a store may panic, or end its goroutine
		l.Mutex.Lock()
		l.idle = nil
		close(idle)
	}()
	write()
}
