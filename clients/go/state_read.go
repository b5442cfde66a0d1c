package changefeed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// StateQuery are the parameters of a state: PROTOCOL.md, section 10. A nil list allows everything.
type StateQuery struct {
	Types      []string `json:"types,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
	Subjects   []string `json:"subjects,omitempty"`
	Filter     []string `json:"filter,omitempty"`
	// At is an RFC 3339 time, an age or a cursor; "": now.
	At string `json:"at,omitempty"`
}

const ndjson = "application/x-ndjson"

// State reads the objects as they are, or were. Close what it gives.
func (a *API) State(ctx context.Context, query StateQuery) (*StateRead, error) {
	var all pairs
	all.addList("types", query.Types)
	all.addList("namespaces", query.Namespaces)
	all.addList("subjects", query.Subjects)
	for _, expression := range query.Filter {
		all.add("filter", expression)
	}
	all.set("at", query.At)
	asked := request{method: http.MethodGet, path: "/v1/state", query: all, accept: ndjson}
	response, err := a.caller.ask(ctx, asked)
	if err != nil {
		return nil, err
	}
	cursor := response.Header.Get("X-Changefeed-Cursor")
	if cursor == "" || !strings.HasPrefix(response.Header.Get("Content-Type"), ndjson) {
		defer response.Body.Close()
		return nil, a.caller.notWhatWasAsked(response, nil)
	}
	return &StateRead{ctx: ctx, caller: a.caller, response: response, lines: bufio.NewReader(response.Body), cursor: cursor}, nil
}

// StateRead gives the objects as the server sends them:
//
//	for state.Next() {
//		object := state.Object()
//	}
//	err := state.Err()
//
// Read it soon: the server waits a minute for a reader. What ends without an error was whole.
type StateRead struct {
	ctx      context.Context
	caller   *caller
	response *http.Response
	lines    *bufio.Reader
	cursor   string
	object   *SnapshotObject
	err      error
}

// Cursor is where the objects are true: events after it change them.
func (s *StateRead) Cursor() string { return s.cursor }

// Next reads one object, and says whether there is one.
func (s *StateRead) Next() bool {
	if s.err == nil {
		s.object, s.err = s.read()
	}
	return s.err == nil
}

// Object is what Next found.
func (s *StateRead) Object() *SnapshotObject { return s.object }

// Err is why there are no more, if not because that was all.
func (s *StateRead) Err() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// Close ends the request. The error is nil.
func (s *StateRead) Close() error {
	// What was read is read.
	_ = s.response.Body.Close()
	return nil
}

func (s *StateRead) read() (*SnapshotObject, error) {
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil && !(errors.Is(err, io.EOF) && len(line) > 0) {
			if err == io.EOF {
				return nil, io.EOF
			}
			return nil, s.caller.unreachable(s.ctx, err)
		}
		text := bytes.TrimRight(line, "\n")
		if len(text) == 0 {
			continue
		}
		message, ok := parseMessage(text)
		if !ok {
			return nil, s.caller.notWhatWasAsked(s.response, text)
		}
		if message.Type == "nomad.feed.error" {
			return nil, brokenOff(parseProblem(message.Data))
		}
		return message.object(), nil
	}
}

// As the answer would have been, had it not begun: close codes from 4400 are statuses plus 4000.
func brokenOff(said problem) *Error {
	failure := said.asError(Reason(firstOf(said.Code, "INTERNAL")), "The state broke off")
	failure.Status = http.StatusServiceUnavailable
	if said.CloseCode >= 4400 {
		failure.Status = said.CloseCode - firstFeedClose
	}
	failure.Retryable = failure.Status == http.StatusTooManyRequests || failure.Status >= 500
	return failure
}
