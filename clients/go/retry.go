package changefeed

import (
	"context"
	crypto "crypto/rand"
	"encoding/binary"
	"math/rand"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// How soon to come back.
type pace int

const (
	// The server is or will be there.
	soon pace = iota
	// It has trouble, or enough of us.
	later
)

const (
	defaultBase = 500 * time.Millisecond
	defaultMax  = 30 * time.Second
	// Longest wait for a server that is only on its way back.
	soonMax = 5 * time.Second
	// How many times longer the waits are where the server has trouble.
	laterFactor = 4
	// More doublings than any bound needs.
	maxDoublings = 30
)

// How long to wait before the next try: full jitter, so that not all come back at once.
type retry struct {
	base, max time.Duration
	// Between 0 and 1.
	random   func() float64
	failures int
}

func newRetry(options RetryOptions) *retry {
	made := &retry{base: options.Base, max: options.Max, random: seededRandom()}
	if made.base == 0 {
		made.base = defaultBase
	}
	if made.max == 0 {
		made.max = defaultMax
	}
	return made
}

// Before Go 1.20 the package's own source is the same in every process: all would come back at once.
func seededRandom() func() float64 {
	var seed [8]byte
	if _, err := crypto.Read(seed[:]); err != nil {
		binary.LittleEndian.PutUint64(seed[:], uint64(time.Now().UnixNano()))
	}
	return rand.New(rand.NewSource(int64(binary.LittleEndian.Uint64(seed[:])))).Float64
}

func (r *retry) next(pace pace, atLeast time.Duration) time.Duration {
	doublings := r.failures
	if doublings > maxDoublings {
		doublings = maxDoublings
	}
	// In floating point nothing overflows.
	ceiling := float64(r.base) * float64(int64(1)<<doublings)
	if pace == later {
		ceiling *= laterFactor
	} else if ceiling > float64(soonMax) {
		ceiling = float64(soonMax)
	}
	if ceiling > float64(r.max) {
		ceiling = float64(r.max)
	}
	r.failures++
	return atLeast + time.Duration(r.random()*ceiling)
}

// After something came.
func (r *retry) reset() { r.failures = 0 }

// False where the context ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

var seconds = regexp.MustCompile(`^[0-9]{1,9}$`)

// Retry-After from the answer on; 0 where there is none. A date is held against the answer's own Date, so that no clock
// of ours counts.
func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds.MatchString(text) {
		// The pattern has digits only, and few of them.
		count, _ := strconv.ParseInt(text, 10, 64)
		return time.Duration(count) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil || until.Before(now) {
		return 0
	}
	return until.Sub(now)
}
