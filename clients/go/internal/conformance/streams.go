package main

import (
	"context"
	"encoding/json"
	"errors"
	"sort"
	"time"

	"example.com/nomad-changefeed/changefeed"
)

// What subscriptions and consumptions have.
type stream interface {
	Next(context.Context) bool
	Item() changefeed.Item
	Err() error
	Cursor() string
	Close() error
}

// A case that takes so long has gone wrong.
const patience = time.Minute

func follow(given task) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	life, stop := context.WithCancel(ctx)
	defer stop()
	losses := []outcome{}
	options := given.Options.subscribe(&losses)
	events, ack, err := open(life, given, options)
	check(err)
	defer events.Close()

	items, told, waitsMs := []string{}, []string{}, []float64{}
	ended := func() any { return endOf(life, events.Err()) }
	for events.Next(ctx) {
		item := events.Item()
		items = append(items, nameOf(item))
		if text := item.OriginalText(); text != "" {
			told = append(told, text)
		}
		if lost, ok := item.(*changefeed.Disconnected); ok {
			waitsMs = append(waitsMs, float64(lost.RetryIn)/float64(time.Millisecond))
		}
		if event, ok := item.(*changefeed.Event); ok {
			if err := ack(ctx, event.Cursor); err != nil {
				ended = func() any { return endOf(life, err) }
				break
			}
		}
		if len(items) == given.LeaveAfter {
			ended = func() any { return "left" }
			break
		}
		if len(items) == given.StopAfter {
			stop()
		}
	}
	return outcome{
		"items": items, "texts": told, "waitsMs": waitsMs, "losses": losses, "cursor": cursorOf(events.Cursor()),
		"ended": ended(),
	}
}

func open(
	ctx context.Context, given task, options changefeed.SubscribeOptions,
) (stream, func(context.Context, string) error, error) {
	if given.Do == "consume" {
		events, err := changefeed.Consume(ctx, given.URL, given.Options.Consumer, options)
		if err != nil {
			return nil, nil, err
		}
		return events, events.Ack, nil
	}
	events, err := changefeed.Subscribe(ctx, given.URL, options)
	return events, func(context.Context, string) error { return nil }, err
}

func watch(given task) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	life, stop := context.WithCancel(ctx)
	defer stop()
	told := []string{}
	tell := func(what string) {
		told = append(told, what)
		if len(told) == given.StopAfter {
			stop()
		}
	}
	options := given.Options.state()
	options.OnChange = func(change changefeed.StateChange) {
		what := " updated"
		if change.Before == nil {
			what = " created"
		} else if change.After == nil {
			what = " deleted"
		}
		tell(change.Subject + what)
	}
	options.OnIncomplete = func(incomplete changefeed.IncompleteObject) {
		tell(incomplete.Subject + " incomplete: " + incomplete.Reason)
	}
	state, err := changefeed.WatchState(life, given.URL, options)
	check(err)
	ended := endOf(life, state.Wait(ctx))
	check(state.Close())

	objects := map[string]json.RawMessage{}
	for subject, known := range state.Objects() {
		objects[subject] = known.Stub
	}
	incomplete := []string{}
	for subject := range state.Incomplete() {
		incomplete = append(incomplete, subject)
	}
	sort.Strings(incomplete)
	return outcome{
		"told": told, "objects": objects, "incomplete": incomplete, "cursor": cursorOf(state.Cursor()), "ended": ended,
	}
}

// The caller's own end is no error.
func endOf(life context.Context, err error) any {
	var refused *changefeed.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled) && life.Err() != nil:
		return "done"
	case errors.As(err, &refused):
		return errorOf(refused)
	}
	return err.Error()
}

func nameOf(item changefeed.Item) string {
	switch item := item.(type) {
	case *changefeed.Event:
		return item.Cursor
	case *changefeed.SnapshotObject:
		return item.Subject
	case *changefeed.SnapshotMark:
		return "snapshot " + item.Phase
	case *changefeed.Gap:
		return "gap"
	case *changefeed.Bookmark:
		return "bookmark"
	case *changefeed.Connected:
		if item.Again {
			return "connected again"
		}
		return "connected"
	case *changefeed.Disconnected:
		return "disconnected"
	}
	return "what the README does not name"
}

func cursorOf(cursor string) any {
	if cursor == "" {
		return nil
	}
	return cursor
}
