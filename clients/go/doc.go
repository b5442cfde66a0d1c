// Package changefeed follows a nomad-changefeed, the change feed of HashiCorp Nomad: typed events, across restarts and
// retention, at the consumer's own pace.
//
// [Subscribe] gives the events in order and skips none, from connection to connection. [Consume] is the same with a
// cursor that the server keeps. [WatchState] holds Nomad's objects and keeps them up to date. [NewAPI] asks for pages,
// the history and the state. What came is JSON as the server sent it, with every digit: Nomad's nanoseconds exceed what
// a float64 holds.
//
// PROTOCOL.md of the project is the specification.
package changefeed
