"""The items of one subscription, through every disconnection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from ._connection import Connection, Request
from ._endings import Again, Done, Ending, Fatal, Lost, NotAFeed, SeveralFeeds, Stopped, verdict_of
from ._json import parse_object
from ._options import (
    SILENCE_MS,
    Address,
    Expired,
    Loss,
    Pairs,
    SubscribeOptions,
    refuse_unknown,
    stream_parameters,
    token_of,
    value_of,
    with_value,
    without,
)
from ._retry import Retry, RetryOptions, sleep
from .errors import ClientOptionInvalid, StreamRefused
from .items import Bookmark, Connected, Disconnected, Gap, Item, SnapshotMark, SnapshotObject, event_of

_NOTICES: Final = ("nomad.feed.bookmark", "client.connected", "client.disconnected")
_KNOWN: Final = frozenset(SubscribeOptions.__annotations__)


class Feed:
    """Its cursor stands behind what the consumer has dealt with.

    An item counts as dealt with when the next one is asked for, so none is skipped, and the one that a consumer failed
    at comes again to whoever goes on from the cursor.
    """

    def __init__(self, url: str, options: Mapping[str, Any], *, was_connected: bool = False) -> None:
        """`was_connected`: a feed is known to be there. Raises ClientOptionInvalid."""
        refuse_unknown(options, _KNOWN)
        self.address = Address.of(url)
        self._parameters = stream_parameters(options)
        self._options = options
        self.stop: asyncio.Event = options.get("stop") or asyncio.Event()
        self._retry = Retry(options.get("retry") or RetryOptions())
        self._notices = frozenset(options.get("notices") or ())
        for notice in self._notices - set(_NOTICES):
            raise ClientOptionInvalid(f"notices cannot be {notice!r}; allowed: {', '.join(_NOTICES)}")
        self._limit_given = self._whole_limit()
        #: Where to go on after what was dealt with; None before it is known.
        self.cursor: str | None = None
        #: Whether a feed has answered there, be it to another subscription.
        self.was_connected = was_connected
        self._is_connected = False
        self._events = 0
        self._said: Mapping[str, Any] = {}
        #: Set from where the cursor was found lost until the consumer has dealt with what replaces it.
        self._lost_answer: Expired | None = None
        #: Objects come, and there is no place to come back to before their end.
        self._is_before_snapshot_end = False

    async def items(self) -> AsyncGenerator[Item, None]:
        """Raises StreamRefused."""
        while not self.stop.is_set() and self._limit() != 0:
            self._said = {}
            self._is_connected = False
            parameters = self._next_parameters()
            connection = await self._connect(parameters)
            ending: Ending
            if isinstance(connection, Connection):
                try:
                    while True:
                        text = await connection.next()
                        if not isinstance(text, str):
                            ending = text
                            break
                        message = _message(text)
                        if message is None:
                            ending = NotAFeed()
                            break
                        if message["type"] == "nomad.feeds.hello":
                            ending = SeveralFeeds()
                            break
                        item = self._receive(message, text, parameters)
                        if item is not None:
                            yield item
                        self._advance(message)
                finally:
                    await connection.close()
            else:
                ending = connection
            verdict = verdict_of(ending, self._said, self.address.shown, was_connected=self.was_connected)
            if isinstance(verdict, Fatal) and self._may_ask_for_a_new_token(verdict.error):
                verdict = Again("soon", verdict.error.message)
            if isinstance(verdict, Done):
                return
            if isinstance(verdict, Fatal):
                raise verdict.error
            if isinstance(verdict, Lost):
                self._lose(verdict)
                continue
            wait_ms = self._retry.next(verdict.pace, verdict.at_least_ms)
            if "client.disconnected" in self._notices:
                yield Disconnected(reason=verdict.why, retry_in_ms=wait_ms, unreachable=verdict.unreachable)
            await sleep(wait_ms, self.stop)

    async def _connect(self, parameters: Pairs) -> Connection | Ending:
        token = await token_of(self._options.get("token"))
        if self.stop.is_set():
            return Stopped()
        query = f"?{urlencode(parameters)}" if parameters else ""
        return await Connection.open(
            Request(
                url=self.address.stream() + query,
                authorization=self.address.authorization(token),
                ssl=self._options.get("ssl") if self.address.is_secure else None,
                silence_s=(self._options.get("silence_ms") or SILENCE_MS) / 1000,
                stop=self.stop,
            )
        )

    def _receive(self, message: dict[str, Any], text: str, asked: Pairs) -> Item | None:
        """What the consumer is given of a message."""
        kind, data = message["type"], message.get("data")
        if isinstance(data, dict):
            if kind == "nomad.feed.hello":
                return self._greet(data, asked)
            if kind == "nomad.feed.error":
                self._said = data
                return None
            if kind == "nomad.feed.bookmark":
                return Bookmark(message, text) if kind in self._notices else None
            if kind == "nomad.feed.gap":
                return Gap(message, text)
            if kind == "nomad.feed.snapshot":
                return SnapshotMark(message, text)
        if isinstance(message.get("cursor"), str):
            return event_of(message, text)
        if self._is_before_snapshot_end and "subject" in message:
            return SnapshotObject(message, text)
        return None

    def _greet(self, hello: dict[str, Any], asked: Pairs) -> Item | None:
        again, self.was_connected, self._is_connected = self.was_connected, True, True
        gap = hello.get("gap") is True
        self._is_before_snapshot_end = value_of(asked, "snapshot") == "true" or (
            gap and value_of(asked, "onexpired") == "snapshot"
        )
        if "client.connected" not in self._notices:
            return None
        cursor, feed, epoch = (str(hello.get(name, "")) for name in ("cursor", "feed", "epoch"))
        return Connected(again=again, cursor=cursor, feed=feed, epoch=epoch, gap=gap)

    def _advance(self, message: dict[str, Any]) -> None:
        """Moves the cursor behind what was dealt with."""
        kind, data = message["type"], message.get("data")
        cursor = data.get("cursor") if isinstance(data, dict) else None
        if kind == "nomad.feed.hello" and isinstance(data, dict):
            # Before a gap or a snapshot was dealt with, the way back must lead to it.
            if data.get("gap") is not True and not self._is_before_snapshot_end:
                self._go_on_from(cursor)
            return
        if kind == "nomad.feed.error":
            return
        if kind == "nomad.feed.bookmark" and isinstance(cursor, str):
            self.cursor = cursor
        elif kind == "nomad.feed.gap" and isinstance(data, dict):
            if not self._is_before_snapshot_end:
                self._go_on_from(cursor)
        elif kind == "nomad.feed.snapshot" and isinstance(data, dict):
            if data.get("phase") == "end":
                self._go_on_from(cursor)
        elif isinstance(message.get("cursor"), str):
            self.cursor = message["cursor"]
            self._events += 1
        self._retry.reset()

    def _go_on_from(self, cursor: object) -> None:
        if isinstance(cursor, str):
            self.cursor = cursor
        self._lost_answer = None
        self._is_before_snapshot_end = False

    def _lose(self, lost: Lost) -> None:
        wanted = self.cursor or value_of(self._parameters, "cursor") or ""
        given: Expired | Callable[[Loss], Expired] = self._options.get("onexpired") or "fail"
        loss = Loss(lost.reason, wanted, resumed=self.cursor is not None)
        answer: Expired = given(loss) if callable(given) else given
        # Refused although the server was told what to do: it will not do it the next time.
        is_refused_again = self._lost_answer is not None and not self._is_connected
        if answer == "fail" or is_refused_again:
            raise lost.error
        self._lost_answer = answer

    def _may_ask_for_a_new_token(self, error: StreamRefused) -> bool:
        """A token that was good and is no longer: whoever gives tokens may have a newer one."""
        return error.reason == "UNAUTHORIZED" and self._is_connected and callable(self._options.get("token"))

    def _next_parameters(self) -> Pairs:
        pairs = self._parameters
        if self.cursor is not None:
            # The server's cursor of a consumer goes before ours, and is behind it.
            pairs = without(pairs, "since", "snapshot", "consumer")
            pairs = with_value(pairs, "cursor", self.cursor)
        if self._lost_answer is not None:
            pairs = with_value(pairs, "onexpired", self._lost_answer)
        limit = self._limit()
        return pairs if limit is None else with_value(pairs, "limit", str(limit))

    def _limit(self) -> int | None:
        """Events still wanted; None before the first, and without a limit."""
        if self._events == 0 or self._limit_given is None:
            return None
        return max(0, self._limit_given - self._events)

    def _whole_limit(self) -> int | None:
        try:
            return int(value_of(self._parameters, "limit") or "")
        except ValueError:
            # The server refuses what is no number.
            return None


def _message(text: str) -> dict[str, Any] | None:
    """None where it is no JSON object with a type."""
    message = parse_object(text)
    return message if message is not None and isinstance(message.get("type"), str) else None
