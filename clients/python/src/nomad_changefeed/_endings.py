"""How a connection ended, and what to do then: PROTOCOL.md, section 7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Union

from ._json import parse_object
from ._retry import Pace
from .errors import StreamRefused, text_in


@dataclass(frozen=True)
class Closed:
    code: int
    #: Whether it had been a WebSocket before.
    opened: bool
    problem: str | None = None
    #: TLS failed in a way that stays so.
    untrusted: bool = False


@dataclass(frozen=True)
class Refused:
    """An answer in HTTP instead of a stream."""

    status: int
    body: bytes
    retry_after_ms: int


@dataclass(frozen=True)
class NotAFeed:
    """What was said there is no feed's."""


@dataclass(frozen=True)
class SeveralFeeds:
    """A process with several feeds told all of them, of which this client knows no cursor."""


@dataclass(frozen=True)
class Stopped:
    """The caller wants no more."""


Ending = Union[Closed, Refused, NotAFeed, SeveralFeeds, Stopped]


@dataclass(frozen=True)
class Done:
    pass


@dataclass(frozen=True)
class Fatal:
    error: StreamRefused


@dataclass(frozen=True)
class Lost:
    """The cursor is no place in this log, or no longer; `error` says so to whoever does not go on."""

    reason: Literal["expired", "epoch-changed"]
    error: StreamRefused


@dataclass(frozen=True)
class Again:
    pace: Pace
    why: str
    unreachable: bool = False
    at_least_ms: int = 0


Verdict = Union[Done, Fatal, Lost, Again]

#: Close codes from 4400 are HTTP statuses plus 4000.
_REASONS: Final = {
    400: "INVALID_PARAMETER",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    409: "EPOCH_CHANGED",
    410: "CURSOR_EXPIRED",
    412: "FUTURE_CURSOR",
}
_SOON: Final = (1001, 1005, 1006, 1012, 4408)
#: The close frame got lost.
_NO_CLOSE_FRAME: Final = (1005, 1006)
#: Refusals by a status that pass by themselves.
_PASSING: Final = (408, 429)


def verdict_of(ending: Ending, said: Mapping[str, Any], shown: str, *, was_connected: bool) -> Verdict:
    """`said` is the `data` of the error frame before the end, `shown` the address for people."""
    if isinstance(ending, Stopped):
        return Done()
    if isinstance(ending, NotAFeed):
        error = StreamRefused("NOT_A_FEED", {}, f"{shown} answers, but not with a feed")
        return _unless_passing(error, was_connected)
    if isinstance(ending, SeveralFeeds):
        several = {
            "message": f"{shown} has several feeds, and this client follows one",
            "hint": "Give it the address of one, which ends in /v1/feeds/<name>",
        }
        return _unless_passing(StreamRefused("NOT_A_FEED", several, ""), was_connected)
    if isinstance(ending, Refused):
        problem = parse_object(ending.body) or {}
        answered = f"{shown} answered {ending.status}"
        if ending.status >= 500 or ending.status in _PASSING:
            why = text_in(problem, "message") or answered
            return Again("later", why, at_least_ms=ending.retry_after_ms)
        return _final(ending.status, problem, answered, was_connected)
    if ending.untrusted and not ending.opened:
        return _unless_passing(_untrusted(shown, ending.problem), was_connected)
    told = said.get("closeCode") if ending.code in _NO_CLOSE_FRAME else None
    code = told if isinstance(told, int) else ending.code
    if code == 1000:
        return Done()
    status = code - 4000
    if 400 <= status < 500 and status not in _PASSING:
        return _final(status, said, f"{shown} closed the stream with {code}", was_connected)
    why = text_in(said, "message") or ending.problem or f"connection closed ({code})"
    return replace(Again("soon" if code in _SOON else "later", why), unreachable=not ending.opened)


def _final(status: int, said: Mapping[str, Any], otherwise: str, was_connected: bool) -> Verdict:
    reason = text_in(said, "code") or _REASONS.get(status, "NOT_A_FEED")
    error = StreamRefused(reason, said, otherwise)
    # A proxy's 409 or 410 says nothing about a cursor.
    if reason == "CURSOR_EXPIRED":
        return Lost("expired", error)
    if reason == "EPOCH_CHANGED":
        return Lost("epoch-changed", error)
    return _unless_passing(error, was_connected)


def _unless_passing(error: StreamRefused, was_connected: bool) -> Verdict:
    """What else may answer at the address of a feed that was there a moment ago is trouble that passes.

    A balancer, while the feed is deployed anew, or a certificate that is about to be renewed.
    """
    passes = was_connected and error.reason in ("NOT_A_FEED", "TLS_FAILED")
    return Again("later", error.message) if passes else Fatal(error)


def _untrusted(shown: str, problem: str | None) -> StreamRefused:
    """Waiting makes no certificate trusted."""
    said = {
        "message": f"{shown} cannot be trusted: {problem or 'TLS failed'}",
        "hint": "Name the authority that signed its certificate: "
        "ssl=ssl.create_default_context(cafile=...), or SSL_CERT_FILE in the environment",
    }
    return StreamRefused("TLS_FAILED", said, said["message"])
