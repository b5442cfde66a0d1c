package changefeed

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// A JSON value that is taken apart as far as it is looked at: the rest keeps its bytes.
type node struct {
	raw  json.RawMessage
	kind nodeKind
	// Once it was opened.
	kids   []kid
	isOpen bool
}

type kid struct {
	// Of an object's member.
	name  string
	value *node
}

type nodeKind int

const (
	scalar nodeKind = iota
	object
	list
)

// nil stands for what is not there.
func newNode(raw json.RawMessage) *node { return &node{raw: raw} }

// Takes it apart, once.
func (n *node) open() error {
	if n.isOpen {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(n.raw))
	begin, err := decoder.Token()
	if err != nil {
		return err
	}
	switch begin {
	case json.Delim('{'):
		n.kind = object
	case json.Delim('['):
		n.kind = list
	}
	for n.kind != scalar && decoder.More() {
		var kid kid
		if n.kind == object {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			// In an object it cannot be anything else.
			kid.name, _ = name.(string)
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return err
		}
		kid.value = newNode(raw)
		n.kids = append(n.kids, kid)
	}
	n.isOpen = true
	return nil
}

// The place of a member or element; -1 where there is none.
func (n *node) find(name string) int {
	if n.kind == list {
		at, err := strconv.ParseUint(name, 10, 31)
		if err != nil || int(at) >= len(n.kids) {
			return -1
		}
		return int(at)
	}
	for at, kid := range n.kids {
		if kid.name == name {
			return at
		}
	}
	return -1
}

// Whether it is worth the same; nil is nothing.
func (n *node) is(other json.RawMessage) bool { return other != nil && sameJSON(n.text(), other) }

// What it is now, if that is an object.
func (n *node) object() (json.RawMessage, error) {
	if err := n.open(); err != nil || n.kind != object {
		return nil, ErrOtherVersion
	}
	return n.text(), nil
}

func (n *node) text() json.RawMessage {
	if !n.isOpen || n.kind == scalar {
		return n.raw
	}
	var into bytes.Buffer
	n.write(&into)
	return into.Bytes()
}

func (n *node) write(into *bytes.Buffer) {
	if !n.isOpen || n.kind == scalar {
		into.Write(n.raw)
		return
	}
	brackets := "{}"
	if n.kind == list {
		brackets = "[]"
	}
	into.WriteByte(brackets[0])
	for at, kid := range n.kids {
		if at > 0 {
			into.WriteByte(',')
		}
		if n.kind == object {
			into.Write(quoted(kid.name))
			into.WriteByte(':')
		}
		kid.value.write(into)
	}
	into.WriteByte(brackets[1])
}

func quoted(text string) []byte {
	var into bytes.Buffer
	encoder := json.NewEncoder(&into)
	encoder.SetEscapeHTML(false)
	// A text is always JSON.
	_ = encoder.Encode(text)
	return bytes.TrimRight(into.Bytes(), "\n")
}
