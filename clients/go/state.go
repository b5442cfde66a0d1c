package changefeed

import (
	"encoding/json"
	"sort"
)

// NomadObject is one of Nomad's objects as the feed last saw it.
type NomadObject struct {
	Resource Resource
	// Stub is the list stub as Nomad sent it, byte for byte.
	Stub json.RawMessage
	// Rev is the Raft index of this version; compare with !=, never with >.
	Rev string
}

// StateChange has no Before where the object is new, and no After where it is gone.
type StateChange struct {
	// Subject is <resource>/<namespace>/<key>.
	Subject       string
	Before, After *NomadObject
}

// IncompleteObject is an object whose newest version was too large for its event, and could not be fetched.
type IncompleteObject struct {
	Subject string
	Reason  string
}

// Objects by subject, from a snapshot and the changes after it. A new snapshot replaces all, at its end.
type stateFold struct {
	objects map[string]NomadObject
	// While a snapshot comes: its objects, in the order in which they came.
	incoming map[string]NomadObject
	order    []string
}

func newStateFold() stateFold { return stateFold{objects: map[string]NomadObject{}} }

// What the item changes.
func (f *stateFold) take(item Item) []StateChange {
	switch item := item.(type) {
	case *SnapshotMark:
		if item.Phase == "end" {
			return f.replace()
		}
		f.incoming, f.order = map[string]NomadObject{}, nil
	case *SnapshotObject:
		return f.put(item.Subject, objectOf(item.Resource, item.Rev, item.After))
	case *Event:
		if item.Change != nil {
			return f.put(item.Subject, objectOf(item.Change.Resource, item.Change.Rev, item.Change.After))
		}
	}
	return nil
}

func (f *stateFold) put(subject string, after *NomadObject) []StateChange {
	if f.incoming == nil {
		change := f.set(subject, after)
		// What was not there and is not there is no change.
		if change.Before == nil && change.After == nil {
			return nil
		}
		return []StateChange{change}
	}
	if after != nil {
		if _, known := f.incoming[subject]; !known {
			f.order = append(f.order, subject)
		}
		f.incoming[subject] = *after
	}
	return nil
}

func (f *stateFold) replace() []StateChange {
	incoming, order := f.incoming, f.order
	f.incoming, f.order = nil, nil
	if incoming == nil {
		return nil
	}
	var changes []StateChange
	for _, subject := range f.missingIn(incoming) {
		changes = append(changes, f.set(subject, nil))
	}
	for _, subject := range order {
		after := incoming[subject]
		if change := f.set(subject, &after); !change.isNone() {
			changes = append(changes, change)
		}
	}
	return changes
}

// In the order of their names.
func (f *stateFold) missingIn(incoming map[string]NomadObject) []string {
	var missing []string
	for subject := range f.objects {
		if _, stays := incoming[subject]; !stays {
			missing = append(missing, subject)
		}
	}
	sort.Strings(missing)
	return missing
}

func (f *stateFold) set(subject string, after *NomadObject) StateChange {
	change := StateChange{Subject: subject, After: after}
	if before, known := f.objects[subject]; known {
		change.Before = &before
	}
	if after == nil {
		delete(f.objects, subject)
	} else {
		f.objects[subject] = *after
	}
	return change
}

// A stub can change while its rev stays: Nomad gives some fields no index.
func (c StateChange) isNone() bool {
	return c.Before != nil && c.After != nil && c.Before.Rev == c.After.Rev && sameJSON(c.Before.Stub, c.After.Stub)
}

// nil where there is none any more.
func objectOf(resource Resource, rev Rev, after json.RawMessage) *NomadObject {
	if len(after) == 0 || string(after) == "null" {
		return nil
	}
	return &NomadObject{Resource: resource, Stub: after, Rev: rev.Current}
}
