package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"example.com/nomad-changefeed/changefeed"
)

func read(given task) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	api, err := changefeed.NewAPI(given.URL, changefeed.APIOptions{})
	check(err)
	defer api.Close()
	found, err := map[string]func(context.Context, *changefeed.API, json.RawMessage) (outcome, error){
		"events": events, "history": history, "state": state,
	}[given.Do](ctx, api, given.Query)
	if err == nil {
		return found
	}
	var failed *changefeed.Error
	if !errors.As(err, &failed) {
		return outcome{"failed": err.Error()}
	}
	said := errorOf(failed)
	said["status"], said["retryable"] = failed.Status, failed.Retryable
	if failed.RetryAfter != 0 {
		said["retryAfterMs"] = float64(failed.RetryAfter) / float64(time.Millisecond)
	}
	return outcome{"failed": said}
}

func events(ctx context.Context, api *changefeed.API, query json.RawMessage) (outcome, error) {
	var asked changefeed.EventsQuery
	check(json.Unmarshal(query, &asked))
	page, err := api.Events(ctx, asked)
	if err != nil {
		return nil, err
	}
	found := outcome{"cursor": page.Cursor, "head": page.Head, "floor": page.Floor, "hasGap": page.HasGap, "next": page.Next}
	return withEvents(found, page.Events), nil
}

func history(ctx context.Context, api *changefeed.API, query json.RawMessage) (outcome, error) {
	var asked changefeed.HistoryQuery
	check(json.Unmarshal(query, &asked))
	page, err := api.History(ctx, asked)
	if err != nil {
		return nil, err
	}
	return withEvents(outcome{"cursor": page.Cursor, "floor": page.Floor, "next": page.Next}, page.Events), nil
}

func state(ctx context.Context, api *changefeed.API, query json.RawMessage) (outcome, error) {
	var asked changefeed.StateQuery
	check(json.Unmarshal(query, &asked))
	objects, err := api.State(ctx, asked)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	items := []string{}
	for objects.Next() {
		items = append(items, nameOf(objects.Object()))
	}
	return outcome{"cursor": objects.Cursor(), "items": items}, objects.Err()
}

func withEvents(found outcome, of []*changefeed.Event) outcome {
	items, texts := []string{}, []string{}
	for _, event := range of {
		items = append(items, nameOf(event))
		texts = append(texts, event.OriginalText())
	}
	found["items"], found["texts"] = items, texts
	return found
}

// What an error says, without what it says nothing of.
func errorOf(err *changefeed.Error) outcome {
	said := outcome{"reason": err.Reason, "message": err.Message}
	for name, text := range map[string]string{"hint": err.Hint, "field": err.Field, "nearest": err.Nearest} {
		if text != "" {
			said[name] = text
		}
	}
	if err.Allowed != nil {
		said["allowed"] = err.Allowed
	}
	if err.Position != 0 {
		said["position"] = err.Position
	}
	return said
}
