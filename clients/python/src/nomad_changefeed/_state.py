"""A map of Nomad's objects that keeps itself up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import urljoin, urlsplit

from ._feed import Feed
from ._http import Caller, answer_to
from ._json import parse_object, same_json
from ._options import Choice, refuse_unknown, token_of
from ._retry import Retry, RetryOptions, sleep
from ._threads import in_thread
from .errors import ClientStopped, RequestFailed
from .items import ChangeEvent, Connected, Disconnected, Item, SnapshotMark, SnapshotObject
from .wire import Resource

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


@dataclass(frozen=True)
class NomadObject:
    """One Nomad object as the feed last saw it."""

    resource: Resource
    #: The list stub as Nomad sent it.
    stub: dict[str, Any]
    #: Raft index of this version; compare with !=, never with >.
    rev: str | None


@dataclass(frozen=True)
class StateChange:
    """Without `before` it is new, without `after` it is gone."""

    #: `<resource>/<namespace>/<key>`
    subject: str
    before: NomadObject | None
    after: NomadObject | None


@dataclass(frozen=True)
class IncompleteObject:
    """An object whose newest version was too large for its event, and could not be fetched."""

    subject: str
    reason: str


class WatchStateOptions(Choice, total=False):
    """Which objects to hold, and who is told.

    A `filter` must hold of an object for as long as it is there, or never, such as one of its `resource`.
    """

    #: Told of each change after the map has it; in the first snapshot, of each object.
    on_change: Callable[[StateChange], None]
    #: Told of each object that changed and whose new version cannot be had: the map keeps the one before, if any.
    on_incomplete: Callable[[IncompleteObject], None]
    #: Told of each connection that came to be, was lost, or was tried in vain.
    on_connection: Callable[[Connected | Disconnected], None]


_KNOWN: Final = frozenset(WatchStateOptions.__annotations__)


def watch_state(url: str, **options: Unpack[WatchStateOptions]) -> WatchedState:
    """A map of Nomad's objects that keeps itself up to date, for as long as the body of `async with` takes.

    From a snapshot, then from each change; anew from a snapshot where changes were missed. A failure that nobody asked
    `ready` or `ended` for is raised at the end of the body. Raises ClientOptionInvalid.
    """
    return WatchedState(url, options)


class WatchedState:
    def __init__(self, url: str, options: WatchStateOptions) -> None:
        refuse_unknown(options, _KNOWN)
        self._url = url
        self._options = options
        self._stop = options.get("stop") or asyncio.Event()
        self._fold = _StateFold()
        self._incomplete: dict[str, str] = {}
        #: Between one snapshot and the next, where the first did not help.
        self._retry = Retry(options.get("retry") or RetryOptions())
        self._feed = self._new_feed(was_connected=False)
        self._whole_items = _WholeItems(self._feed, options)
        self._ready = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        #: Whether somebody was told how it ended.
        self._is_told = False
        #: False while the objects are as they were when the connection was lost.
        self.is_connected = False

    @property
    def objects(self) -> Mapping[str, NomadObject]:
        """By subject. Changes by itself; empty before the first snapshot has come."""
        return MappingProxyType(self._fold.objects)

    @property
    def incomplete(self) -> Mapping[str, str]:
        """Subjects whose newest version cannot be had, with the reason: the map has an older one, or none."""
        return MappingProxyType(self._incomplete)

    @property
    def cursor(self) -> str | None:
        """Where the objects are true, but for those."""
        return self._feed.cursor

    async def ready(self) -> None:
        """Returns once the first snapshot has come. Raises what `ended` does; ClientStopped where none will come."""
        waiting = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({waiting, self._task()}, return_when=asyncio.FIRST_COMPLETED)
            if not self._ready.is_set():
                self._is_told = True
                self._task().result()
                raise ClientStopped
        finally:
            waiting.cancel()

    async def ended(self) -> None:
        """Returns when `stop` was set. Raises StreamRefused, or what `on_change` raised."""
        await asyncio.wait({self._task()})
        self._is_told = True
        self._task().result()

    async def __aenter__(self) -> Self:
        self._running = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task()
        task.cancel()
        await asyncio.wait({task})
        failure = None if task.cancelled() else task.exception()
        if failure is not None and error is None and not self._is_told:
            raise failure

    def _task(self) -> asyncio.Task[None]:
        if self._running is None:
            raise RuntimeError("A state is watched inside of `async with watch_state(...) as state:`")
        return self._running

    def _new_feed(self, *, was_connected: bool) -> Feed:
        given = {name: value for name, value in self._options.items() if not name.startswith("on_")}
        notices = ("client.connected", "client.disconnected")
        chosen = {"stop": self._stop, "snapshot": True, "onexpired": "snapshot", "notices": notices}
        return Feed(self._url, {**given, **chosen}, was_connected=was_connected)

    async def _run(self) -> None:
        try:
            while await self._follow():
                self.is_connected = False
                await sleep(self._retry.next("soon"), self._stop)
                self._feed = self._new_feed(was_connected=self._feed.was_connected)
        finally:
            self.is_connected = False

    async def _follow(self) -> bool:
        """True where only another snapshot helps."""
        items = self._feed.items()
        try:
            async for item in items:
                if isinstance(item, (Connected, Disconnected)):
                    self.is_connected = isinstance(item, Connected)
                    self._tell("on_connection", item)
                    continue
                whole = await self._whole_items.get(item)
                if whole is None:
                    return not self._stop.is_set()
                if isinstance(whole, IncompleteObject):
                    self._incomplete[whole.subject] = whole.reason
                    self._tell("on_incomplete", whole)
                else:
                    self._take(whole)
            return False
        finally:
            await items.aclose()

    def _take(self, item: Item) -> None:
        if _says_how_it_is(item):
            self._incomplete.pop(item.subject, None)
        if isinstance(item, ChangeEvent) and item.dataref is not None:
            self._retry.reset()
        for change in self._fold.take(item):
            self._tell("on_change", change)
        if isinstance(item, SnapshotMark) and item.data["phase"] == "end":
            self._incomplete.clear()
            self._ready.set()

    def _tell(self, listener: str, what: object) -> None:
        told: Callable[[object], None] | None = dict(self._options).get(listener)  # type: ignore[assignment]
        if told is not None:
            told(what)


class _StateFold:
    """Objects by subject, from a snapshot and the changes after it. A new snapshot replaces all, at its end."""

    def __init__(self) -> None:
        self.objects: dict[str, NomadObject] = {}
        self._incoming: dict[str, NomadObject] | None = None

    def take(self, item: Item) -> list[StateChange]:
        """What the item changes."""
        if isinstance(item, SnapshotMark):
            return self._mark(item.data["phase"])
        if not _says_how_it_is(item):
            return []
        after = _object_of(item)
        if self._incoming is None:
            change = self._put(item.subject, after)
            # What was not there and is not there is no change.
            return [] if change.before is None and change.after is None else [change]
        if after is not None:
            self._incoming[item.subject] = after
        return []

    def _mark(self, phase: str) -> list[StateChange]:
        incoming, self._incoming = self._incoming, {} if phase == "begin" else None
        if phase == "begin" or incoming is None:
            return []
        gone = [subject for subject in self.objects if subject not in incoming]
        changes = [self._put(subject, None) for subject in gone]
        changes += [self._put(subject, after) for subject, after in incoming.items()]
        return [change for change in changes if not _is_same(change)]

    def _put(self, subject: str, after: NomadObject | None) -> StateChange:
        before = self.objects.get(subject)
        if after is None:
            self.objects.pop(subject, None)
        else:
            self.objects[subject] = after
        return StateChange(subject, before, after)


def _says_how_it_is(item: Item) -> TypeGuard[ChangeEvent | SnapshotObject]:
    """Of a job that passed over a version the next event does."""
    return isinstance(item, (ChangeEvent, SnapshotObject)) and item.data.get("op") != "version"


def _is_same(change: StateChange) -> bool:
    """A stub can change while its rev stays: Nomad gives some fields no index."""
    before, after = change.before, change.after
    if before is None or after is None:
        return False
    return before.rev == after.rev and same_json(before.stub, after.stub)


def _object_of(item: ChangeEvent | SnapshotObject) -> NomadObject | None:
    data = item.data
    after = data.get("after")
    return None if after is None else NomadObject(data["resource"], after, data["rev"]["current"])


class _WholeItems:
    """Fetches what was too large for its event.

    Where that fails again and again, each is tried once, to hold up nobody.
    """

    _TRIES: Final = 3
    _GONE: Final = ("NO_DATA", "CURSOR_EXPIRED", "EPOCH_CHANGED")

    def __init__(self, feed: Feed, options: WatchStateOptions) -> None:
        self._address = feed.address
        self._stop = feed.stop
        self._options = options
        self._retry = Retry(options.get("retry") or RetryOptions())
        self._is_reachable = True

    async def get(self, item: Item) -> Item | IncompleteObject | None:
        """The item with all its data, or why not; None where the server has it no more."""
        # There is nothing after a delete.
        if not isinstance(item, ChangeEvent) or item.dataref is None or item.data["op"] in ("delete", "version"):
            return item
        path = urlsplit(urljoin("http://feed/v1/events", item.dataref)).path
        tries = self._TRIES if self._is_reachable else 1
        while True:
            tries -= 1
            reason = f"{item.dataref} answered with no data"
            try:
                data = await self._read(path)
            except ClientStopped:
                return None
            except RequestFailed as error:
                if error.code in self._GONE:
                    return None
                data = None
                answered = "cannot be reached" if error.status == 0 else f"answered {error.status}"
                said = f": {error.message}" if error.code not in ("NOT_A_FEED", "FEED_UNREACHABLE") else ""
                reason = f"{item.dataref} {answered}{said}"
            if data is not None and "resource" in data:
                self._is_reachable = True
                self._retry.reset()
                return ChangeEvent({**item.raw, "data": data}, item.text)
            if tries <= 0:
                self._is_reachable = False
                return IncompleteObject(item.subject, reason)
            await sleep(self._retry.next("soon"), self._stop)

    async def _read(self, path: str) -> dict[str, Any] | None:
        token = await token_of(self._options.get("token"))
        caller = Caller(self._address, token, self._options.get("ssl"))
        return parse_object(await in_thread(partial(_text_of, caller, path), self._stop))


def _text_of(caller: Caller, path: str) -> str:
    with answer_to(caller, path) as answer:
        return answer.text()
