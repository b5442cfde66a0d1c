package changefeed

import (
	"net/http"
	"testing"
	"time"
)

func TestWaitsAreRandomBelowABoundThatDoubles(t *testing.T) {
	for _, share := range []float64{0, 0.5, 1} {
		waits := newRetry(RetryOptions{})
		waits.random = func() float64 { return share }
		for _, bound := range []time.Duration{500, 1000, 2000, 4000, 5000, 5000} {
			want := time.Duration(float64(bound*time.Millisecond) * share)
			if wait := waits.next(soon, 0); wait != want {
				t.Errorf("soon: %s in the place of %s", wait, want)
			}
		}
		waits.reset()
		for _, bound := range []time.Duration{2000, 4000, 8000, 16000, 30000, 30000} {
			want := time.Duration(float64(bound*time.Millisecond)*share) + time.Second
			if wait := waits.next(later, time.Second); wait != want {
				t.Errorf("later: %s in the place of %s", wait, want)
			}
		}
	}
}

func TestNoTwoClientsWaitAlike(t *testing.T) {
	if newRetry(RetryOptions{}).random() == newRetry(RetryOptions{}).random() {
		t.Error("all would come back at once")
	}
}

func TestRetryAfter(t *testing.T) {
	const date, later = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:46 GMT"
	for _, one := range []struct {
		retryAfter, date string
		want             time.Duration
	}{
		{"7", "", 7 * time.Second}, {later, date, 9 * time.Second}, {date, later, 0}, {later, "", 0},
		{"-1", date, 0}, {"soon", date, 0}, {"", date, 0},
	} {
		header := http.Header{"Retry-After": {one.retryAfter}, "Date": {one.date}}
		if wait := retryAfter(header); wait != one.want {
			t.Errorf("%q at %q: %s", one.retryAfter, one.date, wait)
		}
	}
}
