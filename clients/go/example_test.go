package changefeed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"testing"

	"example.com/nomad-changefeed/changefeed"
)

// The address of a feed. That of the examples has two changes and an object, and ends.
var feedURL string

func TestMain(m *testing.M) {
	feed := newServer(exampleStream, exampleAnswer)
	feed.Start()
	feedURL = feed.URL
	code := m.Run()
	feed.stop()
	os.Exit(code)
}

func ExampleSubscribe() {
	ctx := context.Background()
	events, err := changefeed.Subscribe(ctx, feedURL, changefeed.SubscribeOptions{Types: []string{"jobs"}})
	if err != nil {
		log.Fatal(err)
	}
	defer events.Close()
	for events.Next(ctx) {
		event, ok := events.Item().(*changefeed.Event)
		if !ok || event.Change == nil {
			continue
		}
		// Or a type of github.com/hashicorp/nomad/api, such as api.JobListStub.
		var job struct{ Status string }
		if err := json.Unmarshal(event.Change.After, &job); err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Subject, event.Change.Op, job.Status)
	}
	if err := events.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("goes on after", events.Cursor())
	// Output:
	// jobs/default/web update running
	// jobs/default/web update dead
	// goes on after e-3
}

func ExampleSubscribe_refused() {
	ctx := context.Background()
	events, err := changefeed.Subscribe(ctx, feedURL, changefeed.SubscribeOptions{Types: []string{"job"}})
	if err != nil {
		log.Fatal(err)
	}
	defer events.Close()
	for events.Next(ctx) {
	}
	var refused *changefeed.Error
	if errors.As(events.Err(), &refused) {
		fmt.Println(refused.Reason, refused.Field, refused.Allowed)
	}
	fmt.Println(errors.Is(events.Err(), changefeed.ErrInvalidParameter))
	// Output:
	// INVALID_PARAMETER types [jobs]
	// true
}

func ExampleConsume() {
	ctx := context.Background()
	events, err := changefeed.Consume(ctx, feedURL, "pager", changefeed.SubscribeOptions{Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer events.Close()
	for events.Next(ctx) {
		if event, ok := events.Item().(*changefeed.Event); ok {
			fmt.Println("page somebody:", event.ID)
			if err := events.Ack(ctx, event.Cursor); err != nil {
				log.Fatal(err)
			}
		}
	}
	if err := events.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// page somebody: web@2
}

func ExampleWatchState() {
	ctx := context.Background()
	state, err := changefeed.WatchState(ctx, feedURL, changefeed.StateOptions{Types: []string{"nodes"}})
	if err != nil {
		log.Fatal(err)
	}
	defer state.Close()
	if err := state.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	node, _ := state.Get("nodes/-/n1")
	fmt.Println(state.Len(), string(node.Stub))
	// Output:
	// 1 {"Status":"ready"}
}

func ExampleAPI_Events() {
	ctx := context.Background()
	api, err := changefeed.NewAPI(feedURL, changefeed.APIOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer api.Close()
	query := &changefeed.EventsQuery{Types: []string{"jobs"}, Order: changefeed.NewestFirst}
	for query != nil {
		page, err := api.Events(ctx, *query)
		if err != nil {
			log.Fatal(err)
		}
		for _, event := range page.Events {
			fmt.Println(event.Cursor, event.Subject)
		}
		query = page.Next
	}
	// Output:
	// e-3 jobs/default/web
	// e-2 jobs/default/web
}

func ExampleApplyChanges() {
	before := json.RawMessage(`{"Status":"pending","SubmitTime":1795434687866379238}`)
	changes := []changefeed.JSONChange{{Path: "/Status", From: []byte(`"pending"`), To: []byte(`"running"`)}}
	after, err := changefeed.ApplyChanges(before, changes)
	fmt.Println(string(after), err)
	_, err = changefeed.ApplyChanges(after, changes)
	fmt.Println(errors.Is(err, changefeed.ErrOtherVersion))
	// Output:
	// {"Status":"running","SubmitTime":1795434687866379238} <nil>
	// true
}

func exampleStream(ctx context.Context, s socket) {
	switch s.query.Get("types") {
	case "job":
		s.say(ctx, `{"type":"nomad.feed.error","data":{"code":"INVALID_PARAMETER","message":"types cannot be \"job\"","field":"types","allowed":["jobs"]}}`)
		s.Close(4400, "")
		return
	case "nodes":
		s.say(ctx, hello("e-1"), mark("begin", "e-1"),
			`{"type":"nomad.node.snapshot","subject":"nodes/-/n1","data":{"op":"snapshot","after":{"Status":"ready"}}}`, mark("end", "e-1"))
		return
	}
	s.say(ctx, hello("e-1"), jobEvent(2, "running"), jobEvent(3, "dead"))
	s.Close(1000, "")
}

func exampleAnswer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		fmt.Fprint(w, `{"name":"pager","cursor":"e-2"}`)
		return
	}
	w.Header().Set("X-Changefeed-Cursor", "e-2")
	fmt.Fprintf(w, "[%s,\n%s]", jobEvent(3, "dead"), jobEvent(2, "running"))
}

func jobEvent(at int, status string) string {
	return fmt.Sprintf(
		`{"type":"nomad.job.updated","id":"web@%d","subject":"jobs/default/web","cursor":"e-%d","data":{"op":"update","after":{"Status":%q}}}`,
		at, at, status)
}
