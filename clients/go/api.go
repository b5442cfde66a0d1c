package changefeed

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
)

// APIOptions say who asks.
type APIOptions struct {
	// Token is sent in a header; TokenFunc, where it is given, is asked before each request instead.
	Token     string
	TokenFunc TokenFunc
	// TLS is for a server whose certificate the system does not trust, or that wants one.
	TLS *tls.Config
}

// API asks a feed's server, one request a call, and tries nothing again. Any number of goroutines may use it.
//
// All methods fail with *Error: the server's reason; ErrUnreachable where nobody answered, or the answer broke off;
// ErrNotAFeed where something else answered. Where ctx or TokenFunc is what failed, the error is theirs.
type API struct{ caller *caller }

// NewAPI opens nothing. The error is *Error with ErrInvalidOption.
func NewAPI(url string, options APIOptions) (*API, error) {
	access, err := newAccess(url, options.Token, options.TokenFunc, options.TLS)
	if err != nil {
		return nil, err
	}
	return &API{newCaller(access)}, nil
}

// Close ends the connections that wait for another request; it ends none under way. The error is nil.
func (a *API) Close() error {
	a.caller.close()
	return nil
}

// Get is for the routes that have no method here (PROTOCOL.md, section 8): the answer's JSON goes into the value that
// into points to, as json.Unmarshal has it.
//
//	var about map[string]any
//	err := api.Get(ctx, "/v1/about", nil, &about)
func (a *API) Get(ctx context.Context, path string, query url.Values, into any) error {
	asked := request{method: http.MethodGet, path: path, accept: "application/json"}
	for name, values := range query {
		asked.query.addList(name, values)
	}
	response, body, err := a.caller.read(ctx, asked)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		if isKindMismatch(err) {
			return err
		}
		return a.caller.notWhatWasAsked(response, body)
	}
	return nil
}

// Event is the one event with this cursor.
func (a *API) Event(ctx context.Context, cursor string) (*Event, error) {
	asked := request{method: http.MethodGet, path: "/v1/events/" + url.PathEscape(cursor)}
	response, body, err := a.caller.read(ctx, asked)
	if err != nil {
		return nil, err
	}
	return a.event(response, body)
}

// Data is the whole data of an event that was too large for it: one with a DataRef.
func (a *API) Data(ctx context.Context, cursor string) (json.RawMessage, error) {
	var data json.RawMessage
	err := a.Get(ctx, "/v1/data/"+url.PathEscape(cursor), nil, &data)
	return data, err
}

// Consumer is a cursor that the server keeps under a name.
type Consumer struct {
	Name   string `json:"name"`
	Cursor string `json:"cursor"`
	// UpdatedAt is RFC 3339: when the cursor moved last.
	UpdatedAt string `json:"updatedAt"`
	// Behind is how many events are after it; nil where it is of another epoch.
	Behind *int `json:"behind"`
	// Owner is whose token made it; "" where it has no owner.
	Owner string `json:"owner"`
}

// Consumers are yours.
func (a *API) Consumers(ctx context.Context) ([]Consumer, error) {
	var answer struct{ Consumers []Consumer }
	err := a.Get(ctx, "/v1/consumers", nil, &answer)
	return answer.Consumers, err
}

// Consumer is the one of this name.
func (a *API) Consumer(ctx context.Context, name string) (Consumer, error) {
	var consumer Consumer
	err := a.Get(ctx, "/v1/consumers/"+url.PathEscape(name), nil, &consumer)
	return consumer, err
}

// DeleteConsumer has the server forget the one of this name.
func (a *API) DeleteConsumer(ctx context.Context, name string) error {
	asked := request{method: http.MethodDelete, path: "/v1/consumers/" + url.PathEscape(name)}
	_, _, err := a.caller.read(ctx, asked)
	return err
}

func (a *API) event(response *http.Response, text []byte) (*Event, error) {
	message, ok := parseMessage(text)
	if !ok {
		return nil, a.caller.notWhatWasAsked(response, text)
	}
	return message.event(), nil
}
