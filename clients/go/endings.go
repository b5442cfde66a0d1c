package changefeed

import "fmt"

// How a connection ended: closed, refused, notAFeed, severalFeeds, failed.
type ending interface{}

type closed struct {
	code int
	// Whether it had been a WebSocket before.
	opened bool
	// What the network said, if anything.
	problem error
	// TLS failed in a way that stays so.
	isUntrusted bool
}

// An answer in HTTP instead of a stream.
type refused struct {
	answer
}

// What was said there is no feed's.
type notAFeed struct{}

// A process with several feeds told all of them, of which this client knows no cursor.
type severalFeeds struct{}

// The caller's own function failed.
type failed struct{ err error }

// What to do then: PROTOCOL.md, section 7.
type verdict struct {
	kind verdictKind
	// Of fatal and lost.
	err error
	// Of lost.
	reason string
	// Of again.
	pace        pace
	why         string
	unreachable bool
	answer      answer
}

type verdictKind int

const (
	done verdictKind = iota
	fatal
	// The cursor is no place in this log, or no longer; err says so to whoever does not go on.
	lost
	again
)

const (
	normalClosure = 1000
	// The close frame got lost.
	noStatus       = 1005
	noCloseFrame   = 1006
	tooManyStatus  = 429
	timeoutStatus  = 408
	firstFeedClose = 4000
)

// Close codes from 4400 are statuses of HTTP plus 4000.
var reasons = map[int]Reason{
	400: ErrInvalidParameter,
	401: ErrUnauthorized,
	403: ErrForbidden,
	409: ErrEpochChanged,
	410: ErrCursorExpired,
	412: ErrFutureCursor,
}

// said is the data of the error frame before the end, shown the address for people.
func verdictOf(end ending, said problem, shown string, wasConnected bool) verdict {
	switch end := end.(type) {
	case failed:
		return verdict{kind: fatal, err: end.err}
	case refused:
		return refusalVerdict(end.answer, shown, wasConnected)
	case closed:
		return closeVerdict(end, said, shown, wasConnected)
	case severalFeeds:
		several := problem{
			Message: shown + " has several feeds, and this client follows one",
			Hint:    "Give it the address of one, which ends in /v1/feeds/<name>",
		}
		return unlessPassing(several.asError(ErrNotAFeed, ""), wasConnected)
	default:
		err := problem{}.asError(ErrNotAFeed, shown+" answers, but not with a feed")
		return unlessPassing(err, wasConnected)
	}
}

func refusalVerdict(answer answer, shown string, wasConnected bool) verdict {
	said := parseProblem(answer.body)
	answered := fmt.Sprintf("%s answered %d", shown, answer.status)
	if answer.status >= 500 || isPassing(answer.status) {
		return verdict{kind: again, pace: later, why: firstOf(said.Message, answered), answer: answer}
	}
	return final(answer.status, said, answered, wasConnected)
}

func closeVerdict(end closed, said problem, shown string, wasConnected bool) verdict {
	if end.isUntrusted && !end.opened {
		return unlessPassing(untrusted(shown, end.problem), wasConnected)
	}
	code := end.code
	if (code == noStatus || code == noCloseFrame) && said.CloseCode != 0 {
		code = said.CloseCode
	}
	if code == normalClosure {
		return verdict{kind: done}
	}
	if status := code - firstFeedClose; status >= 400 && status < 500 && !isPassing(status) {
		return final(status, said, fmt.Sprintf("%s closed the stream with %d", shown, code), wasConnected)
	}
	why := fmt.Sprintf("connection closed (%d)", code)
	if end.problem != nil {
		why = end.problem.Error()
	}
	return verdict{kind: again, pace: paceAfter(code), why: firstOf(said.Message, why), unreachable: !end.opened}
}

func paceAfter(code int) pace {
	switch code {
	case 1001, noStatus, noCloseFrame, 1012, 4408:
		return soon
	}
	return later
}

func final(status int, said problem, otherwise string, wasConnected bool) verdict {
	reason := Reason(said.Code)
	if reason == "" {
		reason = reasons[status]
	}
	if reason == "" {
		reason = ErrNotAFeed
	}
	err := said.asError(reason, otherwise)
	switch reason {
	case ErrCursorExpired:
		return verdict{kind: lost, reason: "expired", err: err}
	case ErrEpochChanged:
		return verdict{kind: lost, reason: "epoch-changed", err: err}
	}
	return unlessPassing(err, wasConnected)
}

// What else may answer at the address of a feed that was there a moment ago is trouble that passes: a balancer, while the
// feed is deployed anew, or a certificate that is about to be renewed.
func unlessPassing(err *Error, wasConnected bool) verdict {
	if wasConnected && (err.Reason == ErrNotAFeed || err.Reason == ErrTLSFailed) {
		return verdict{kind: again, pace: later, why: err.Message}
	}
	return verdict{kind: fatal, err: err}
}

// Waiting makes no certificate trusted.
func untrusted(shown string, cause error) *Error {
	return &Error{
		Reason:  ErrTLSFailed,
		Message: fmt.Sprintf("%s cannot be trusted: %v", shown, cause),
		Hint:    "Name the authority that signed its certificate: the option TLS, or SSL_CERT_FILE in the environment",
		cause:   cause,
	}
}

// Refusals by a status that pass by themselves.
func isPassing(status int) bool { return status == tooManyStatus || status == timeoutStatus }

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
