"""What a subscription gives. The names are those of PROTOCOL.md; `data` is what came, as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from .wire import BookmarkData, ChangeData, GapData, MarkData, ObjectData, Severity


class Item:
    """Whatever a subscription gives."""

    __slots__ = ("raw", "text")

    def __init__(self, raw: Mapping[str, Any], text: str) -> None:
        #: All of it, as parsed JSON: whole numbers as int, others as Decimal.
        self.raw = raw
        #: Its JSON as the server sent it, byte for byte.
        self.text = text

    @property
    def type(self) -> str:
        return str(self.raw["type"])

    def __repr__(self) -> str:
        about = self.raw.get("subject") or self.raw.get("cursor") or ""
        return f"<{type(self).__name__} {self.type} {about}>".replace(" >", ">")


class _CloudEvent(Item):
    __slots__ = ()

    @property
    def id(self) -> str:
        """The same for the same change, whoever saw it: deduplicate by it."""
        return str(self.raw["id"])

    @property
    def source(self) -> str:
        """nomad://<cluster>/<region>"""
        return str(self.raw["source"])

    @property
    def subject(self) -> str:
        """`<resource>/<namespace>/<key>`; of a control event `feed/<resource>/<namespace>`, or `feed`."""
        return str(self.raw["subject"])

    @property
    def time(self) -> str:
        """RFC 3339: when it happened, as far as Nomad says; else when it was seen."""
        return str(self.raw["time"])

    @property
    def recordedtime(self) -> str:
        """RFC 3339: when the feed saw it."""
        return str(self.raw["recordedtime"])

    @property
    def severitytext(self) -> Severity:
        severity: Severity = self.raw["severitytext"]
        return severity


class Event(_CloudEvent):
    """An event of the log, also of a type that only a newer server knows."""

    __slots__ = ()

    @property
    def cursor(self) -> str:
        """Give it back to go on after this event."""
        return str(self.raw["cursor"])

    @property
    def sequence(self) -> str:
        """Contiguous number in the feed, 16 digits."""
        return str(self.raw["sequence"])

    @property
    def dataref(self) -> str | None:
        """Where the whole `data` is, where the event was too large to hold it."""
        return self.raw.get("dataref")


class ChangeEvent(Event):
    """A change of one Nomad object, or a version of a job that no poll saw."""

    __slots__ = ()

    @property
    def data(self) -> ChangeData:
        data: ChangeData = self.raw["data"]
        return data


class ControlEvent(Event):
    """What the feed says about itself, in its place among the changes."""

    __slots__ = ()

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.raw["data"]
        return data


class SnapshotObject(_CloudEvent):
    """An object of a snapshot, as it is at the snapshot's cursor."""

    __slots__ = ()

    @property
    def data(self) -> ObjectData:
        data: ObjectData = self.raw["data"]
        return data


class SnapshotMark(Item):
    """Stands before and after the objects of a snapshot, which replaces what one held of them."""

    __slots__ = ()

    @property
    def data(self) -> MarkData:
        data: MarkData = self.raw["data"]
        return data


class Gap(Item):
    """Events that were asked for are gone; the next ones follow `data["cursor"]`."""

    __slots__ = ()

    @property
    def data(self) -> GapData:
        data: GapData = self.raw["data"]
        return data


class Bookmark(Item):
    """Everything up to `data["cursor"]` came or did not match."""

    __slots__ = ()

    @property
    def data(self) -> BookmarkData:
        data: BookmarkData = self.raw["data"]
        return data


class Connected(Item):
    """A feed has answered. A notice of the client's own."""

    __slots__ = ("again", "cursor", "epoch", "feed", "gap")

    def __init__(self, *, again: bool, cursor: str, feed: str, epoch: str, gap: bool) -> None:
        super().__init__({"type": "client.connected"}, "")
        #: False the first time.
        self.again = again
        #: Where the stream starts.
        self.cursor = cursor
        #: nomad://<cluster>/<region>
        self.feed = feed
        self.epoch = epoch
        #: Whether a gap follows.
        self.gap = gap


class Disconnected(Item):
    """The connection was lost, or could not be made. A notice of the client's own."""

    __slots__ = ("reason", "retry_in_ms", "unreachable")

    def __init__(self, *, reason: str, retry_in_ms: int, unreachable: bool) -> None:
        super().__init__({"type": "client.disconnected"}, "")
        self.reason = reason
        self.retry_in_ms = retry_in_ms
        #: There was no connection to lose.
        self.unreachable = unreachable


def is_about(item: Item, resource: str) -> TypeGuard[ChangeEvent | SnapshotObject]:
    """Whether an item is about an object of this kind, as a change or in a snapshot."""
    if not isinstance(item, (ChangeEvent, SnapshotObject)):
        return False
    about = item.raw["data"].get("resource")
    return isinstance(about, dict) and about.get("type") == resource


def original_text(item: Item) -> str:
    """The JSON of an item, byte for byte as the server sent it."""
    return item.text


def event_of(raw: Mapping[str, Any], text: str) -> Event:
    """An event of the log."""
    kind = str(raw["type"])
    if kind.startswith("nomad.feed."):
        return ControlEvent(raw, text)
    return ChangeEvent(raw, text) if kind.startswith("nomad.") else Event(raw, text)
