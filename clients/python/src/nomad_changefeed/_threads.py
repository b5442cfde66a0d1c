"""What blocks, called from asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .errors import ClientStopped

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result], stop: asyncio.Event) -> Result:
    """Its result. Raises ClientStopped as soon as `stop` is set: the thread ends later, for nobody."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientStopped
        return working.result()
    finally:
        stopping.cancel()
        working.cancel()
