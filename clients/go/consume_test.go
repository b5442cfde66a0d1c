package changefeed_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"example.com/nomad-changefeed/changefeed"
)

func TestWhileAnAckIsUnderWayOnlyTheNewestWaits(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	feed := serve(t, twoEvents, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			close(begun)
			<-release
		})
		w.Write([]byte(`{"name":"pager","cursor":"e-2"}`))
	})
	ctx := context.Background()
	events, err := changefeed.Consume(ctx, feed.URL, "pager", changefeed.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	acked := make(chan error)
	ack := func(ctx context.Context, cursor string) { acked <- events.Ack(ctx, cursor) }
	go ack(ctx, "e-2")
	<-begun
	// One after the other, each of which is told that nobody waits any more.
	over, cancel := context.WithCancel(ctx)
	cancel()
	for _, cursor := range []string{"e-3", "e-4", "e-5"} {
		if err := events.Ack(over, cursor); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	go ack(ctx, "e-6")
	close(release)
	for range []int{1, 2} {
		if err := <-acked; err != nil {
			t.Error(err)
		}
	}
	within(t, "the newest is stored", func() bool { return len(feed.requests()) >= 2 })
	asked := feed.requests()
	want := "POST /v1/consumers/pager?ack=e-"
	if asked[0] != want+"2" || asked[len(asked)-1] != want+"6" || len(asked) > 3 {
		t.Errorf("it sent %v", asked)
	}
}

func TestCloseEndsAnAckThatWaitsForTheServer(t *testing.T) {
	asked := make(chan struct{}, 64)
	feed := serve(t, twoEvents, func(w http.ResponseWriter, _ *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	events, err := changefeed.Consume(context.Background(), feed.URL, "pager", changefeed.SubscribeOptions{Retry: quick})
	if err != nil {
		t.Fatal(err)
	}
	acked := make(chan error)
	go func() { acked <- events.Ack(context.Background(), "e-2") }()
	<-asked
	events.Close()
	if err := <-acked; !errors.Is(err, changefeed.ErrClosed) {
		t.Errorf("%v", err)
	}
	if err := events.Ack(context.Background(), "e-3"); !errors.Is(err, changefeed.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	nothingIsLeft(t)
}

func TestTheNameOfAConsumerTakesTheOnesPlace(t *testing.T) {
	feed := serve(t, func(ctx context.Context, s socket) { s.Close(1000, "") }, noRequests)
	options := changefeed.SubscribeOptions{Parameters: map[string][]string{"consumer": {"other"}}}
	events, err := changefeed.Consume(context.Background(), feed.URL, "pager", options)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	for events.Next(context.Background()) {
	}
	if want := []string{"GET /v1/events?consumer=pager"}; !reflect.DeepEqual(feed.requests(), want) {
		t.Errorf("it asked for %v", feed.requests())
	}
}
