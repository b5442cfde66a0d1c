package main

import (
	"context"
	"encoding/json"
	"time"

	"example.com/nomad-changefeed/changefeed"
)

// The options of a case, under the names of the protocol.
type options struct {
	Types, Namespaces, Signals, Subjects []string
	Ops                                  []changefeed.Op
	Aspects                              []changefeed.Aspect
	MinSeverity                          changefeed.Severity
	Filter                               oneOrMore
	Cursor, Since                        string
	Snapshot                             bool
	Payload                              changefeed.Payload
	Limit                                int
	Parameters                           map[string]oneOrMore
	Notices                              []changefeed.NoticeType
	Consumer                             string
	Tokens                               []string
	// One text is an answer, a list those of a function.
	OnExpired any
	SilenceMs float64
	Retry     *struct{ BaseMs, MaxMs float64 }
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

func (o options) subscribe(losses *[]outcome) changefeed.SubscribeOptions {
	made := changefeed.SubscribeOptions{
		Types: o.Types, Namespaces: o.Namespaces, Signals: o.Signals, Subjects: o.Subjects,
		Ops: o.Ops, Aspects: o.Aspects, MinSeverity: o.MinSeverity, Filter: o.Filter,
		Cursor: o.Cursor, Since: o.Since, Snapshot: o.Snapshot, Payload: o.Payload, Limit: o.Limit,
		Parameters: map[string][]string{}, Notices: o.Notices,
		TokenFunc: o.tokens(), Silence: milliseconds(o.SilenceMs), Retry: o.retry(),
	}
	for name, values := range o.Parameters {
		made.Parameters[name] = values
	}
	switch answer := o.OnExpired.(type) {
	case string:
		made.OnExpired = changefeed.Expired(answer)
	case []any:
		next := giver(answer)
		made.OnExpiredFunc = func(loss changefeed.Loss) changefeed.Expired {
			*losses = append(*losses, outcome{"reason": loss.Reason, "wanted": loss.Wanted, "resumed": loss.Resumed})
			return changefeed.Expired(next().(string))
		}
	}
	return made
}

func (o options) state() changefeed.StateOptions {
	return changefeed.StateOptions{
		Types: o.Types, Namespaces: o.Namespaces, Subjects: o.Subjects, Filter: o.Filter,
		TokenFunc: o.tokens(), Silence: milliseconds(o.SilenceMs), Retry: o.retry(),
	}
}

func (o options) tokens() changefeed.TokenFunc {
	if o.Tokens == nil {
		return nil
	}
	next := giver(o.Tokens)
	return func(context.Context) (string, error) { return next(), nil }
}

func (o options) retry() changefeed.RetryOptions {
	if o.Retry == nil {
		return changefeed.RetryOptions{Base: time.Millisecond, Max: time.Millisecond}
	}
	return changefeed.RetryOptions{Base: milliseconds(o.Retry.BaseMs), Max: milliseconds(o.Retry.MaxMs)}
}

func milliseconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Millisecond))
}

// Gives one after the other, the last one again and again.
func giver[T any](values []T) func() T {
	return func() T {
		value := values[0]
		if len(values) > 1 {
			values = values[1:]
		}
		return value
	}
}
