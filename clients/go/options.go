package changefeed

import (
	"context"
	"crypto/tls"
	"fmt"
	"strconv"
	"time"
)

// Expired is what to do where a cursor leads nowhere any more.
type Expired string

// PROTOCOL.md, section 3. ExpiredFail is the default.
const (
	ExpiredFail     Expired = "fail"
	ExpiredEarliest Expired = "earliest"
	ExpiredSnapshot Expired = "snapshot"
)

// NoticeType is a kind of item that a subscription gives only where it is asked for.
type NoticeType string

// NoticeBookmark gives *Bookmark items, NoticeConnected *Connected, NoticeDisconnected *Disconnected.
const (
	NoticeBookmark     NoticeType = "nomad.feed.bookmark"
	NoticeConnected    NoticeType = "client.connected"
	NoticeDisconnected NoticeType = "client.disconnected"
)

// Loss says that events after a cursor are gone: retention was faster, or the log lost its newest events and began
// another history.
type Loss struct {
	// Reason is "expired" or "epoch-changed".
	Reason string
	Wanted string
	// Resumed: the client came back with this cursor; else it is that of the options.
	Resumed bool
}

// RetryOptions bound the waits before another try. Each wait is random between zero and its bound.
type RetryOptions struct {
	// Base is the most that the first wait takes; each further one may take twice as long. Default 500 ms.
	Base time.Duration
	// Max is the most that any wait takes, but for what the server asks. Default 30 s.
	Max time.Duration
}

// TokenFunc gives the token to use now. It may be called on another goroutine.
type TokenFunc func(ctx context.Context) (string, error)

// SubscribeOptions say what to follow, from where, and in which form. The zero value follows everything from now on.
// The parameters are those of PROTOCOL.md, section 3. A nil list allows everything; an empty one that is not nil allows
// nothing, which the server refuses.
type SubscribeOptions struct {
	// Types are resources ("jobs"), event types, "feed" for control events.
	Types      []string
	Namespaces []string
	Ops        []Op
	Aspects    []Aspect
	Signals    []string
	// Subjects are single objects: resource/namespace/key.
	Subjects    []string
	MinSeverity Severity
	// Filter are expressions in Nomad's own language, which must all hold: docs/filters.md.
	Filter []string
	// Cursor is where to start: a cursor, "earliest" or "latest" (the default).
	Cursor string
	// Since is an RFC 3339 time or an age, as "10m". Not together with Cursor.
	Since string
	// Snapshot begins with the current objects, between two marks. Not together with Cursor or Since.
	Snapshot bool
	// Payload is how much of data to get. The default is PayloadFull.
	Payload Payload
	// Limit is after how many events it ends; 0: it does not.
	Limit int
	// Parameters have no option here.
	Parameters map[string][]string

	// OnExpired is what to do where the cursor leads nowhere any more; OnExpiredFunc, where it is given, is asked instead.
	OnExpired     Expired
	OnExpiredFunc func(Loss) Expired
	// Notices are further items to give.
	Notices []NoticeType

	// Token is sent in a header; TokenFunc, where it is given, is asked before each connection and request instead, and
	// again where a token that was good has ended.
	Token     string
	TokenFunc TokenFunc
	// TLS is for a server whose certificate the system does not trust, or that wants one.
	TLS *tls.Config
	// Silence is after how long a connection that says nothing is given up. The server speaks every 15 s. Default 45 s.
	Silence time.Duration
	Retry   RetryOptions
}

const defaultSilence = 45 * time.Second

// Who asks whom, and how: what streams and requests share.
type access struct {
	address address
	token   TokenFunc
	tls     *tls.Config
}

func newAccess(rawURL, token string, ask TokenFunc, config *tls.Config) (access, error) {
	address, err := parseAddress(rawURL)
	if err != nil {
		return access{}, err
	}
	if ask == nil && token != "" {
		ask = func(context.Context) (string, error) { return token, nil }
	}
	return access{address: address, token: ask, tls: config}, nil
}

// The header by which the server knows who asks; "": nobody in particular.
func (a access) authorization(ctx context.Context) (string, error) {
	if a.token == nil {
		return a.address.basicAuth(), nil
	}
	token, err := a.token(ctx)
	if err != nil {
		return "", fmt.Errorf("changefeed: no token: %w", err)
	}
	return "Bearer " + token, nil
}

// Options as a feed needs them.
type settings struct {
	access
	parameters   pairs
	limit        int
	mayRenew     bool
	onExpired    func(Loss) Expired
	notices      map[NoticeType]bool
	silence      time.Duration
	retry        RetryOptions
	wasConnected bool
}

func (o SubscribeOptions) settings(rawURL string) (settings, error) {
	access, err := newAccess(rawURL, o.Token, o.TokenFunc, o.TLS)
	if err != nil {
		return settings{}, err
	}
	if err := o.check(); err != nil {
		return settings{}, err
	}
	made := settings{
		access: access, parameters: o.pairs(), limit: o.Limit, mayRenew: o.TokenFunc != nil,
		onExpired: o.OnExpiredFunc, notices: map[NoticeType]bool{}, silence: o.Silence, retry: o.Retry,
	}
	if made.limit == 0 {
		// The server refuses what is no number.
		made.limit, _ = strconv.Atoi(made.parameters.get("limit"))
	}
	if made.onExpired == nil {
		made.onExpired = func(Loss) Expired { return o.OnExpired }
	}
	for _, notice := range o.Notices {
		made.notices[notice] = true
	}
	if made.silence == 0 {
		made.silence = defaultSilence
	}
	return made, nil
}

func (o SubscribeOptions) check() error {
	for _, notice := range o.Notices {
		if notice != NoticeBookmark && notice != NoticeConnected && notice != NoticeDisconnected {
			return invalidOption("Notices", fmt.Sprintf("cannot be %q", notice),
				string(NoticeBookmark), string(NoticeConnected), string(NoticeDisconnected))
		}
	}
	if !o.OnExpired.isKnown() {
		return invalidOption("OnExpired", fmt.Sprintf("cannot be %q", o.OnExpired),
			string(ExpiredFail), string(ExpiredEarliest), string(ExpiredSnapshot))
	}
	if o.Limit < 0 {
		return invalidOption("Limit", fmt.Sprintf("cannot be %d", o.Limit), "0: no limit", "1 or more")
	}
	if o.Silence < 0 {
		return invalidOption("Silence", fmt.Sprintf("cannot be %s", o.Silence), "0: 45 s", "more than 0")
	}
	if o.Retry.Base < 0 || o.Retry.Max < 0 {
		return invalidOption("Retry", "cannot be less than 0", "0: the default", "more than 0")
	}
	return nil
}

func (e Expired) isKnown() bool {
	return e == "" || e == ExpiredFail || e == ExpiredEarliest || e == ExpiredSnapshot
}

func (o SubscribeOptions) pairs() pairs {
	var all pairs
	for name, values := range o.Parameters {
		all.addList(name, values)
	}
	for _, expression := range o.Filter {
		all.add("filter", expression)
	}
	all.addList("types", o.Types)
	all.addList("namespaces", o.Namespaces)
	all.addList("ops", texts(o.Ops))
	all.addList("aspects", texts(o.Aspects))
	all.addList("signals", o.Signals)
	all.addList("subjects", o.Subjects)
	all.set("minSeverity", string(o.MinSeverity))
	all.set("cursor", o.Cursor)
	all.set("since", o.Since)
	if o.Snapshot {
		all.set("snapshot", "true")
	}
	all.set("payload", string(o.Payload))
	all.setNumber("limit", o.Limit)
	return all
}
