package changefeed

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	handshakeTimeout = 10 * time.Second
	// How long a close handshake may take.
	closeGrace      = time.Second
	maxMessageBytes = 100 << 20
)

// One WebSocket from its opening to its end. A goroutine reads it, at the reader's own pace: what came waits in a queue.
type connection struct {
	access  access
	silence time.Duration
	queue   *queue
	cancel  context.CancelFunc
	gone    chan struct{}
	// What the network gave, once it did: a close of it ends whatever waits for it.
	wire atomic.Pointer[wire]
	// Nobody reads, so nothing can be heard.
	isHeld   atomic.Bool
	isSilent atomic.Bool
}

// Opens it in the background; it ends with ctx.
func openConnection(ctx context.Context, access access, path string, silence time.Duration) *connection {
	ctx, cancel := context.WithCancel(ctx)
	c := &connection{access: access, silence: silence, queue: newQueue(), cancel: cancel, gone: make(chan struct{})}
	go func() {
		defer close(c.gone)
		defer cancel()
		c.queue.end(c.run(ctx, path))
	}()
	return c
}

// Returns once nothing of it is left.
func (c *connection) close() {
	c.cancel()
	<-c.gone
}

func (c *connection) run(ctx context.Context, path string) ending {
	authorization, err := c.access.authorization(ctx)
	if err != nil {
		return failed{err}
	}
	opening := &opening{transport: c.transport()}
	defer opening.transport.CloseIdleConnections()
	socket, err := c.dial(ctx, opening, path, authorization)
	if err != nil {
		return opening.endingOf(err)
	}
	// Should anything be left of it.
	defer socket.CloseNow()
	return c.read(ctx, socket)
}

func (c *connection) dial(ctx context.Context, opening *opening, path, authorization string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	header := http.Header{"User-Agent": {userAgent}}
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	socket, _, err := websocket.Dial(ctx, c.access.address.http(path), &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: opening, CheckRedirect: noRedirect},
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionDisabled,
	})
	return socket, err
}

// One connection's own: what it dials is kept hold of, and nothing waits idle for another.
func (c *connection) transport() *http.Transport {
	dialer := &net.Dialer{KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			wire := &wire{Conn: conn}
			wire.heard()
			c.wire.Store(wire)
			return wire, nil
		},
		TLSClientConfig: http1TLS(c.access.tls),
		// HTTP/2 has no WebSocket here.
		TLSNextProto:      map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableKeepAlives: true,
	}
}

func (c *connection) read(ctx context.Context, socket *websocket.Conn) ending {
	socket.SetReadLimit(maxMessageBytes)
	finished := make(chan struct{})
	farewell := make(chan struct{})
	go func() {
		defer close(farewell)
		select {
		case <-ctx.Done():
			c.sayGoodbye(socket)
		case <-finished:
		}
	}()
	end := c.readAll(ctx, socket)
	close(finished)
	<-farewell
	return end
}

func (c *connection) readAll(ctx context.Context, socket *websocket.Conn) ending {
	wire := c.wire.Load()
	wire.heard()
	watchdog := newWatchdog(c, wire)
	defer watchdog.stop()
	for {
		// The library drops a connection whose context ends; this one is closed with a word instead.
		kind, text, err := socket.Read(context.Background())
		if err != nil {
			return c.endingOf(err)
		}
		if kind != websocket.MessageText {
			// Binary frames are no part of the protocol: no text is no JSON, and is refused as such.
			text = []byte{}
		}
		if !c.queue.put(ctx, text, c.hold) {
			return notAFeed{}
		}
	}
}

func (c *connection) hold(isHeld bool) {
	c.wire.Load().heard()
	c.isHeld.Store(isHeld)
}

func (c *connection) endingOf(err error) ending {
	end := closed{code: noCloseFrame, opened: true, problem: err}
	if code := websocket.CloseStatus(err); code != -1 {
		end.code, end.problem = int(code), nil
	}
	if c.isSilent.Load() {
		end.problem = fmt.Errorf("nothing was heard for %s", c.silence)
	}
	return end
}

func (c *connection) sayGoodbye(socket *websocket.Conn) {
	forced := time.AfterFunc(closeGrace, c.drop)
	defer forced.Stop()
	// Whether the other side answers makes no difference.
	_ = socket.Close(websocket.StatusNormalClosure, "")
}

func (c *connection) drop() {
	if wire := c.wire.Load(); wire != nil {
		// It is on its way out already.
		_ = wire.Close()
	}
}

// A connection of the network that knows when something came last, also where that carried nothing, such as a ping.
type wire struct {
	net.Conn
	// By running.
	heardAt atomic.Int64
}

var started = time.Now()

// How long the program runs: unlike the time of day, nobody sets it.
func running() time.Duration { return time.Since(started) }

func (w *wire) Read(into []byte) (int, error) {
	count, err := w.Conn.Read(into)
	if count > 0 {
		w.heard()
	}
	return count, err
}

func (w *wire) heard() { w.heardAt.Store(int64(running())) }

func (w *wire) silentFor() time.Duration {
	return running() - time.Duration(w.heardAt.Load())
}

// Gives up what says nothing while it is read.
type watchdog struct {
	connection *connection
	wire       *wire
	timer      *time.Timer
}

func newWatchdog(c *connection, wire *wire) *watchdog {
	w := &watchdog{connection: c, wire: wire}
	// Armed once the field is there that it arms anew.
	w.timer = time.AfterFunc(time.Hour, w.look)
	w.timer.Reset(c.silence)
	return w
}

func (w *watchdog) look() {
	left := w.connection.silence
	if !w.connection.isHeld.Load() {
		left -= w.wire.silentFor()
	}
	if left > 0 {
		w.timer.Reset(left)
		return
	}
	w.connection.isSilent.Store(true)
	w.connection.drop()
}

func (w *watchdog) stop() { w.timer.Stop() }
