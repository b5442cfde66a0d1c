package changefeed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"
)

const (
	// Without a word from the server.
	answerTimeout = time.Minute
	// Of an error's text; the rest says nothing.
	maxProblemBytes = 64 << 10
)

const modulePath = "example.com/nomad-changefeed/changefeed"

var userAgent = "nomad-changefeed-go/" + version()

// As the program was built with it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, module := range info.Deps {
			if module.Path == modulePath {
				return module.Version
			}
		}
	}
	return "devel"
}

// An answer that was read to its end, or to what matters of it.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration
}

// Takes the body out of the response.
func readAnswer(response *http.Response) answer {
	// Where it breaks off, the status alone says enough.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	response.Body.Close()
	response.Body = http.NoBody
	return answer{status: response.StatusCode, body: body, retryAfter: retryAfter(response.Header)}
}

// What went wrong, in the server's words where they are a feed's.
func (a answer) failure(shown string) *Error {
	said := parseProblem(a.body)
	if said.Code == "" {
		said = problem{}
	}
	reason := Reason(firstOf(said.Code, string(ErrNotAFeed)))
	failure := said.asError(reason, fmt.Sprintf("%s answered %d", shown, a.status))
	failure.Status, failure.RetryAfter = a.status, a.retryAfter
	failure.Retryable = a.status == http.StatusTooManyRequests || a.status >= 500
	return failure
}

// Makes single requests to the feed's server.
type caller struct {
	access
	client *http.Client
}

func newCaller(access access) *caller {
	return &caller{access: access, client: &http.Client{
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			TLSClientConfig:       access.tls,
			TLSHandshakeTimeout:   handshakeTimeout,
			ResponseHeaderTimeout: answerTimeout,
			IdleConnTimeout:       answerTimeout,
		},
	}}
}

// Ends the connections that wait for another request.
func (c *caller) close() { c.client.CloseIdleConnections() }

// What is asked.
type request struct {
	method, path, accept string
	query                pairs
}

// The answer, if it is one; its body is the caller's to close. The error is *Error, or that of ctx or the token function.
func (c *caller) ask(ctx context.Context, asked request) (*http.Response, error) {
	authorization, err := c.authorization(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	made, err := http.NewRequestWithContext(ctx, asked.method, c.address.http(asked.path+asked.query.query()), nil)
	if err != nil {
		cancel()
		return nil, c.unreachable(ctx, err)
	}
	made.Header.Set("User-Agent", userAgent)
	if authorization != "" {
		made.Header.Set("Authorization", authorization)
	}
	if asked.accept != "" {
		made.Header.Set("Accept", asked.accept)
	}
	response, err := c.client.Do(made)
	if err != nil {
		defer cancel()
		return nil, c.unreachable(ctx, err)
	}
	response.Body = newWatchedBody(response.Body, cancel)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, readAnswer(response).failure(c.address.shown)
	}
	return response, nil
}

// The whole of an answer.
func (c *caller) read(ctx context.Context, asked request) (*http.Response, []byte, error) {
	response, err := c.ask(ctx, asked)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, c.unreachable(ctx, err)
	}
	return response, body, nil
}

// It is not what was asked for.
func (c *caller) notWhatWasAsked(response *http.Response, body []byte) *Error {
	return answer{status: response.StatusCode, body: body}.failure(c.address.shown)
}

func (c *caller) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cause := withoutURL(err)
	return &Error{
		Reason:    ErrUnreachable,
		Message:   fmt.Sprintf("%s cannot be reached: %v", c.address.shown, cause),
		Hint:      "Is this the address of a nomad-changefeed, and does it run?",
		Retryable: true,
		cause:     cause,
	}
}

// A body that is given up where nothing comes of it for too long.
type watchedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	timer  *time.Timer
}

func newWatchedBody(body io.ReadCloser, cancel context.CancelFunc) *watchedBody {
	watched := &watchedBody{ReadCloser: body, cancel: cancel, timer: time.AfterFunc(answerTimeout, cancel)}
	// Not while its reader does something else.
	watched.timer.Stop()
	return watched
}

func (b *watchedBody) Read(into []byte) (int, error) {
	b.timer.Reset(answerTimeout)
	count, err := b.ReadCloser.Read(into)
	if !b.timer.Stop() && err != nil && err != io.EOF {
		err = fmt.Errorf("nothing came for %s", answerTimeout)
	}
	return count, err
}

// Close ends the request too.
func (b *watchedBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}
