package changefeed

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Subscription gives the items of a feed, one after the other:
//
//	for events.Next(ctx) {
//		switch item := events.Item().(type) {
//		case *changefeed.Event:
//			// …
//		}
//	}
//	err := events.Err()
//
// One goroutine at a time calls Next, Item and Err. Cursor and Close are for all.
type Subscription struct {
	feed   *feed
	life   *life
	item   Item
	err    error
	inNext sync.Mutex
}

// Subscribe follows the feed of the server at url (http, https, ws or wss): its events in order, none skipped, from
// connection to connection. It connects when the first item is asked for, and ends with ctx, with Close, and after Limit.
// The error is *Error with ErrInvalidOption.
func Subscribe(ctx context.Context, url string, options SubscribeOptions) (*Subscription, error) {
	settings, err := options.settings(url)
	if err != nil {
		return nil, err
	}
	return newSubscription(ctx, settings), nil
}

func newSubscription(ctx context.Context, settings settings) *Subscription {
	life := newLife(ctx)
	return &Subscription{feed: newFeed(life.ctx, settings), life: life}
}

// Next waits for the next item, and says whether there is one. The item before it counts as dealt with now.
//
// ctx bounds the waiting of this call alone: where it ends first, Err is its error, and a later Next goes on, with
// nothing lost. After anything else that makes it false it stays false.
func (s *Subscription) Next(ctx context.Context) bool {
	s.inNext.Lock()
	defer s.inNext.Unlock()
	s.item, s.err = s.feed.next(ctx)
	if s.life.isClosed() && errors.Is(s.err, context.Canceled) {
		s.err = io.EOF
	}
	return s.err == nil
}

// Item is what Next found.
func (s *Subscription) Item() Item { return s.item }

// Err is why Next found nothing: an *Error where the server will not serve this stream, however often it is asked; the
// error of the context that ended, or of TokenFunc; nil at the end of what there is, and after Close.
func (s *Subscription) Err() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}

// Cursor is where to go on after what was dealt with, to be stored; "" before it is known.
func (s *Subscription) Cursor() string {
	if cursor := s.feed.cursor.Load(); cursor != nil {
		return *cursor
	}
	return ""
}

// Close ends the connection, and returns once nothing of it is left. It may be called several times. The error is nil.
func (s *Subscription) Close() error {
	s.life.close()
	// A Next that waits ends at once, and nobody begins another.
	s.inNext.Lock()
	defer s.inNext.Unlock()
	s.feed.disconnect()
	return nil
}

// How long something lives: until the caller's context ends, or Close.
type life struct {
	ctx    context.Context
	cancel context.CancelFunc
	closed chan struct{}
	once   sync.Once
}

func newLife(ctx context.Context) *life {
	made := &life{closed: make(chan struct{})}
	made.ctx, made.cancel = context.WithCancel(ctx)
	return made
}

func (l *life) close() {
	l.once.Do(func() { close(l.closed) })
	l.cancel()
}

func (l *life) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Why it is over.
func (l *life) err() error {
	if l.isClosed() {
		return ErrClosed
	}
	return l.ctx.Err()
}
