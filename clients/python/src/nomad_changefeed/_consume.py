"""A subscription whose cursor the server keeps."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from ._feed import Feed
from ._http import Caller, answer_to
from ._json import parse_object
from ._options import SubscribeOptions, token_of
from ._retry import Retry, RetryOptions, sleep
from ._subscription import Subscription
from ._threads import in_thread
from .errors import ClientStopped, RequestFailed, StreamRefused
from .items import Event

if TYPE_CHECKING:
    from typing_extensions import Unpack


def consume(url: str, *, consumer: str, **options: Unpack[SubscribeOptions]) -> Consumption:
    """Like `subscribe`, from where the last `ack` under this name was: the server keeps the cursor.

    `consumer` is 1 to 64 of A-Z a-z 0-9 . _ - What was not acked comes again to whoever comes next.
    Raises ClientOptionInvalid at once, StreamRefused from the iteration.
    """
    parameters = {**options.get("parameters", {}), "consumer": consumer}
    return Consumption(url, consumer, {**options, "parameters": parameters})


class Consumption(Subscription):
    def __init__(self, url: str, consumer: str, options: SubscribeOptions) -> None:
        super().__init__(Feed(url, options))
        self._acks = _Acks(self._feed, consumer, options)

    async def ack(self, dealt_with: str | Event) -> None:
        """Everything up to this event or cursor has been dealt with: whoever comes next starts after it.

        Returns once the server has stored it, or a newer one; tries again as long as the server cannot.
        Raises StreamRefused, and ClientStopped where `stop` ended it: the event comes again.
        """
        await self._acks.ack(dealt_with if isinstance(dealt_with, str) else dealt_with.cursor)


#: A proxy in front of the feed may ask for a token in its place.
_WANTS_A_TOKEN: Final = (401, 403)


class _Acks:
    """Acks go by HTTP: they are answered, and may be of an event that an earlier connection brought.

    While one is under way the newest waits and those between are forgotten.
    """

    def __init__(self, feed: Feed, consumer: str, options: SubscribeOptions) -> None:
        self._feed = feed
        self._options = options
        self._retry = Retry(options.get("retry") or RetryOptions())
        self._path = f"/v1/consumers/{quote(consumer, safe='')}"
        self._newest: str | None = None
        self._storing: asyncio.Task[None] | None = None

    async def ack(self, cursor: str) -> None:
        self._newest = cursor
        if self._storing is None or self._storing.done():
            self._storing = asyncio.ensure_future(self._store_all())
        # Others may wait for the same one.
        await asyncio.shield(self._storing)

    async def _store_all(self) -> None:
        while self._newest is not None:
            cursor, self._newest = self._newest, None
            await self._store(cursor)

    async def _store(self, cursor: str) -> None:
        stop = self._feed.stop
        while True:
            if stop.is_set():
                raise ClientStopped
            token = await token_of(self._options.get("token"))
            caller = Caller(self._feed.address, token, self._options.get("ssl"))
            path = f"{self._path}?{urlencode({'ack': cursor})}"
            try:
                await in_thread(partial(_post, caller, path), stop)
            except RequestFailed as error:
                # An answer without a code of the feed's is a balancer's, while the feed is deployed anew.
                is_of_others = (
                    error.code == "NOT_A_FEED" and self._feed.was_connected and error.status not in _WANTS_A_TOKEN
                )
                if not (error.retryable or is_of_others):
                    raise _refused(error) from None
                wanted_ms = error.retry_after_ms or 0
            else:
                self._retry.reset()
                return
            await sleep(self._retry.next("soon", wanted_ms), stop)


def _post(caller: Caller, path: str) -> None:
    with answer_to(caller, path, method="POST") as answer:
        text = answer.text()
        # What the server stored; anything else was said by somebody else.
        if "cursor" not in (parse_object(text) or {}):
            raise answer.failure(text)


def _refused(error: RequestFailed) -> StreamRefused:
    said = {"message": error.message, "hint": error.hint, "field": error.field, "allowed": error.allowed}
    return StreamRefused(error.code, said, error.message)
