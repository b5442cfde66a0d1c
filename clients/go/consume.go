package changefeed

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Consumption is a Subscription whose cursor the server keeps.
type Consumption struct {
	*Subscription
	acks *acks
}

// Consume is like Subscribe, from where the last Ack under this name was: the server keeps the cursor. A new name starts
// at Cursor, Since or Snapshot. consumer is 1 to 64 of A-Z a-z 0-9 . _ -
// What was not acked comes again to whoever comes next: make the processing idempotent by Event.ID.
func Consume(ctx context.Context, url, consumer string, options SubscribeOptions) (*Consumption, error) {
	if consumer == "" {
		return nil, invalidOption("consumer", "cannot be empty", "1 to 64 of A-Z a-z 0-9 . _ -")
	}
	settings, err := options.settings(url)
	if err != nil {
		return nil, err
	}
	settings.parameters.set("consumer", consumer)
	subscription := newSubscription(ctx, settings)
	return &Consumption{Subscription: subscription, acks: newAcks(subscription, consumer)}, nil
}

// Ack says that everything up to this cursor has been dealt with: whoever comes next starts after it. It returns once
// the server has stored it, or a newer one; it tries again as long as the server cannot. While one is under way, only the
// newest of the following is sent after it. Any goroutine may call it.
//
// ctx bounds the waiting. The error is *Error where the server refuses, ErrClosed after Close, that of the context that
// ended, or of TokenFunc: then the event may come again.
func (c *Consumption) Ack(ctx context.Context, cursor string) error { return c.acks.ack(ctx, cursor) }

// Close ends the connection and an ack under way, and returns once nothing of them is left. It may be called several
// times. The error is nil.
func (c *Consumption) Close() error {
	c.life.close()
	c.acks.wait()
	return c.Subscription.Close()
}

// Acks go by HTTP: they are answered, and may be of an event that an earlier connection brought.
type acks struct {
	feed   *feed
	life   *life
	caller *caller
	path   string
	retry  *retry

	once   sync.Once
	mu     sync.Mutex
	newest string
	// The one under way, if there is one.
	storing *storing
}

// What several may wait for.
type storing struct {
	ended chan struct{}
	err   error
}

func newAcks(of *Subscription, consumer string) *acks {
	return &acks{
		feed: of.feed, life: of.life, caller: newCaller(of.feed.access),
		path: "/v1/consumers/" + url.PathEscape(consumer), retry: newRetry(of.feed.settings.retry),
	}
}

func (a *acks) ack(ctx context.Context, cursor string) error {
	storing := a.begin(cursor)
	if storing == nil {
		return a.life.err()
	}
	select {
	case <-storing.ended:
		return storing.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nil where it is over.
func (a *acks) begin(cursor string) *storing {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life.ctx.Err() != nil {
		return nil
	}
	a.once.Do(func() { go a.closeWithLife() })
	a.newest = cursor
	if a.storing == nil {
		a.storing = &storing{ended: make(chan struct{})}
		go a.storeAll(a.storing)
	}
	return a.storing
}

// No connection waits for another ack once none can come.
func (a *acks) closeWithLife() {
	<-a.life.ctx.Done()
	a.caller.close()
}

// Returns once none is under way.
func (a *acks) wait() {
	a.mu.Lock()
	storing := a.storing
	a.mu.Unlock()
	if storing != nil {
		<-storing.ended
	}
}

func (a *acks) storeAll(storing *storing) {
	defer close(storing.ended)
	for {
		a.mu.Lock()
		cursor := a.newest
		a.newest = ""
		if cursor == "" || storing.err != nil {
			a.storing = nil
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		storing.err = a.store(cursor)
	}
}

func (a *acks) store(cursor string) error {
	asked := request{method: http.MethodPost, path: a.path, query: pairs{{"ack", cursor}}}
	for {
		err := a.post(asked)
		if a.life.ctx.Err() != nil {
			return a.life.err()
		}
		if err == nil {
			a.retry.reset()
			return nil
		}
		if !a.passes(err) || !sleep(a.life.ctx, a.retry.next(soon, wantedWait(err))) {
			return err
		}
	}
}

func (a *acks) post(asked request) error {
	response, body, err := a.caller.read(a.life.ctx, asked)
	if err != nil {
		return err
	}
	// What the server stored; anything else was said by somebody else.
	var stored Consumer
	if err := json.Unmarshal(body, &stored); err != nil || stored.Cursor == "" {
		return a.caller.notWhatWasAsked(response, body)
	}
	return nil
}

// How long the server wants to be left alone.
func wantedWait(err error) time.Duration {
	var refused *Error
	if !errors.As(err, &refused) {
		return 0
	}
	return refused.RetryAfter
}

func (a *acks) passes(err error) bool {
	var refused *Error
	if !errors.As(err, &refused) || refused.Retryable {
		return refused != nil
	}
	// An answer without a code of the feed's is a balancer's, while the feed is deployed anew. A proxy in front of the
	// feed may ask for a token in its place.
	wantsToken := refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden
	return refused.Reason == ErrNotAFeed && a.feed.wasConnected.Load() && !wantsToken
}
