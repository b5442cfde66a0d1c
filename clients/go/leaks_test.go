package changefeed_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/nomad-changefeed/changefeed"
)

func twoEvents(ctx context.Context, s socket) { s.say(ctx, hello("e-1"), event("e-2"), event("e-3")) }

func noRequests(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

func TestCloseEndsTheConnectionWithAWordAndLeavesNothing(t *testing.T) {
	feed := serve(t, twoEvents, noRequests)
	events := subscribe(t, feed.URL, changefeed.SubscribeOptions{})
	nextCursor(t, events)
	events.Close()
	if code := <-feed.closes; code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	feed.stop()
	nothingIsLeft(t)
	if events.Next(context.Background()) || events.Err() != nil {
		t.Errorf("after Close: %v, %v", events.Item(), events.Err())
	}
}

func TestCloseEndsANextThatWaits(t *testing.T) {
	feed := serve(t, func(ctx context.Context, s socket) { s.say(ctx, hello("e-1")) }, noRequests)
	events := subscribe(t, feed.URL, changefeed.SubscribeOptions{Notices: []changefeed.NoticeType{changefeed.NoticeConnected}})
	if !events.Next(context.Background()) {
		t.Fatal(events.Err())
	}
	waited := make(chan bool)
	go func() { waited <- events.Next(context.Background()) }()
	events.Close()
	if <-waited {
		t.Error("it gave something")
	}
}

func TestTheContextOfSubscribeEndsItAlsoWithoutClose(t *testing.T) {
	feed := serve(t, twoEvents, noRequests)
	ctx, cancel := context.WithCancel(context.Background())
	events, err := changefeed.Subscribe(ctx, feed.URL, changefeed.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nextCursor(t, events)
	cancel()
	if code := <-feed.closes; code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	feed.stop()
	nothingIsLeft(t)
	if events.Next(context.Background()) || !errors.Is(events.Err(), context.Canceled) {
		t.Errorf("it ended with %v", events.Err())
	}
	if events.Cursor() != "e-2" {
		t.Errorf("it goes on from %s", events.Cursor())
	}
}

func TestNothingIsLeftOfAServerThatNeverAnswers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(context.Background())
	events, err := changefeed.Subscribe(ctx, "http://"+silent.Addr().String(), changefeed.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	conn := make(chan net.Conn, 1)
	go func() {
		came, _ := silent.Accept()
		conn <- came
		cancel()
	}()
	if events.Next(context.Background()) || !errors.Is(events.Err(), context.Canceled) {
		t.Errorf("it ended with %v", events.Err())
	}
	(<-conn).Close()
	nothingIsLeft(t)
}

func TestNothingIsLeftBetweenTwoTries(t *testing.T) {
	events, err := changefeed.Subscribe(context.Background(), "http://127.0.0.1:1", changefeed.SubscribeOptions{
		Retry:   changefeed.RetryOptions{Base: time.Hour, Max: time.Hour},
		Notices: []changefeed.NoticeType{changefeed.NoticeDisconnected},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !events.Next(context.Background()) {
		t.Fatal(events.Err())
	}
	if lost := events.Item().(*changefeed.Disconnected); !lost.Unreachable {
		t.Errorf("it says %+v", lost)
	}
	waited := make(chan bool)
	go func() { waited <- events.Next(context.Background()) }()
	events.Close()
	if <-waited {
		t.Error("it gave something")
	}
	nothingIsLeft(t)
}

func TestNothingIsLeftOfAConsumption(t *testing.T) {
	feed := serve(t, twoEvents, func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"name":"pager","cursor":"e-2"}`))
	})
	ctx, cancel := context.WithCancel(context.Background())
	events, err := changefeed.Consume(ctx, feed.URL, "pager", changefeed.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := events.Ack(ctx, nextCursor(t, events.Subscription)); err != nil {
		t.Fatal(err)
	}
	cancel()
	nothingIsLeft(t)
}

func TestNothingIsLeftOfAWatchedState(t *testing.T) {
	for _, how := range []string{"Close", "context"} {
		feed := serve(t, func(ctx context.Context, s socket) {
			s.say(ctx, hello("e-1"), mark("begin", "e-1"), mark("end", "e-1"))
		}, noRequests)
		ctx, cancel := context.WithCancel(context.Background())
		state, err := changefeed.WatchState(ctx, feed.URL, changefeed.StateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := state.Ready(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := context.Canceled
		if how == "Close" {
			want = nil
			state.Close()
		}
		cancel()
		if err := state.Wait(context.Background()); err != want {
			t.Errorf("%s: it ended with %v", how, err)
		}
		feed.stop()
		nothingIsLeft(t)
	}
}

func mark(phase, cursor string) string {
	return `{"type":"nomad.feed.snapshot","data":{"phase":"` + phase + `","cursor":"` + cursor + `"}}`
}
