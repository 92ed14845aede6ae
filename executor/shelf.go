package executor

// shelf holds the flows that are in memory. It is a list, for adding to it and taking away
// cost next to nothing, with an index by id where there is a journal and many ask by id.
type shelf struct {
	first *run
	n     int
	byID  map[string]*run // nil: the list is looked through
}

// add puts a flow on the shelf, unless it is there.
func (s *shelf) add(r *run) {
	if r.shelved {
		return
	}
	r.shelved, r.nextOn = true, s.first
	if s.first != nil {
		s.first.prevOn = r
	}
	s.first = r
	s.n++
	if s.byID != nil {
		s.byID[r.id] = r
	}
}

// remove takes a flow off the shelf and reports whether it was there.
func (s *shelf) remove(r *run) bool {
	if !r.shelved {
		return false
	}
	if r.prevOn != nil {
		r.prevOn.nextOn = r.nextOn
	} else {
		s.first = r.nextOn
	}
	if r.nextOn != nil {
		r.nextOn.prevOn = r.prevOn
	}
	r.shelved, r.prevOn, r.nextOn = false, nil, nil
	s.n--
	if s.byID != nil && s.byID[r.id] == r {
		delete(s.byID, r.id)
	}
	return true
}

// get finds a flow by its id; nil: it is not here.
func (s *shelf) get(id string) *run {
	found := s.byID[id]
	if s.byID == nil {
		for found = s.first; found != nil && found.id != id; {
			found = found.nextOn
		}
	}
	if found != nil {
		found.shared = true
	}
	return found
}

// all yields every flow. From then on somebody else has it in hand.
func (s *shelf) all(yield func(*run) bool) {
	for r := s.first; r != nil; r = r.nextOn {
		r.shared = true
		if !yield(r) {
			return
		}
	}
}
