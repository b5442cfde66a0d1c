package changefeed_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/nomad-changefeed/changefeed"
)

// A test that waits for so long has failed.
const patience = 20 * time.Second

var quick = changefeed.RetryOptions{Base: time.Millisecond, Max: time.Millisecond}

// A server that does with each connection what the test says, and answers other requests.
type server struct {
	*httptest.Server
	mu sync.Mutex
	// What was asked for, in order.
	asked []string
	// With what the other side closed.
	closes chan websocket.StatusCode
}

type socket struct {
	*websocket.Conn
	// What it was asked for.
	query url.Values
}

func serve(t *testing.T, stream func(context.Context, socket), others http.HandlerFunc) *server {
	t.Helper()
	made := newServer(stream, others)
	made.Start()
	t.Cleanup(made.stop)
	return made
}

func newServer(stream func(context.Context, socket), others http.HandlerFunc) *server {
	made := &server{closes: make(chan websocket.StatusCode, 16)}
	made.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made.mu.Lock()
		made.asked = append(made.asked, r.Method+" "+r.URL.RequestURI())
		made.mu.Unlock()
		if r.Header.Get("Upgrade") == "" {
			others(w, r)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		stream(r.Context(), socket{conn, r.URL.Query()})
		_, _, err = conn.Read(r.Context())
		made.closes <- websocket.CloseStatus(err)
	}))
	return made
}

func (s *server) stop() {
	s.CloseClientConnections()
	s.Close()
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.asked...)
}

func (s socket) say(ctx context.Context, texts ...string) {
	for _, text := range texts {
		// Who has gone hears nothing.
		_ = s.Write(ctx, websocket.MessageText, []byte(text))
	}
}

func hello(cursor string) string {
	return fmt.Sprintf(`{"type":"nomad.feed.hello","data":{"cursor":%q,"feed":"nomad://test/global","epoch":"e","gap":false}}`, cursor)
}

func event(cursor string) string {
	return fmt.Sprintf(`{"type":"nomad.job.updated","id":%q,"subject":"jobs/default/a","cursor":%q,"data":{"op":"update"}}`, cursor, cursor)
}

func subscribe(t *testing.T, url string, options changefeed.SubscribeOptions) *changefeed.Subscription {
	t.Helper()
	options.Retry = quick
	events, err := changefeed.Subscribe(context.Background(), url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { events.Close() })
	return events
}

// The cursor of the next item, an event.
func nextCursor(t *testing.T, events *changefeed.Subscription) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !events.Next(ctx) {
		t.Fatalf("no event: %v", events.Err())
	}
	return events.Item().(*changefeed.Event).Cursor
}

func within(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !isSo(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// Stacks of the goroutines that the client began.
func ours() []string {
	buffer := make([]byte, 4<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var found []string
	for _, stack := range strings.Split(string(buffer), "\n\n") {
		isClient := strings.Contains(stack, "nomad-changefeed/changefeed.") ||
			strings.Contains(stack, "net/http.(*persistConn)") ||
			strings.Contains(stack, "coder/websocket.(*Conn).timeoutLoop")
		if isClient && !strings.Contains(stack, "testing.tRunner") {
			found = append(found, stack)
		}
	}
	return found
}

func nothingIsLeft(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(ours()) > 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still there:\n%s", strings.Join(ours(), "\n\n"))
		}
	}
}
