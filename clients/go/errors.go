package changefeed

import (
	"encoding/json"
	"errors"
	"time"
)

// Reason says what went wrong, for programs: a code of the server's (PROTOCOL.md, section 7), or one of the client's own
// below. It is an error only so that errors.Is takes it: errors.Is(err, changefeed.ErrCursorExpired), or for any other
// code errors.Is(err, changefeed.Reason("CONSUMER_TAKEN")).
type Reason string

// Error is the code itself.
func (r Reason) Error() string { return string(r) }

// The reasons that most programs tell apart.
const (
	ErrInvalidParameter Reason = "INVALID_PARAMETER"
	ErrUnauthorized     Reason = "UNAUTHORIZED"
	ErrForbidden        Reason = "FORBIDDEN"
	ErrCursorExpired    Reason = "CURSOR_EXPIRED"
	ErrEpochChanged     Reason = "EPOCH_CHANGED"
	ErrFutureCursor     Reason = "FUTURE_CURSOR"

	// ErrNotAFeed: something else answers at this address.
	ErrNotAFeed Reason = "NOT_A_FEED"
	// ErrUnreachable: nobody answered a request, or the answer broke off.
	ErrUnreachable Reason = "FEED_UNREACHABLE"
	// ErrTLSFailed: the first connection met a certificate that is not trusted, or no TLS.
	ErrTLSFailed Reason = "TLS_FAILED"
	// ErrInvalidOption: an option that the client cannot use; Field names it.
	ErrInvalidOption Reason = "CLIENT_OPTION_INVALID"
)

// ErrClosed is what is waited for when Close ends the waiting.
var ErrClosed = errors.New("changefeed: closed")

// Error is what the server said, or what the client met instead of a feed. It never holds a token or a password.
type Error struct {
	// Reason is what errors.Is compares.
	Reason Reason
	// Message says what happened, Hint what to do. Both are for people.
	Message string
	Hint    string
	// Field is the parameter or option that is wrong, Allowed what it may be, Nearest what may have been meant.
	Field   string
	Allowed []string
	Nearest string
	// Position is where a filter is wrong, in characters from 1; 0 where it does not apply.
	Position int
	// Floor is the earliest cursor there is, where the given one has expired; OldestTime (RFC 3339) when the oldest event
	// was recorded, where a state is too long ago; Head the end of the feed, where the cursor is beyond it.
	Floor      string
	OldestTime string
	Head       string
	// Status is that of HTTP; 0 where nobody answered, and in streams.
	Status int
	// Retryable: the same request may succeed later although nobody changes anything. Streams retry by themselves.
	Retryable bool
	// RetryAfter is how long the server wants to be left alone.
	RetryAfter time.Duration

	cause error
}

// Error is the message, with the hint in parentheses.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}

// Is tells whether the error has this reason.
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason == e.Reason
}

// Unwrap gives the network's own error, if there is one.
func (e *Error) Unwrap() error { return e.cause }

const isItAFeed = "Is this the address of a nomad-changefeed?"

// What a server says is wrong: an error frame's data, or the body of an answer.
type problem struct {
	Code       string   `json:"code"`
	Message    string   `json:"message"`
	Hint       string   `json:"hint"`
	Field      string   `json:"field"`
	Allowed    []string `json:"allowed"`
	Nearest    string   `json:"nearest"`
	Position   int      `json:"position"`
	Floor      string   `json:"floor"`
	OldestTime string   `json:"oldestTime"`
	Head       string   `json:"head"`
	CloseCode  int      `json:"closeCode"`
}

func parseProblem(body []byte) problem {
	var said problem
	// A member of another kind than expected is left out, and the rest kept.
	if err := json.Unmarshal(body, &said); err != nil && !isKindMismatch(err) {
		return problem{}
	}
	return said
}

// The error of what was said, or of `otherwise` where nothing was: then it may be no feed at all.
func (p problem) asError(reason Reason, otherwise string) *Error {
	failure := &Error{
		Reason: reason, Message: p.Message, Hint: p.Hint,
		Field: p.Field, Allowed: p.Allowed, Nearest: p.Nearest, Position: p.Position,
		Floor: p.Floor, OldestTime: p.OldestTime, Head: p.Head,
	}
	if p.Message == "" {
		failure.Message, failure.Hint = otherwise, isItAFeed
	}
	return failure
}

func invalidOption(name, message string, allowed ...string) *Error {
	return &Error{Reason: ErrInvalidOption, Message: name + ": " + message, Field: name, Allowed: allowed}
}

// Whether JSON was well-formed and only a member of it of another kind.
func isKindMismatch(err error) bool {
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &mismatch)
}
