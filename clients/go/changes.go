package changefeed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrOtherVersion: the changes are not of this version of the object.
var ErrOtherVersion = errors.New("changefeed: the changes are of another version of the object")

// ApplyChanges makes the stub after an update from the one before it and the event's Change.Changes. They must be all of
// them: Change.ChangesTruncated is 0 then. What does not change keeps its bytes, numbers every digit; neither argument is
// modified. The error is ErrOtherVersion where they do not belong together.
func ApplyChanges(before json.RawMessage, changes []JSONChange) (json.RawMessage, error) {
	value := newNode(before)
	for _, change := range changes {
		if err := value.step(change.Path, change.From, change.To); err != nil {
			return nil, err
		}
	}
	return value.object()
}

// UndoChanges makes the stub before an update from the one after it: ApplyChanges the other way round.
func UndoChanges(after json.RawMessage, changes []JSONChange) (json.RawMessage, error) {
	value := newNode(after)
	for at := len(changes) - 1; at >= 0; at-- {
		if err := value.step(changes[at].Path, changes[at].To, changes[at].From); err != nil {
			return nil, err
		}
	}
	return value.object()
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// Turns the member at path from old into new; nil stands for one that is not there.
func (n *node) step(path string, old, new json.RawMessage) error {
	names := strings.Split(path, "/")[1:]
	if path == "" {
		names = nil
	} else if path[0] != '/' {
		return fmt.Errorf("%w: %q is no JSON Pointer", ErrOtherVersion, path)
	}
	parent := n
	for at, name := range names {
		name = unescape.Replace(name)
		if at == len(names)-1 {
			return parent.change(name, old, new)
		}
		child, err := parent.child(name)
		if err != nil {
			return err
		}
		parent = child
	}
	if !n.is(old) {
		return ErrOtherVersion
	}
	*n = *newNode(new)
	return nil
}

func (n *node) child(name string) (*node, error) {
	if err := n.open(); err != nil {
		return nil, err
	}
	at := n.find(name)
	if at < 0 {
		return nil, fmt.Errorf("%w: there is no member %q", ErrOtherVersion, name)
	}
	return n.kids[at].value, nil
}

func (n *node) change(name string, old, new json.RawMessage) error {
	if err := n.open(); err != nil {
		return err
	}
	at := n.find(name)
	if old == nil && n.kind == list {
		return n.insert(name, new)
	}
	if at < 0 {
		if old != nil || n.kind == scalar {
			return fmt.Errorf("%w: there is no member %q to change", ErrOtherVersion, name)
		}
		n.kids = append(n.kids, kid{name, newNode(new)})
		return nil
	}
	if !n.kids[at].value.is(old) {
		return ErrOtherVersion
	}
	if new == nil {
		n.kids = append(n.kids[:at], n.kids[at+1:]...)
	} else {
		// A member keeps its place among the others.
		n.kids[at].value = newNode(new)
	}
	return nil
}

func (n *node) insert(name string, new json.RawMessage) error {
	at, err := strconv.ParseUint(name, 10, 31)
	if err != nil || int(at) > len(n.kids) {
		return fmt.Errorf("%w: there is no element %s in an array of %d", ErrOtherVersion, name, len(n.kids))
	}
	n.kids = append(n.kids, kid{})
	copy(n.kids[at+1:], n.kids[at:])
	n.kids[at] = kid{value: newNode(new)}
	return nil
}
