"""What a server is asked once, where `subscribe` and `watch_state` follow it.

All of it blocks; from asyncio: `await asyncio.to_thread(api.events, types=["jobs"])`.
"""

from __future__ import annotations

import re
import ssl as tls
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode

from ._http import Answer, Caller, answer_to
from ._json import parse, parse_object
from ._options import Address, Pairs, Texts, add_parameter
from .errors import ClientOptionInvalid, RequestFailed, text_in
from .items import Event, SnapshotObject, event_of
from .wire import Payload, Severity

Order = Literal["oldest-first", "newest-first"]
_NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class EventPage:
    #: In the order that was asked for.
    events: list[Event]
    #: How far the page got.
    cursor: str
    #: The end of the feed: with `newest-first`, where a page begins that has neither `cursor` nor `until`.
    head: str
    #: Retention has removed the events up to there; None where the server is older than this client.
    floor: str | None
    #: Events that were asked for are gone.
    has_gap: bool
    #: The query of the page that follows, for `events(**page.next)`; None: there is nothing more. Oldest first there
    #: always is one without `until`: events may come.
    next: dict[str, Any] | None


@dataclass(frozen=True)
class HistoryPage:
    events: list[Event]
    #: How far the page got.
    cursor: str
    #: Retention has removed the events up to there.
    floor: str
    #: The query of the page that follows, for `history(**page.next)`; None: there is nothing more. A page may be empty
    #: and have one.
    next: dict[str, Any] | None


class StateRead(Iterator[SnapshotObject]):
    """The objects as the server sends them, one piece of the answer at a time.

    Iterate it once, and soon: the server waits a minute for a reader. What does not end with RequestFailed was whole.
    """

    def __init__(self, objects: Iterator[SnapshotObject], cursor: str, close: Callable[[], None]) -> None:
        self._objects = objects
        #: Where the objects are true: events after it change them.
        self.cursor = cursor
        #: Ends the request before its end.
        self.close = close

    def __next__(self) -> SnapshotObject:
        return next(self._objects)


def feed_api(url: str, *, token: str | Callable[[], str] | None = None, ssl: tls.SSLContext | None = None) -> FeedApi:
    """Raises ClientOptionInvalid."""
    return FeedApi(Address.of(url), token, ssl)


class FeedApi:
    """One method for each route; the parameters are the route's, in snake_case. All raise RequestFailed.

    Each makes one request and tries nothing again.
    """

    def __init__(self, address: Address, token: str | Callable[[], str] | None, ssl: tls.SSLContext | None) -> None:
        self._address = address
        self._token = token
        self._ssl = ssl

    def get(self, path: str, **query: object) -> Any:
        """The answer of any other route as JSON: `api.get("/v1/deliveries")`."""
        with self._ask(path, query, accept="application/json") as answer:
            return _parsed(answer, answer.text())

    def about(self) -> dict[str, Any]:
        """What this server is, and where the feed stands."""
        return self._object("/v1/about")

    def events(
        self,
        *,
        types: Texts | None = None,
        namespaces: Texts | None = None,
        ops: Texts | None = None,
        aspects: Texts | None = None,
        signals: Texts | None = None,
        subjects: Texts | None = None,
        min_severity: Severity | None = None,
        filter: Texts | None = None,
        payload: Payload | None = None,
        since: str | None = None,
        until: str | None = None,
        order: Order | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        onexpired: Literal["fail", "earliest"] | None = None,
        consumer: str | None = None,
    ) -> EventPage:
        """A page of events."""
        query = {name: value for name, value in locals().items() if name != "self" and value is not None}
        with self._ask("/v1/events", query) as answer:
            events, at = _page(answer)
            headers = answer.headers
            following = _following(headers)
            # What says where it goes on and where it ends, as the server says it: ages are times there.
            kept = {name: query[name] for name in query if name not in ("consumer", "since", "until")}
            bounds = {name: value for name, value in (following or ()) if name in ("cursor", "since", "until")}
            return EventPage(
                events=events,
                cursor=at,
                head=headers.get("X-Changefeed-Head", at),
                floor=headers.get("X-Changefeed-Floor"),
                has_gap=headers.get("X-Changefeed-Gap") == "true",
                next=None if following is None else {**kept, **bounds},
            )

    def event(self, cursor: str) -> Event:
        """The one event with this cursor."""
        with self._ask(f"/v1/events/{_segment(cursor)}") as answer:
            return _event(answer, answer.text().strip())

    def data(self, cursor: str) -> dict[str, Any]:
        """The whole `data` of an event that was too large for it."""
        return self._object(f"/v1/data/{_segment(cursor)}")

    def history(
        self,
        *,
        subject: str | None = None,
        job: str | None = None,
        node: str | None = None,
        namespace: str | None = None,
        signal: str | None = None,
        min_severity: Severity | None = None,
        since: str | None = None,
        until: str | None = None,
        order: Order | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> HistoryPage:
        """A page of an object, a job, a node or a namespace; newest first by default."""
        query = {name: value for name, value in locals().items() if name != "self" and value is not None}
        with self._ask("/v1/history", query) as answer:
            events, at = _page(answer)
            is_last = _following(answer.headers) is None
            floor = answer.headers.get("X-Changefeed-Floor", at)
            return HistoryPage(events, at, floor, None if is_last else {**query, "cursor": at})

    def state(
        self,
        *,
        types: Texts | None = None,
        namespaces: Texts | None = None,
        subjects: Texts | None = None,
        filter: Texts | None = None,
        at: str | None = None,
    ) -> StateRead:
        """The objects as they are, or were at a time (RFC 3339 or age) or cursor."""
        query = {name: value for name, value in locals().items() if name != "self"}
        with ExitStack() as stack:
            answer = stack.enter_context(self._ask("/v1/state", query, accept=_NDJSON))
            cursor = answer.headers.get("X-Changefeed-Cursor")
            if cursor is None or not answer.headers.get("Content-Type", "").startswith(_NDJSON):
                raise answer.failure()
            request = stack.pop_all()
        return StateRead(_objects(answer, request), cursor, request.close)

    def counts(self, **query: object) -> dict[str, Any]:
        """How many events there were, over time: the parameters of PROTOCOL.md, section 11."""
        return self._object("/v1/counts", **query)

    def why(self, subject: str, *, at: str | None = None) -> dict[str, Any]:
        """Why an object is as it is, or was."""
        return self._object("/v1/why", subject=subject, at=at)

    def job_versions(self, *, namespace: str, job: str) -> dict[str, Any]:
        """What the versions of a job changed in its specification, as many as Nomad keeps."""
        return self._object("/v1/job-versions", namespace=namespace, job=job)

    def alerts(self) -> dict[str, Any]:
        """What fires, what ended in the last hour, and who is told."""
        return self._object("/v1/alerts")

    def assignments(self) -> list[dict[str, Any]]:
        """Who does what of the feed's work."""
        return self._list("/v1/assignments", "assignments")

    def consumers(self) -> list[dict[str, Any]]:
        return self._list("/v1/consumers", "consumers")

    def consumer(self, name: str) -> dict[str, Any]:
        return self._object(f"/v1/consumers/{_segment(name)}")

    def delete_consumer(self, name: str) -> None:
        with self._ask(f"/v1/consumers/{_segment(name)}", method="DELETE"):
            pass

    def _ask(
        self,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        method: str = "GET",
        accept: str | None = None,
    ) -> Any:
        token = self._token() if callable(self._token) else self._token
        if token is not None and not isinstance(token, str):
            raise ClientOptionInvalid("token: a function must return a text here, and none that is awaited")
        pairs: Pairs = []
        for name, value in (query or {}).items():
            add_parameter(pairs, name, value)
        search = f"?{urlencode(pairs)}" if pairs else ""
        return answer_to(Caller(self._address, token, self._ssl), path + search, method=method, accept=accept)

    def _object(self, path: str, **query: object) -> dict[str, Any]:
        with self._ask(path, query, accept="application/json") as answer:
            text = answer.text()
            value = parse_object(text)
            if value is None:
                raise answer.failure(text)
            return value

    def _list(self, path: str, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._object(path)[name]
        return found


def _segment(text: str) -> str:
    return quote(text, safe="")


def _parsed(answer: Answer, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        raise answer.failure(text) from None


def _event(answer: Answer, text: str) -> Event:
    raw = parse_object(text)
    if raw is None or not isinstance(raw.get("type"), str):
        raise answer.failure(text)
    return event_of(raw, text)


def _page(answer: Answer) -> tuple[list[Event], str]:
    """A page is `[`, the events with a comma and a newline between them, and `]`; an event is one line."""
    cursor = answer.headers.get("X-Changefeed-Cursor")
    if cursor is None:
        raise answer.failure()
    events = answer.text().strip()[1:-1]
    return [_event(answer, text) for text in events.split(",\n")] if events else [], cursor


def _following(headers: Mapping[str, str]) -> Pairs | None:
    """The parameters of the next page, where there is one."""
    link = re.fullmatch(r'<\?(.*)>; rel="next"', headers.get("Link", ""))
    return None if link is None else parse_qsl(link[1], keep_blank_values=True)


def _objects(answer: Answer, request: ExitStack) -> Iterator[SnapshotObject]:
    with request:
        for line in answer.lines():
            raw = parse_object(line)
            if raw is None:
                raise answer.failure(line)
            if raw.get("type") == "nomad.feed.error":
                raise _broken_off(raw.get("data"))
            yield SnapshotObject(raw, line)


def _broken_off(said: object) -> RequestFailed:
    """As the answer would have been, had it not begun: close codes from 4400 are statuses plus 4000."""
    data = said if isinstance(said, dict) else {}
    code = data.get("closeCode")
    status = code - 4000 if isinstance(code, int) and code >= 4400 else 503
    reason, message = text_in(data, "code") or "INTERNAL", text_in(data, "message") or "The state broke off"
    return RequestFailed(reason, message, hint=text_in(data, "hint"), status=status, problem=data)
