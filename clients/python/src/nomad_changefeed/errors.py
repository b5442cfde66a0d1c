"""What the client raises on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ChangefeedError(Exception):
    """Root of them. `code` is stable, `message` says what happened, `hint` what to do; none holds a secret."""

    code: str
    #: Whether the same call may succeed later without anybody changing anything.
    retryable: bool = False

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message} ({hint})")
        self.message = message
        self.hint = hint


class ClientOptionInvalid(ChangefeedError):
    """An option of the client that it cannot use."""

    code = "CLIENT_OPTION_INVALID"


class StreamRefused(ChangefeedError):
    """The server will not serve this stream, however often it is asked."""

    code = "STREAM_REFUSED"
    #: The server's code (PROTOCOL.md, section 7), or NOT_A_FEED, or TLS_FAILED.
    reason: str
    #: The parameter that is wrong, and what it may be, where one is.
    field: str | None
    allowed: list[str] | None

    def __init__(self, reason: str, said: Mapping[str, Any], otherwise: str) -> None:
        """`otherwise` is the message where the server gave none: then it may be no feed at all."""
        message = text_in(said, "message")
        super().__init__(message or otherwise, text_in(said, "hint") if message else IS_IT_A_FEED)
        self.reason = reason
        self.field = text_in(said, "field")
        self.allowed = _texts_in(said, "allowed")


class ClientStopped(ChangefeedError):
    """What was waited for does not come, because `stop` was set."""

    code = "CLIENT_STOPPED"

    def __init__(self) -> None:
        super().__init__("The client was told to stop")


class RequestFailed(ChangefeedError):
    """A request that got no answer of the kind it asked for.

    `code` is the server's; FEED_UNREACHABLE where nobody answered, or the answer broke off; NOT_A_FEED where something
    else answered.
    """

    #: Of HTTP; 0 where nobody answered.
    status: int
    #: The parameter that is wrong, what it may be, and what may have been meant.
    field: str | None
    allowed: list[str] | None
    nearest: str | None
    #: Where in `filter`, in characters from 1.
    position: int | None
    #: The earliest cursor there is, where the one given has expired.
    floor: str | None
    #: RFC 3339: when the oldest event was recorded, where a state is asked for that is too long ago.
    oldest_time: str | None
    #: The end of the feed, where the cursor given is of another epoch or beyond it.
    head: str | None
    #: How long the server wants to be left alone.
    retry_after_ms: int | None

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        status: int = 0,
        retry_after_ms: int | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint)
        said = problem or {}
        position = said.get("position")
        self.code = code
        self.status = status
        self.retryable = status == 0 or status == 429 or status >= 500
        self.field = text_in(said, "field")
        self.allowed = _texts_in(said, "allowed")
        self.nearest = text_in(said, "nearest")
        self.position = position if isinstance(position, int) else None
        self.floor = text_in(said, "floor")
        self.oldest_time = text_in(said, "oldestTime")
        self.head = text_in(said, "head")
        self.retry_after_ms = retry_after_ms


IS_IT_A_FEED = "Is this the address of a nomad-changefeed?"


def text_in(said: Mapping[str, Any], name: str) -> str | None:
    """What a server said under this name, if it is a text."""
    value = said.get(name)
    return value if isinstance(value, str) else None


def _texts_in(said: Mapping[str, Any], name: str) -> list[str] | None:
    value = said.get(name)
    return [str(one) for one in value] if isinstance(value, list) else None
