package changefeed

import "encoding/json"

// Severity of an event.
type Severity string

// From the least to the most severe.
const (
	SeverityTrace Severity = "TRACE"
	SeverityDebug Severity = "DEBUG"
	SeverityInfo  Severity = "INFO"
	SeverityWarn  Severity = "WARN"
	SeverityError Severity = "ERROR"
	SeverityFatal Severity = "FATAL"
)

// Op is what happened to an object.
type Op string

// What can happen to an object. A snapshot says that it is there; a version is one of a job that no poll saw, and no state
// of it.
const (
	OpCreate   Op = "create"
	OpUpdate   Op = "update"
	OpDelete   Op = "delete"
	OpSnapshot Op = "snapshot"
	OpVersion  Op = "version"
)

// Aspect is what a change is about.
type Aspect string

// What a change can be about.
const (
	AspectSpec      Aspect = "spec"
	AspectStatus    Aspect = "status"
	AspectSummary   Aspect = "summary"
	AspectPlacement Aspect = "placement"
	AspectMeta      Aspect = "meta"
)

// Payload is how much of an event's data to get.
type Payload string

// PROTOCOL.md, section 3.
const (
	PayloadFull  Payload = "full"
	PayloadPatch Payload = "patch"
	PayloadThin  Payload = "thin"
)

// Change is the data of a change. Before, After and Changes may be nil: too large, or not asked for.
type Change struct {
	Op     Op     `json:"op"`
	Aspect Aspect `json:"aspect"`
	// Signals are named transitions: docs/signals.md.
	Signals  []string `json:"signals"`
	Resource Resource `json:"resource"`
	Rev      Rev      `json:"rev"`
	Observed Observed `json:"observed"`
	// Actor is who made the change, where Nomad vouches for it.
	Actor *Actor `json:"actor,omitempty"`
	// Version is which of the job's it is, with OpVersion; nil else.
	Version *int `json:"version,omitempty"`
	// Spec is there with --enrich spec, of a job whose specification was written.
	Spec *Spec `json:"spec,omitempty"`
	// Log is there with --enrich logs, of an allocation with a task that failed.
	Log *TaskLog `json:"log,omitempty"`
	// Node is there with --enrich node, of a node.
	Node *NodeDetails `json:"node,omitempty"`
	// Explanation says in words, group by group, why an evaluation could not place everything.
	Explanation string `json:"explanation,omitempty"`
	// Changes of an update turn Before into After, in order: ApplyChanges does.
	Changes []JSONChange `json:"changes,omitempty"`
	// ChangesTruncated counts the changes left out for size; the event's DataRef has them.
	ChangesTruncated int `json:"changesTruncated,omitempty"`
	// Before is the last known stub of what was deleted.
	Before json.RawMessage `json:"before,omitempty"`
	// After is the list stub as Nomad sent it, byte for byte: json.Unmarshal it into a type of Nomad's api package.
	After json.RawMessage `json:"after,omitempty"`
	// Redacted are the JSON Pointers within data where "[redacted]" stands.
	Redacted []string `json:"redacted,omitempty"`
}

// Resource is whom an event is about.
type Resource struct {
	// Type is the kind of object: "jobs", "allocations".
	Type string `json:"type"`
	// Namespace is "-" for what belongs to none.
	Namespace string `json:"namespace"`
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	Job       string `json:"job,omitempty"`
	Group     string `json:"group,omitempty"`
	Node      string `json:"node,omitempty"`
}

// Rev has the Raft indexes of this version, of the one before, of the first; "" where there is none. Compare them with
// !=, never with >.
type Rev struct {
	Current  string `json:"current"`
	Previous string `json:"previous"`
	Created  string `json:"created"`
}

// Observed says how the feed came to know.
type Observed struct {
	// Mode is "live", "catchup" or "resync".
	Mode string `json:"mode"`
	// Coalesced is "no" where no change can have been between this version and the one before, else "maybe".
	Coalesced  string `json:"coalesced"`
	FromIndex  string `json:"fromIndex"`
	ToIndex    string `json:"toIndex"`
	Since      string `json:"since"`
	NomadEpoch int    `json:"nomadEpoch"`
	TimeBasis  string `json:"timeBasis"`
	// Via is "list" or "hint".
	Via        string `json:"via,omitempty"`
	Superseded bool   `json:"superseded,omitempty"`
	// Skipped is true with OpVersion: no poll saw it.
	Skipped bool `json:"skipped,omitempty"`
	// MissedTaskEvents are tasks of which events may have come and gone unseen: Nomad keeps the ten newest of each.
	MissedTaskEvents []string `json:"missedTaskEvents,omitempty"`
}

// Actor is who made a change.
type Actor struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Basis is "drain" or "job-register".
	Basis string `json:"basis"`
}

// JSONChange is one difference. Without From the member appeared, without To it vanished; JSON's null is a value.
type JSONChange struct {
	// Path is a JSON Pointer (RFC 6901).
	Path string          `json:"path"`
	From json.RawMessage `json:"from,omitempty"`
	To   json.RawMessage `json:"to,omitempty"`
}

// Spec is what a job's version changed in its specification.
type Spec struct {
	SpecVersion
	// Unavailable says in words why it could not be found out; the rest is empty then.
	Unavailable string `json:"unavailable,omitempty"`
}

// SpecVersion is one version of a job.
type SpecVersion struct {
	Version     int    `json:"version"`
	SubmittedAt string `json:"submittedAt"`
	// Diff is what it changed in the version before; nil where Nomad keeps none before it.
	Diff *SpecDiff `json:"diff"`
	// Redacted are paths of the changes in Diff whose values may be secrets.
	Redacted []string `json:"redacted"`
}

// SpecDiff has the changes between two versions.
type SpecDiff struct {
	Changes []SpecChange `json:"changes"`
	// Omitted counts the changes that are left out.
	Omitted int `json:"omitted"`
}

// SpecChange is one change of a job's specification; "[redacted]" stands for what may be a secret.
type SpecChange struct {
	// Path is a JSON Pointer: /TaskGroups/<group>/Tasks/<task>/Config/image
	Path string `json:"path"`
	// Kind is "added", "deleted" or "edited".
	Kind string  `json:"kind"`
	Old  *string `json:"old,omitempty"`
	New  *string `json:"new,omitempty"`
}

// TaskLog is what a task wrote last before it failed.
type TaskLog struct {
	Task     string `json:"task"`
	Stream   string `json:"stream"`
	ExitCode *int   `json:"exitCode,omitempty"`
	Signal   *int   `json:"signal,omitempty"`
	// Lines are oldest first.
	Lines []string `json:"lines"`
	// Unavailable says in words why it could not be found out; the rest is empty then.
	Unavailable string `json:"unavailable,omitempty"`
}

// NodeDetails are a node's own events since its version before, oldest first, and what changed in it.
type NodeDetails struct {
	Events []NodeEvent `json:"events"`
	// Changes are those of /Attributes and /Meta since the bridge read the node last.
	Changes []NodeChange `json:"changes,omitempty"`
	// Omitted counts the changes that are left out.
	Omitted int `json:"omitted,omitempty"`
	// Unavailable says in words why it could not be found out; the rest is empty then.
	Unavailable string `json:"unavailable,omitempty"`
}

// NodeEvent is one of a node's own events.
type NodeEvent struct {
	Message   string `json:"message"`
	Subsystem string `json:"subsystem"`
	Time      string `json:"time"`
}

// NodeChange is one difference. Without From it appeared, without To it vanished.
type NodeChange struct {
	Path string  `json:"path"`
	From *string `json:"from,omitempty"`
	To   *string `json:"to,omitempty"`
}
