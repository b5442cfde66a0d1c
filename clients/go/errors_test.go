package changefeed_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/nomad-changefeed/changefeed"
)

func endOf(t *testing.T, url string, options changefeed.SubscribeOptions) error {
	t.Helper()
	events := subscribe(t, url, options)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for events.Next(ctx) {
	}
	return events.Err()
}

func TestErrorsAreToldApart(t *testing.T) {
	feed := serve(t, twoEvents, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		w.Write([]byte(`{"code":"EPOCH_CHANGED","message":"Another one.","head":"f-3","allowed":7}`))
	})
	api, err := changefeed.NewAPI(feed.URL, changefeed.APIOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	_, err = api.Events(context.Background(), changefeed.EventsQuery{})
	var failed *changefeed.Error
	if !errors.As(err, &failed) || failed.Status != 409 || failed.Head != "f-3" || failed.Message != "Another one." {
		t.Errorf("%#v", err)
	}
	if !errors.Is(err, changefeed.ErrEpochChanged) || errors.Is(err, changefeed.ErrCursorExpired) {
		t.Errorf("%v is told apart wrongly", err)
	}
}

func TestOptionsThatCannotBeAreNamed(t *testing.T) {
	for field, options := range map[string]changefeed.SubscribeOptions{
		"Notices":   {Notices: []changefeed.NoticeType{"nomad.feed.hello"}},
		"OnExpired": {OnExpired: "latest"},
		"Limit":     {Limit: -1},
		"Silence":   {Silence: -1},
		"Retry":     {Retry: changefeed.RetryOptions{Max: -1}},
	} {
		_, err := changefeed.Subscribe(context.Background(), "http://127.0.0.1:4650", options)
		var failed *changefeed.Error
		if !errors.As(err, &failed) || !errors.Is(err, changefeed.ErrInvalidOption) || failed.Field != field || failed.Allowed == nil {
			t.Errorf("%s: %#v", field, err)
		}
	}
	if _, err := changefeed.Consume(context.Background(), "http://127.0.0.1:4650", "", changefeed.SubscribeOptions{}); !errors.Is(err, changefeed.ErrInvalidOption) {
		t.Errorf("no consumer: %v", err)
	}
}

func TestWhatIsNoAddressIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{
		"", "127.0.0.1:4650", "ftp://127.0.0.1", "http://", "http://user:secret@", "http://127.0.0.1:99999",
		"http://user:se/cret@127.0.0.1:4650", "http://user:secret", "http://%zz:secret@host", "http://user/secret@127.0.0.1:4650",
	} {
		_, err := changefeed.NewAPI(url, changefeed.APIOptions{})
		if !errors.Is(err, changefeed.ErrInvalidOption) {
			t.Errorf("%s: %v", url, err)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "cret@") {
			t.Errorf("%s: %v tells the password", url, err)
		}
	}
}

func TestUserAndPasswordOfTheAddressAreSentAndATokenGoesBefore(t *testing.T) {
	authorizations := make(chan string, 4)
	feed := serve(t, twoEvents, func(w http.ResponseWriter, r *http.Request) {
		authorizations <- r.Header.Get("Authorization")
		w.Write([]byte(`{}`))
	})
	url := strings.Replace(feed.URL, "http://", "http://user:p%40ss@", 1)
	for token, want := range map[string]string{"": "Basic dXNlcjpwQHNz", "t": "Bearer t"} {
		api, err := changefeed.NewAPI(url, changefeed.APIOptions{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		defer api.Close()
		var about map[string]any
		if err := api.Get(context.Background(), "/v1/about", nil, &about); err != nil {
			t.Fatal(err)
		}
		if got := <-authorizations; got != want {
			t.Errorf("%q was sent", got)
		}
	}
}

func TestATokenGoesNowhereElse(t *testing.T) {
	elsewhere := serve(t, twoEvents, noRequests)
	feed := serve(t, twoEvents, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	})
	api, err := changefeed.NewAPI(feed.URL, changefeed.APIOptions{Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if _, err := api.Events(context.Background(), changefeed.EventsQuery{}); !errors.Is(err, changefeed.ErrNotAFeed) {
		t.Errorf("%v", err)
	}
	if asked := elsewhere.requests(); len(asked) != 0 {
		t.Errorf("the other server was asked: %v", asked)
	}
}

func TestTokenFuncThatFailsEndsTheSubscription(t *testing.T) {
	feed := serve(t, twoEvents, noRequests)
	broken := errors.New("the vault is closed")
	err := endOf(t, feed.URL, changefeed.SubscribeOptions{
		TokenFunc: func(context.Context) (string, error) { return "", broken },
	})
	if !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
}

func TestCertificates(t *testing.T) {
	feed := newServer(func(ctx context.Context, s socket) {
		s.say(ctx, hello("e-1"), event("e-2"))
		s.Close(1000, "")
	}, noRequests)
	// It complains of every client that does not trust it.
	feed.Config.ErrorLog = nil
	feed.StartTLS()
	t.Cleanup(feed.stop)

	err := endOf(t, feed.URL, changefeed.SubscribeOptions{})
	var authority x509.UnknownAuthorityError
	if !errors.Is(err, changefeed.ErrTLSFailed) || !errors.As(err, &authority) {
		t.Errorf("of an unknown authority: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(feed.Certificate())
	if err := endOf(t, feed.URL, changefeed.SubscribeOptions{TLS: &tls.Config{RootCAs: roots}}); err != nil {
		t.Errorf("of a known one: %v", err)
	}

	plain := serve(t, twoEvents, noRequests)
	err = endOf(t, strings.Replace(plain.URL, "http://", "https://", 1), changefeed.SubscribeOptions{})
	if !errors.Is(err, changefeed.ErrTLSFailed) {
		t.Errorf("of a server without TLS: %v", err)
	}
}
