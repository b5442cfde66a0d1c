package changefeed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// How often what was too large for its event is tried to be fetched.
const wholeTries = 3

// Fetches what was too large for its event. Where that fails again and again, each is tried once, to hold up nobody.
type wholeItems struct {
	caller      *caller
	retry       *retry
	isReachable bool
}

func newWholeItems(caller *caller, options RetryOptions) *wholeItems {
	return &wholeItems{caller: caller, retry: newRetry(options), isReachable: true}
}

// The event with all its data, or why not; neither where the server has it no more, or ctx ended.
func (w *wholeItems) get(ctx context.Context, event *Event) (*Event, *IncompleteObject) {
	// There is nothing after a delete.
	if event.Change == nil || event.DataRef == "" || event.Change.Op == OpDelete {
		return event, nil
	}
	tries := 1
	if w.isReachable {
		tries = wholeTries
	}
	for {
		tries--
		change, err := w.read(ctx, event.DataRef)
		if ctx.Err() != nil || isGone(err) {
			return nil, nil
		}
		if err == nil {
			w.isReachable = true
			w.retry.reset()
			whole := *event
			whole.Change = change
			return &whole, nil
		}
		if tries <= 0 {
			w.isReachable = false
			return nil, &IncompleteObject{Subject: event.Subject, Reason: err.Error()}
		}
		sleep(ctx, w.retry.next(soon, 0))
	}
}

func (w *wholeItems) read(ctx context.Context, dataRef string) (*Change, error) {
	path, err := pathOf(dataRef)
	if err != nil {
		return nil, err
	}
	_, body, err := w.caller.read(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return nil, inWords(dataRef, err)
	}
	if change := parseChange(body); change != nil && change.Resource.Type != "" {
		return change, nil
	}
	return nil, fmt.Errorf("%s answered with no data", dataRef)
}

// It is relative to /v1/events; where it is of another server, the path counts.
func pathOf(dataRef string) (string, error) {
	reference, err := url.Parse(dataRef)
	if err != nil {
		return "", err
	}
	base := url.URL{Scheme: "http", Host: "feed", Path: "/v1/events"}
	return base.ResolveReference(reference).EscapedPath(), nil
}

// The server has it no more: only another snapshot helps.
func isGone(err error) bool {
	return errors.Is(err, Reason("NO_DATA")) || errors.Is(err, ErrCursorExpired) || errors.Is(err, ErrEpochChanged)
}

func inWords(dataRef string, err error) error {
	var refused *Error
	if !errors.As(err, &refused) {
		return err
	}
	answered := "cannot be reached"
	if refused.Status != 0 {
		answered = fmt.Sprintf("answered %d", refused.Status)
	}
	if refused.Reason == ErrNotAFeed || refused.Reason == ErrUnreachable {
		return &wholeError{fmt.Sprintf("%s %s", dataRef, answered), refused}
	}
	return &wholeError{fmt.Sprintf("%s %s: %s", dataRef, answered, refused.Message), refused}
}

// Says what is worth telling of a request that failed.
type wholeError struct {
	text  string
	cause error
}

func (e *wholeError) Error() string { return e.text }

func (e *wholeError) Unwrap() error { return e.cause }
