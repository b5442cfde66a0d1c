"""How long to wait before the next try: full jitter, so that not all come back at once."""

from __future__ import annotations

import asyncio
import email.utils
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

#: `soon`: the server is or will be there; `later`: it has trouble, or enough of us.
Pace = Literal["soon", "later"]

#: Longest wait for a server that is only on its way back.
SOON_MS: Final = 5000
#: How many times longer the waits are where the server has trouble.
LATER: Final = 4


@dataclass(frozen=True)
class RetryOptions:
    #: Most that the first wait takes; each further one may take twice as long.
    base_ms: float = 500
    #: Most that any wait takes, but for what the server asks.
    max_ms: float = 30_000


class Retry:
    def __init__(self, options: RetryOptions, rand: Callable[[], float] = random.random) -> None:
        self._options = options
        self._rand = rand
        self._failures = 0

    def next(self, pace: Pace, at_least_ms: float = 0) -> int:
        """Milliseconds to wait now."""
        grown: float = self._options.base_ms * 2 ** min(self._failures, 30)
        ceiling = min(grown, SOON_MS) if pace == "soon" else grown * LATER
        self._failures += 1
        return round(at_least_ms + self._rand() * min(ceiling, self._options.max_ms))

    def reset(self) -> None:
        """After something came."""
        self._failures = 0


async def sleep(ms: float, stop: asyncio.Event) -> None:
    """Returns after `ms`, or as soon as `stop` is set."""
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(stop.wait(), ms / 1000)


def parse_retry_after(header: str | None, date: str | None) -> int | None:
    """A Retry-After header in ms from the answer on; None where it is neither seconds nor a date.

    A date is held against the answer's own `Date`, so that no clock of ours counts. One that has passed is 0.
    """
    text = (header or "").strip()
    if re.fullmatch("[0-9]{1,15}", text):
        return int(text) * 1000
    if not re.match("[A-Z][a-z]{2,8}, ", text):
        return None
    try:
        wait = email.utils.parsedate_to_datetime(text) - email.utils.parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    return max(0, round(wait.total_seconds() * 1000))
