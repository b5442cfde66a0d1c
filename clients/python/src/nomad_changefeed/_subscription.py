"""Following a feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from ._feed import Feed
from ._options import SubscribeOptions
from .items import Item

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


def subscribe(url: str, **options: Unpack[SubscribeOptions]) -> Subscription:
    """Follows a feed: its events in order, none skipped, from connection to connection.

    An event counts as dealt with when the next one is asked for. Ends at `limit` and when `stop` is set.
    Raises ClientOptionInvalid at once, StreamRefused from the iteration.
    """
    return Subscription(Feed(url, options))


class Subscription(AsyncIterator[Item]):
    """To be iterated once. Nothing is opened before the first item is asked for.

    `async with` closes the connection when its body is left; without it that is up to `aclose`.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._items = feed.items()
        self._was_cancelled = False

    @property
    def cursor(self) -> str | None:
        """Where to go on after what was dealt with, to be stored; None before it is known."""
        return self._feed.cursor

    async def __anext__(self) -> Item:
        if self._was_cancelled:
            # Its end would be taken for the feed's.
            raise RuntimeError("The subscription was cancelled: go on with a new one, cursor=subscription.cursor")
        try:
            return await self._items.__anext__()
        except asyncio.CancelledError:
            self._was_cancelled = True
            raise

    async def aclose(self) -> None:
        await self._items.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def subscribe_sync(url: str, **options: Unpack[SubscribeOptions]) -> Iterator[Item]:
    """`subscribe` for a script without asyncio: a generator, which blocks while there is nothing.

    While the script is busy for long, nobody answers the server's pings: it closes the connection, and the next item
    comes over another one. None is lost. Leaving the loop closes the connection. Not for threads with a running loop.
    """
    subscription = subscribe(url, **options)
    return _run(subscription)


def _run(subscription: Subscription) -> Iterator[Item]:
    loop = asyncio.new_event_loop()
    try:
        while True:
            try:
                item = loop.run_until_complete(subscription.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        # Ctrl-C leaves what it interrupts as it is.
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(subscription.aclose())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
