package changefeed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/nomad-changefeed/changefeed"
)

func TestNextThatWasGivenUpLosesNothingAndGoesOnOverTheSameConnection(t *testing.T) {
	more := make(chan struct{})
	feed := serve(t, func(ctx context.Context, s socket) {
		s.say(ctx, hello("e-1"), event("e-2"))
		<-more
		s.say(ctx, event("e-3"))
	}, noRequests)
	events := subscribe(t, feed.URL, changefeed.SubscribeOptions{})
	nextCursor(t, events)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if events.Next(ctx) || !errors.Is(events.Err(), context.DeadlineExceeded) {
		t.Fatalf("it gave %v, %v", events.Item(), events.Err())
	}
	if events.Cursor() != "e-2" {
		t.Errorf("it is at %s", events.Cursor())
	}
	close(more)
	if cursor := nextCursor(t, events); cursor != "e-3" {
		t.Errorf("it gave %s", cursor)
	}
	if events.Err() != nil {
		t.Errorf("it says %v", events.Err())
	}
	if asked := feed.requests(); len(asked) != 1 {
		t.Errorf("it connected anew: %v", asked)
	}
}

func TestABusyConsumerHoldsUpTheServerAndThenGetsEverything(t *testing.T) {
	const count, size = 3000, 16 << 10
	padding := strings.Repeat(" ", size)
	var sent atomic.Int64
	feed := serve(t, func(ctx context.Context, s socket) {
		s.say(ctx, hello("e-0"))
		for at := 1; at <= count; at++ {
			s.say(ctx, event(fmt.Sprintf("e-%d", at))+padding)
			sent.Store(int64(at))
		}
	}, noRequests)
	events := subscribe(t, feed.URL, changefeed.SubscribeOptions{})
	first := nextCursor(t, events)
	stalled := func() bool {
		before := sent.Load()
		time.Sleep(100 * time.Millisecond)
		return sent.Load() == before
	}
	within(t, "the server waits", stalled)
	if sent.Load() == count {
		t.Error("all of it was taken in advance")
	}
	if first != "e-1" {
		t.Errorf("it began with %s", first)
	}
	for at := 2; at <= count; at++ {
		if cursor := nextCursor(t, events); cursor != fmt.Sprintf("e-%d", at) {
			t.Fatalf("%s came in the place of e-%d", cursor, at)
		}
	}
	if asked := feed.requests(); len(asked) != 1 {
		t.Errorf("it connected anew: %v", asked)
	}
}
