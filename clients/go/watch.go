package changefeed

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"time"
)

// StateOptions say which objects to hold, and who is told. A nil list allows everything.
type StateOptions struct {
	// Types are resources ("jobs").
	Types      []string
	Namespaces []string
	// Subjects are single objects: resource/namespace/key.
	Subjects []string
	// Filter must hold of an object for as long as it is there, or never, such as one of its resource.
	Filter []string

	// OnChange is told of each change after the objects have it; in the first snapshot, of each object.
	OnChange func(StateChange)
	// OnIncomplete is told of each object that changed and whose new version cannot be had: the objects keep the one
	// before, if any.
	OnIncomplete func(IncompleteObject)
	// OnConnection is told, with *Connected or *Disconnected, of each connection that came to be, was lost, or was tried
	// in vain.
	OnConnection func(Item)

	// Token is sent in a header; TokenFunc, where it is given, is asked before each connection and request instead.
	Token     string
	TokenFunc TokenFunc
	// TLS is for a server whose certificate the system does not trust, or that wants one.
	TLS *tls.Config
	// Silence is after how long a connection that says nothing is given up. Default 45 s.
	Silence time.Duration
	Retry   RetryOptions
}

// WatchedState holds Nomad's objects by subject and keeps them up to date. Any number of goroutines may use it.
type WatchedState struct {
	options StateOptions
	life    *life
	caller  *caller
	whole   *wholeItems
	// Between one snapshot and the next, where the first did not help.
	retry *retry
	ready chan struct{}
	ended chan struct{}
	// Why, once ended is closed.
	err error

	mu          sync.RWMutex
	feed        *feed
	fold        stateFold
	incomplete  map[string]string
	isConnected bool
}

// WatchState begins to hold Nomad's objects: from a snapshot, then from each change; anew from a snapshot where changes
// were missed. It ends with ctx and with Close. The functions of the options are called on another goroutine, one at a
// time, and hold up what follows; to end it they cancel ctx, as Close waits for them.
// The error is *Error with ErrInvalidOption.
func WatchState(ctx context.Context, url string, options StateOptions) (*WatchedState, error) {
	settings, err := SubscribeOptions{
		Types: options.Types, Namespaces: options.Namespaces, Subjects: options.Subjects, Filter: options.Filter,
		Snapshot: true, OnExpired: ExpiredSnapshot, Notices: []NoticeType{NoticeConnected, NoticeDisconnected},
		Token: options.Token, TokenFunc: options.TokenFunc, TLS: options.TLS,
		Silence: options.Silence, Retry: options.Retry,
	}.settings(url)
	if err != nil {
		return nil, err
	}
	life := newLife(ctx)
	caller := newCaller(settings.access)
	state := &WatchedState{
		options: options, life: life, caller: caller, whole: newWholeItems(caller, options.Retry),
		retry: newRetry(options.Retry), ready: make(chan struct{}), ended: make(chan struct{}),
		feed: newFeed(life.ctx, settings), fold: newStateFold(), incomplete: map[string]string{},
	}
	go state.run(settings)
	return state, nil
}

// Ready returns once the first snapshot has come. The error is that of Wait where none will come, ErrClosed after
// Close, or that of ctx.
func (s *WatchedState) Ready(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
	}
	if s.err != nil {
		return s.err
	}
	return ErrClosed
}

// Wait returns when it has ended: with nil after Close, with the error of the context of WatchState, with an *Error
// where the server will not go on, or with the error of TokenFunc. Where ctx ends first, it returns its error.
func (s *WatchedState) Wait(ctx context.Context) error {
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends it, and returns once nothing of it is left. The objects stay as they are. It may be called several times.
// The error is nil.
func (s *WatchedState) Close() error {
	s.life.close()
	<-s.ended
	return nil
}

// Get is the object with this subject, <resource>/<namespace>/<key>.
func (s *WatchedState) Get(subject string) (NomadObject, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	object, ok := s.fold.objects[subject]
	return object, ok
}

// Objects are all of them by subject, as they are now: a copy. Empty before the first snapshot has come.
func (s *WatchedState) Objects() map[string]NomadObject {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return copyOf(s.fold.objects)
}

// Len counts the objects.
func (s *WatchedState) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.fold.objects)
}

// Incomplete are the subjects whose newest version cannot be had, with the reason: of them there is an older one, or
// none.
func (s *WatchedState) Incomplete() map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return copyOf(s.incomplete)
}

// Cursor is where the objects are true, but for those that are incomplete; "" before the first snapshot has come.
func (s *WatchedState) Cursor() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if cursor := s.feed.cursor.Load(); cursor != nil {
		return *cursor
	}
	return ""
}

// Connected is false while the objects are as they were when the connection was lost.
func (s *WatchedState) Connected() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.isConnected
}

func (s *WatchedState) run(settings settings) {
	defer close(s.ended)
	defer s.caller.close()
	for {
		needsSnapshot, err := s.follow()
		s.setConnected(false)
		if needsSnapshot && sleep(s.life.ctx, s.retry.next(soon, 0)) {
			settings.wasConnected = s.feed.wasConnected.Load()
			s.begin(newFeed(s.life.ctx, settings))
			continue
		}
		if s.life.ctx.Err() != nil {
			err = s.life.ctx.Err()
		}
		if err != io.EOF && !(s.life.isClosed() && errors.Is(err, context.Canceled)) {
			s.err = err
		}
		return
	}
}

func (s *WatchedState) begin(feed *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed = feed
}

// True where only another snapshot helps; else why there is no more.
func (s *WatchedState) follow() (bool, error) {
	defer s.feed.disconnect()
	for {
		item, err := s.feed.next(s.life.ctx)
		if err != nil {
			return false, err
		}
		switch item := item.(type) {
		case *Connected, *Disconnected:
			_, isConnected := item.(*Connected)
			s.setConnected(isConnected)
			if s.options.OnConnection != nil {
				s.options.OnConnection(item)
			}
			continue
		case *Event:
			// No state of the job: the next event has that.
			if item.Change != nil && item.Change.Op == OpVersion {
				continue
			}
			whole, incomplete := s.whole.get(s.life.ctx, item)
			if incomplete != nil {
				s.miss(*incomplete)
				continue
			}
			if whole == nil {
				return true, nil
			}
			s.take(whole)
			continue
		}
		s.take(item)
	}
}

func (s *WatchedState) miss(incomplete IncompleteObject) {
	s.mu.Lock()
	s.incomplete[incomplete.Subject] = incomplete.Reason
	s.mu.Unlock()
	if s.options.OnIncomplete != nil {
		s.options.OnIncomplete(incomplete)
	}
}

func (s *WatchedState) take(item Item) {
	mark, isMark := item.(*SnapshotMark)
	isEnd := isMark && mark.Phase == "end"
	for _, change := range s.put(item, isEnd) {
		if s.options.OnChange != nil {
			s.options.OnChange(change)
		}
	}
	if isEnd {
		s.becomeReady()
	}
}

func (s *WatchedState) put(item Item, isEnd bool) []StateChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isEnd {
		s.incomplete = map[string]string{}
	}
	if event, ok := item.(*Event); ok {
		delete(s.incomplete, event.Subject)
		if event.DataRef != "" {
			s.retry.reset()
		}
	}
	return s.fold.take(item)
}

func (s *WatchedState) becomeReady() {
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
}

func (s *WatchedState) setConnected(isConnected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isConnected = isConnected
}

func copyOf[V any](all map[string]V) map[string]V {
	made := make(map[string]V, len(all))
	for key, value := range all {
		made[key] = value
	}
	return made
}
