package changefeed

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
)

// Order of a page.
type Order string

// Of events the default is OldestFirst, of the history NewestFirst.
const (
	OldestFirst Order = "oldest-first"
	NewestFirst Order = "newest-first"
)

// EventsQuery are the parameters of a page: PROTOCOL.md, sections 3 and 4. A nil list allows everything.
type EventsQuery struct {
	Types       []string `json:"types,omitempty"`
	Namespaces  []string `json:"namespaces,omitempty"`
	Ops         []Op     `json:"ops,omitempty"`
	Aspects     []Aspect `json:"aspects,omitempty"`
	Signals     []string `json:"signals,omitempty"`
	Subjects    []string `json:"subjects,omitempty"`
	MinSeverity Severity `json:"minSeverity,omitempty"`
	Filter      []string `json:"filter,omitempty"`
	Payload     Payload  `json:"payload,omitempty"`
	// Since and Until are RFC 3339 times or ages.
	Since  string `json:"since,omitempty"`
	Until  string `json:"until,omitempty"`
	Order  Order  `json:"order,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	// Limit is the most events of a page, 1 to 1000; 0: 100.
	Limit int `json:"limit,omitempty"`
	// OnExpired is ExpiredFail or ExpiredEarliest.
	OnExpired Expired `json:"onexpired,omitempty"`
	// Consumer has the page begin where the server's cursor of that name is.
	Consumer string `json:"consumer,omitempty"`
}

// EventPage is a page of events.
type EventPage struct {
	// Events are in the order that was asked for.
	Events []*Event
	// Cursor is how far the page got.
	Cursor string
	// Head is the end of the feed: with NewestFirst, where a page begins that has neither Cursor nor Until.
	Head string
	// Floor is the cursor up to which retention has removed the events.
	Floor string
	// HasGap: events that were asked for are gone.
	HasGap bool
	// Next is the query of the page that follows; nil: there is nothing more. Oldest first there always is one without
	// Until: events may come. A page may be empty and have one.
	Next *EventsQuery
}

// HistoryQuery are the parameters of a page of the history: PROTOCOL.md, section 11. All that are given must hold.
type HistoryQuery struct {
	Subject     string   `json:"subject,omitempty"`
	Job         string   `json:"job,omitempty"`
	Node        string   `json:"node,omitempty"`
	Namespace   string   `json:"namespace,omitempty"`
	Signal      string   `json:"signal,omitempty"`
	MinSeverity Severity `json:"minSeverity,omitempty"`
	// Since and Until are RFC 3339 times or ages.
	Since string `json:"since,omitempty"`
	Until string `json:"until,omitempty"`
	Order Order  `json:"order,omitempty"`
	// Limit is the most events of a page, 1 to 1000; 0: 100.
	Limit  int    `json:"limit,omitempty"`
	Cursor string `json:"cursor,omitempty"`
}

// HistoryPage is a page of an object, a job, a node or a namespace.
type HistoryPage struct {
	Events []*Event
	// Cursor is how far the page got.
	Cursor string
	// Floor is the cursor up to which retention has removed the events.
	Floor string
	// Next is the query of the page that follows; nil: there is nothing more. A page may be empty and have one.
	Next *HistoryQuery
}

// Events reads one page of events.
func (a *API) Events(ctx context.Context, query EventsQuery) (*EventPage, error) {
	read, err := a.page(ctx, "/v1/events", query.pairs())
	if err != nil {
		return nil, err
	}
	page := &EventPage{
		Events: read.events, Cursor: read.cursor, Head: read.header.Get("X-Changefeed-Head"),
		Floor: read.header.Get("X-Changefeed-Floor"), HasGap: read.header.Get("X-Changefeed-Gap") == "true",
	}
	if following, ok := followingOf(read.header); ok {
		next := query
		next.Consumer = ""
		// What says where it goes on and where it ends, as the server says it: ages are times there.
		next.Cursor, next.Since, next.Until = following.Get("cursor"), following.Get("since"), following.Get("until")
		page.Next = &next
	}
	return page, nil
}

// History reads one page of the history, newest first by default.
func (a *API) History(ctx context.Context, query HistoryQuery) (*HistoryPage, error) {
	read, err := a.page(ctx, "/v1/history", query.pairs())
	if err != nil {
		return nil, err
	}
	page := &HistoryPage{Events: read.events, Cursor: read.cursor, Floor: read.header.Get("X-Changefeed-Floor")}
	if _, ok := followingOf(read.header); ok {
		next := query
		next.Cursor = read.cursor
		page.Next = &next
	}
	return page, nil
}

func (q EventsQuery) pairs() pairs {
	var all pairs
	all.addList("types", q.Types)
	all.addList("namespaces", q.Namespaces)
	all.addList("ops", texts(q.Ops))
	all.addList("aspects", texts(q.Aspects))
	all.addList("signals", q.Signals)
	all.addList("subjects", q.Subjects)
	for _, expression := range q.Filter {
		all.add("filter", expression)
	}
	all.set("minSeverity", string(q.MinSeverity))
	all.set("payload", string(q.Payload))
	all.set("since", q.Since)
	all.set("until", q.Until)
	all.set("order", string(q.Order))
	all.set("cursor", q.Cursor)
	all.setNumber("limit", q.Limit)
	all.set("onexpired", string(q.OnExpired))
	all.set("consumer", q.Consumer)
	return all
}

func (q HistoryQuery) pairs() pairs {
	var all pairs
	for _, one := range []pair{
		{"subject", q.Subject}, {"job", q.Job}, {"node", q.Node}, {"namespace", q.Namespace}, {"signal", q.Signal},
		{"minSeverity", string(q.MinSeverity)}, {"since", q.Since}, {"until", q.Until}, {"order", string(q.Order)},
		{"cursor", q.Cursor},
	} {
		all.set(one.name, one.value)
	}
	all.setNumber("limit", q.Limit)
	return all
}

type pageRead struct {
	events []*Event
	cursor string
	header http.Header
}

// A page is `[`, the events with a comma and a newline between them, and `]`; an event is one line.
func (a *API) page(ctx context.Context, path string, query pairs) (pageRead, error) {
	response, body, err := a.caller.read(ctx, request{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return pageRead{}, err
	}
	read := pageRead{cursor: response.Header.Get("X-Changefeed-Cursor"), header: response.Header}
	list := bytes.TrimSpace(body)
	if read.cursor == "" || len(list) < 2 || list[0] != '[' {
		return pageRead{}, a.caller.notWhatWasAsked(response, body)
	}
	for _, text := range bytes.Split(list[1:len(list)-1], []byte(",\n")) {
		if len(text) == 0 {
			continue
		}
		event, err := a.event(response, text)
		if err != nil {
			return pageRead{}, err
		}
		read.events = append(read.events, event)
	}
	return read, nil
}

var nextLink = regexp.MustCompile(`^<\?(.*)>; rel="next"$`)

// The parameters of the next page, where there is one.
func followingOf(header http.Header) (url.Values, bool) {
	link := nextLink.FindStringSubmatch(header.Get("Link"))
	if link == nil {
		return nil, false
	}
	following, err := url.ParseQuery(link[1])
	return following, err == nil
}
