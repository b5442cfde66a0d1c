package changefeed

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// The items of one subscription, through every disconnection. Its cursor stands behind what the consumer has dealt with:
// an item counts as dealt with when the next one is asked for, so none is skipped, and the one that a consumer failed at
// comes again to whoever goes on from the cursor.
//
// One goroutine at a time asks it; the fields of package atomic may be read by others.
type feed struct {
	settings
	life  context.Context
	retry *retry
	// Where to go on after what was dealt with; nil before it is known.
	cursor atomic.Pointer[string]
	// Whether a feed has answered there, be it to another subscription.
	wasConnected atomic.Bool

	connection *connection
	// What the present connection was asked for.
	asked       pairs
	isConnected bool
	// The data of an error frame.
	said problem
	// What came last, which is dealt with once the next one is asked for.
	pending *message
	// When to connect again; zero: now.
	wakeAt time.Time
	events int
	// Set from where the cursor was found lost until the consumer has dealt with what replaces it.
	lostAnswer Expired
	// Objects come, and there is no place to come back to before their end.
	isBeforeSnapshotEnd bool
	// Set once nothing more comes.
	end error
}

func newFeed(life context.Context, settings settings) *feed {
	made := &feed{settings: settings, life: life, retry: newRetry(settings.retry)}
	made.wasConnected.Store(settings.wasConnected)
	return made
}

// The next item. io.EOF where there are no more, life's error where that has ended; with ctx's error it may be asked
// again, and goes on.
func (f *feed) next(ctx context.Context) (Item, error) {
	f.advance()
	for f.end == nil {
		if f.life.Err() != nil {
			f.finish(f.life.Err())
			break
		}
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
		if f.limitLeft() == 0 {
			f.finish(io.EOF)
			break
		}
		item, err := f.receive(ctx)
		if item != nil || err != nil {
			return item, err
		}
		f.advance()
	}
	return nil, f.end
}

// Ends the connection, if there is one.
func (f *feed) disconnect() {
	if f.connection != nil {
		f.connection.close()
		f.connection = nil
	}
}

func (f *feed) finish(end error) {
	f.end = end
	f.disconnect()
}

func (f *feed) wait(ctx context.Context) error {
	if f.wakeAt.IsZero() {
		return nil
	}
	timer := time.NewTimer(time.Until(f.wakeAt))
	defer timer.Stop()
	select {
	case <-timer.C:
		f.wakeAt = time.Time{}
	case <-f.life.Done():
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// What the next message gives the consumer, or how the connection ended; neither, where that is nothing.
func (f *feed) receive(ctx context.Context) (Item, error) {
	if f.life.Err() != nil {
		return nil, nil
	}
	if f.connection == nil {
		f.connect()
	}
	text, end, err := f.connection.queue.next(ctx, f.life)
	if err != nil || f.life.Err() != nil {
		// The end of what was told to end says nothing.
		return nil, ctx.Err()
	}
	if end == nil {
		message, ok := parseMessage(text)
		if ok && message.Type != "nomad.feeds.hello" {
			f.pending = &message
			return f.itemOf(message), nil
		}
		end = notAFeed{}
		if ok {
			end = severalFeeds{}
		}
	}
	return f.ended(end), nil
}

func (f *feed) connect() {
	f.said, f.isConnected = problem{}, false
	f.asked = f.nextParameters()
	f.connection = openConnection(f.life, f.access, "/v1/events"+f.asked.query(), f.silence)
}

// Moves the cursor behind what was dealt with.
func (f *feed) advance() {
	if f.pending == nil {
		return
	}
	message := *f.pending
	f.pending = nil
	var data struct {
		Cursor, Phase string
		Gap           bool
	}
	if strings.HasPrefix(message.Type, "nomad.feed.") {
		parseData(message, &data)
	}
	switch message.Type {
	case "nomad.feed.hello":
		// Before a gap or a snapshot was dealt with, the way back must lead to it.
		if !data.Gap && !f.isBeforeSnapshotEnd {
			f.goOnFrom(data.Cursor)
		}
		return
	case "nomad.feed.error":
		return
	case "nomad.feed.bookmark":
		f.moveTo(data.Cursor)
	case "nomad.feed.gap":
		if !f.isBeforeSnapshotEnd {
			f.goOnFrom(data.Cursor)
		}
	case "nomad.feed.snapshot":
		if data.Phase == "end" {
			f.goOnFrom(data.Cursor)
		}
	default:
		if message.Cursor != "" {
			f.moveTo(message.Cursor)
			f.events++
		}
	}
	f.retry.reset()
}

func (f *feed) moveTo(cursor string) {
	if cursor != "" {
		f.cursor.Store(&cursor)
	}
}

func (f *feed) goOnFrom(cursor string) {
	f.moveTo(cursor)
	f.lostAnswer = ""
	f.isBeforeSnapshotEnd = false
}

// What the consumer is told of the end of a connection, if anything.
func (f *feed) ended(end ending) Item {
	f.disconnect()
	verdict := verdictOf(end, f.said, f.address.shown, f.wasConnected.Load())
	if verdict.kind == fatal && f.mayAskForANewToken(verdict.err) {
		verdict.kind, verdict.pace, verdict.why = again, soon, verdict.err.Error()
	}
	switch verdict.kind {
	case done:
		f.finish(io.EOF)
	case fatal:
		f.finish(verdict.err)
	case lost:
		f.lose(verdict)
	case again:
		wait := f.retry.next(verdict.pace, verdict.answer.retryAfter)
		f.wakeAt = time.Now().Add(wait)
		if f.notices[NoticeDisconnected] {
			return &Disconnected{Reason: verdict.why, RetryIn: wait, Unreachable: verdict.unreachable}
		}
	}
	return nil
}

func (f *feed) lose(verdict verdict) {
	loss := Loss{Reason: verdict.reason, Wanted: f.parameters.get("cursor")}
	if cursor := f.cursor.Load(); cursor != nil {
		loss.Wanted, loss.Resumed = *cursor, true
	}
	answer := f.onExpired(loss)
	// Refused although the server was told what to do: it will not do it the next time.
	isRefusedAgain := f.lostAnswer != "" && !f.isConnected
	if answer == "" || answer == ExpiredFail || isRefusedAgain {
		f.finish(verdict.err)
		return
	}
	f.lostAnswer = answer
}

// A token that was good and is no longer: whoever gives tokens may have a newer one.
func (f *feed) mayAskForANewToken(err error) bool {
	refused, ok := err.(*Error)
	return ok && refused.Reason == ErrUnauthorized && f.isConnected && f.mayRenew
}

func (f *feed) nextParameters() pairs {
	next := f.parameters
	if cursor := f.cursor.Load(); cursor != nil {
		// The server's cursor of a consumer goes before ours, and is behind it.
		next = next.without("since", "snapshot", "consumer").with("cursor", *cursor)
	}
	if f.lostAnswer != "" {
		next = next.with("onexpired", string(f.lostAnswer))
	}
	if left := f.limitLeft(); f.events > 0 && left > 0 {
		next.setNumber("limit", left)
	}
	return next
}

// Events still wanted; -1 without a limit.
func (f *feed) limitLeft() int {
	if f.limit <= 0 {
		return -1
	}
	if f.events >= f.limit {
		return 0
	}
	return f.limit - f.events
}
