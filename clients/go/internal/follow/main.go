// Command follow follows a feed from its beginning and watches its state, for a test that harms the bridge meanwhile.
//
// It writes each event as it came, one a line; an empty line, and after it the stubs by subject as one JSON object, each
// time it reads a line. It ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"example.com/nomad-changefeed/changefeed"
)

var quick = changefeed.RetryOptions{Base: 20 * time.Millisecond, Max: 200 * time.Millisecond}

// Two goroutines write.
type output struct{ mu sync.Mutex }

func (o *output) println(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Println(text)
}

func main() {
	ctx := context.Background()
	url := os.Args[1]
	state, err := changefeed.WatchState(ctx, url, changefeed.StateOptions{Retry: quick})
	check(err)
	events, err := changefeed.Subscribe(ctx, url, changefeed.SubscribeOptions{Cursor: "earliest", Retry: quick})
	check(err)
	var out output
	followed := make(chan error, 1)
	go func() { followed <- follow(ctx, events, &out) }()

	check(state.Ready(ctx))
	for asks := bufio.NewScanner(os.Stdin); asks.Scan(); {
		out.println("\n" + stubs(state))
	}
	check(events.Close())
	check(<-followed)
	check(state.Close())
	check(state.Wait(ctx))
}

func follow(ctx context.Context, events *changefeed.Subscription, out *output) error {
	for events.Next(ctx) {
		if event, ok := events.Item().(*changefeed.Event); ok {
			out.println(event.OriginalText())
		}
	}
	return events.Err()
}

func stubs(state *changefeed.WatchedState) string {
	bySubject := map[string]json.RawMessage{}
	for subject, known := range state.Objects() {
		bySubject[subject] = known.Stub
	}
	text, err := json.Marshal(bySubject)
	check(err)
	return string(text)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
