package changefeed

import (
	"encoding/json"
	"strings"
	"time"
)

// Item is whatever a subscription gives: *Event; *Gap; with Snapshot also *SnapshotMark and *SnapshotObject; with Notices
// also *Bookmark, *Connected and *Disconnected. A type switch tells them apart. A later version may give others: ignore
// what you do not know.
type Item interface {
	// OriginalText is the item's JSON as the server sent it, byte for byte; "" of the client's own notices.
	OriginalText() string
}

// CloudEvent has the attributes that events and objects of a snapshot share.
type CloudEvent struct {
	// ID is the same for the same change, whoever saw it: deduplicate by it.
	ID string
	// Source is nomad://<cluster>/<region>
	Source string
	// Type is as "nomad.allocation.updated".
	Type string
	// Subject is <resource>/<namespace>/<key>; of a control event feed/<resource>/<namespace>, or "feed".
	Subject string
	// Time is when it happened, as far as Nomad says; else when it was seen.
	Time time.Time
	// RecordedTime is when the feed saw it.
	RecordedTime time.Time
	Severity     Severity
	// Data is the JSON of the attribute data.
	Data json.RawMessage

	text []byte
}

// OriginalText is the JSON as the server sent it, byte for byte.
func (e *CloudEvent) OriginalText() string { return string(e.text) }

// Event is an event of the log, also of a type that only a newer server knows.
type Event struct {
	CloudEvent
	// Cursor leads on after this event.
	Cursor string
	// Sequence is the contiguous number in the feed, 16 digits.
	Sequence string
	// DataRef is where the whole data is, where the event was too large to hold it. API.Data reads it.
	DataRef string
	// Change is Data, parsed; nil of control events ("nomad.feed.…"), which say something about the feed itself.
	Change *Change
}

// SnapshotObject is an object of a snapshot or a state, as it is at the cursor of that.
type SnapshotObject struct {
	CloudEvent
	Resource Resource
	Rev      Rev
	// Signals are those that the object's present state has.
	Signals []string
	// After is the list stub as Nomad sent it, byte for byte; nil with another payload than full.
	After json.RawMessage
	// Redacted are the JSON Pointers within data where "[redacted]" stands.
	Redacted []string
}

// SnapshotMark stands before and after the objects of a snapshot, which replaces what one held of them.
type SnapshotMark struct {
	frame
	// Phase is "begin" or "end".
	Phase  string `json:"phase"`
	Cursor string `json:"cursor"`
	// Count of the objects, at the end.
	Count int `json:"count"`
}

// Gap says that events that were asked for are gone; the next ones follow Cursor.
type Gap struct {
	frame
	// Reason is "expired", "epoch-changed" or "missing".
	Reason string `json:"reason"`
	Wanted string `json:"wanted"`
	Cursor string `json:"cursor"`
	// Missed counts them, where the server can; else it is nil.
	Missed *int `json:"missed"`
}

// Bookmark says that everything up to Cursor came or did not match.
type Bookmark struct {
	frame
	Cursor string `json:"cursor"`
}

// Connected is a notice of the client's own: a feed has answered.
type Connected struct {
	notice
	// Again is false the first time.
	Again bool
	// Cursor is where the stream starts.
	Cursor string `json:"cursor"`
	// Feed is nomad://<cluster>/<region>
	Feed  string `json:"feed"`
	Epoch string `json:"epoch"`
	// Gap says that a gap follows.
	Gap bool `json:"gap"`
}

// Disconnected is a notice of the client's own: the connection was lost, or could not be made.
type Disconnected struct {
	notice
	Reason  string
	RetryIn time.Duration
	// Unreachable: there was no connection to lose.
	Unreachable bool
}

type frame struct{ text []byte }

// OriginalText is the JSON as the server sent it, byte for byte.
func (f *frame) OriginalText() string { return string(f.text) }

type notice struct{}

// OriginalText is "": no server sent it.
func (notice) OriginalText() string { return "" }

// IsAbout tells whether an item is about an object of this kind ("jobs"), as a change or in a snapshot.
func IsAbout(item Item, resource string) bool {
	switch item := item.(type) {
	case *Event:
		return item.Change != nil && item.Change.Resource.Type == resource
	case *SnapshotObject:
		return item.Resource.Type == resource
	}
	return false
}

// One message of a stream, or one event of a page.
type message struct {
	ID           string          `json:"id"`
	Source       string          `json:"source"`
	Type         string          `json:"type"`
	Subject      string          `json:"subject"`
	Time         string          `json:"time"`
	RecordedTime string          `json:"recordedtime"`
	Severity     Severity        `json:"severitytext"`
	Cursor       string          `json:"cursor"`
	Sequence     string          `json:"sequence"`
	DataRef      string          `json:"dataref"`
	Data         json.RawMessage `json:"data"`

	text []byte
}

// False where it is no JSON object with a type.
func parseMessage(text []byte) (message, bool) {
	parsed := message{text: text}
	if err := json.Unmarshal(text, &parsed); err != nil && !isKindMismatch(err) {
		return message{}, false
	}
	return parsed, parsed.Type != ""
}

func (m message) cloudEvent() CloudEvent {
	return CloudEvent{
		ID: m.ID, Source: m.Source, Type: m.Type, Subject: m.Subject,
		Time: parseTime(m.Time), RecordedTime: parseTime(m.RecordedTime),
		Severity: m.Severity, Data: m.Data, text: m.text,
	}
}

func (m message) event() *Event {
	event := &Event{CloudEvent: m.cloudEvent(), Cursor: m.Cursor, Sequence: m.Sequence, DataRef: m.DataRef}
	if strings.HasPrefix(m.Type, "nomad.") && !strings.HasPrefix(m.Type, "nomad.feed.") {
		event.Change = parseChange(m.Data)
	}
	return event
}

func (m message) object() *SnapshotObject {
	object := &SnapshotObject{CloudEvent: m.cloudEvent()}
	if known := parseChange(m.Data); known != nil {
		object.Resource, object.Rev, object.Signals = known.Resource, known.Rev, known.Signals
		object.After, object.Redacted = known.After, known.Redacted
	}
	return object
}

func parseChange(data json.RawMessage) *Change {
	change := &Change{}
	if err := json.Unmarshal(data, change); err != nil && !isKindMismatch(err) {
		return nil
	}
	return change
}

// The zero time where there is none.
func parseTime(text string) time.Time {
	// Where it is none, the error says so, and the time is zero.
	at, _ := time.Parse(time.RFC3339Nano, text)
	return at
}
