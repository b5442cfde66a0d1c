"""What the server sends, as its own schemas have it (PROTOCOL.md, sections 4 to 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Severity = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
#: `version`: of a job, one that no poll saw. It is no state of the job.
Op = Literal["create", "update", "delete", "snapshot", "version"]
Aspect = Literal["spec", "status", "summary", "placement", "meta"]
Payload = Literal["full", "patch", "thin"]

#: One difference: `path` is a JSON Pointer (RFC 6901). Without `from` the member appeared, without `to` it vanished.
JsonChange = TypedDict("JsonChange", {"path": str, "from": "NotRequired[Any]", "to": "NotRequired[Any]"})


class Resource(TypedDict):
    """Whom an event is about."""

    type: str
    #: "-" for what belongs to no namespace.
    namespace: str
    id: str
    name: NotRequired[str]
    job: NotRequired[str]
    group: NotRequired[str]
    node: NotRequired[str]


class Rev(TypedDict):
    """Raft indexes of this version, of the one before, of the first. Compare with !=, never with >."""

    current: str | None
    previous: str | None
    created: str | None


class Observed(TypedDict):
    """How the feed came to know."""

    mode: Literal["live", "catchup", "resync"]
    coalesced: Literal["no", "maybe"]
    fromIndex: str | None
    toIndex: str
    since: str | None
    nomadEpoch: int
    timeBasis: str
    via: NotRequired[Literal["list", "hint"]]
    superseded: NotRequired[bool]
    #: With op version: no poll saw it.
    skipped: NotRequired[bool]
    #: Tasks of which events may have come and gone unseen: Nomad keeps the ten newest of each.
    missedTaskEvents: NotRequired[list[str]]


class Actor(TypedDict):
    """Who made a change, where Nomad vouches for it."""

    kind: str
    id: str
    name: NotRequired[str]
    basis: Literal["drain", "job-register"]


class SpecChange(TypedDict):
    """One change of a job's specification; "[redacted]" stands for what may be a secret."""

    #: JSON Pointer: /TaskGroups/<group>/Tasks/<task>/Config/image
    path: str
    kind: Literal["added", "deleted", "edited"]
    old: NotRequired[str]
    new: NotRequired[str]


class SpecDiff(TypedDict):
    changes: list[SpecChange]
    #: How many changes more there are.
    omitted: int


class SpecVersion(TypedDict):
    version: int
    submittedAt: str | None
    #: What it changed in the version before; None where Nomad keeps none before it.
    diff: SpecDiff | None
    #: Paths of the changes in `diff` whose values may be secrets.
    redacted: list[str]


class TaskLog(TypedDict):
    """What a task wrote last before it failed."""

    task: str
    stream: Literal["stderr"]
    exitCode: NotRequired[int]
    signal: NotRequired[int]
    #: Oldest first.
    lines: list[str]


class NodeEvent(TypedDict):
    message: str
    subsystem: str
    time: str


#: Without `from` it appeared, without `to` it vanished.
NodeChange = TypedDict("NodeChange", {"path": str, "from": "NotRequired[str]", "to": "NotRequired[str]"})


class NodeDetails(TypedDict):
    #: The node's own since its version before, oldest first.
    events: list[NodeEvent]
    #: Of /Attributes and /Meta since the bridge read the node last.
    changes: NotRequired[list[NodeChange]]
    #: How many changes more there are.
    omitted: NotRequired[int]


class Unavailable(TypedDict):
    """Why something could not be found out, in words."""

    unavailable: str


class ChangeData(TypedDict):
    """`data` of a change. `before`, `after` and `changes` may be absent: too large, or not asked for."""

    op: Op
    aspect: Aspect
    #: Named transitions, docs/signals.md.
    signals: list[str]
    resource: Resource
    rev: Rev
    observed: Observed
    actor: NotRequired[Actor]
    #: With op version: which of the job's.
    version: NotRequired[int]
    #: With --enrich spec, of a job whose specification was written.
    spec: NotRequired[SpecVersion | Unavailable]
    #: With --enrich logs, of an allocation with a task that failed.
    log: NotRequired[TaskLog | Unavailable]
    #: With --enrich node, of a node.
    node: NotRequired[NodeDetails | Unavailable]
    #: Of an evaluation that could not place everything: why, in words, group by group.
    explanation: NotRequired[str]
    #: With update: turns before into after, in order; `apply_changes` does.
    changes: NotRequired[list[JsonChange]]
    #: Changes left out for size; `dataref` has them.
    changesTruncated: NotRequired[int]
    #: With delete: the last known stub.
    before: NotRequired[dict[str, Any]]
    #: With create and update: the list stub as Nomad sent it.
    after: NotRequired[dict[str, Any]]
    redacted: NotRequired[list[str]]


class ObjectData(TypedDict):
    """`data` of an object in a snapshot or a state."""

    op: Literal["snapshot"]
    signals: list[str]
    resource: Resource
    rev: Rev
    after: NotRequired[dict[str, Any]]
    redacted: NotRequired[list[str]]


class GapData(TypedDict):
    reason: Literal["expired", "epoch-changed", "missing"]
    wanted: str
    cursor: str
    missed: NotRequired[int]


class MarkData(TypedDict):
    phase: Literal["begin", "end"]
    cursor: str
    count: NotRequired[int]


class BookmarkData(TypedDict):
    cursor: str
