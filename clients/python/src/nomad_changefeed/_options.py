"""What a caller may say, and the addresses that follow from it."""

from __future__ import annotations

import asyncio
import base64
import difflib
import inspect
import re
import ssl as tls
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict, Union
from urllib.parse import SplitResult, unquote, urlsplit

from ._retry import RetryOptions
from .errors import ClientOptionInvalid
from .wire import Aspect, Op, Payload, Severity

Expired = Literal["fail", "earliest", "snapshot"]
NoticeType = Literal["nomad.feed.bookmark", "client.connected", "client.disconnected"]
Token = Union[str, Callable[[], str], Callable[[], Awaitable[str]]]
Texts = Union[str, Sequence[str]]
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Loss:
    """Events after a cursor are gone: retention was faster, or the log lost its tail and began another history."""

    reason: Literal["expired", "epoch-changed"]
    wanted: str
    #: Whether the client came back with this cursor; else it is that of the options.
    resumed: bool


class Access(TypedDict, total=False):
    """Who asks, and how."""

    #: A function is asked before each connection and each request.
    token: Token
    #: Ends it, without an error, once it is set.
    stop: asyncio.Event
    #: For a server whose certificate the system does not trust.
    ssl: tls.SSLContext


class Choice(Access, total=False):
    """What to follow. The names are those of the parameters in PROTOCOL.md, section 3, in snake_case."""

    #: Resources, event types, "feed" for control events.
    types: Texts
    namespaces: Texts
    #: `resource/namespace/key` of single objects.
    subjects: Texts
    #: An expression in Nomad's own language, or several that must all hold: docs/filters.md.
    filter: Texts
    #: A connection that says nothing for so long is given up. The server speaks every 15 s. Default 45000.
    silence_ms: float
    retry: RetryOptions


class SubscribeOptions(Choice, total=False):
    """From where, and in which form."""

    ops: Op | Sequence[Op]
    aspects: Aspect | Sequence[Aspect]
    signals: Texts
    min_severity: Severity
    #: Where to start: a cursor, "earliest" or "latest" (default).
    cursor: str
    #: RFC 3339 time or age, as "10m". Not together with `cursor`.
    since: str
    #: Begin with the current objects, between two marks. Not together with `cursor` or `since`.
    snapshot: bool
    #: How much of `data` to get. Default `full`.
    payload: Payload
    #: Events after which it ends.
    limit: int
    #: Parameters that have no option here, as text.
    parameters: Mapping[str, Texts]
    #: What to do where the cursor leads nowhere any more. Default `fail`.
    onexpired: Expired | Callable[[Loss], Expired]
    #: What else to be given: bookmarks, word of connections.
    notices: Collection[NoticeType]


LISTS: Final = ("types", "namespaces", "ops", "aspects", "signals", "subjects")
SINGLE: Final = ("min_severity", "cursor", "since", "snapshot", "payload", "limit")
SCHEMES: Final = ("http", "https", "ws", "wss")
SILENCE_MS: Final = 45_000


def refuse_unknown(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises ClientOptionInvalid where an option is not known."""
    for name in given:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}?" if near else None
        raise ClientOptionInvalid(f"{name} is no option; allowed: {', '.join(sorted(known))}", hint)


def stream_parameters(options: Mapping[str, Any]) -> Pairs:
    """All parameters of a stream as they were given."""
    pairs: Pairs = []
    for name, values in (options.get("parameters") or {}).items():
        pairs += [(name, value) for value in _texts(values)]
    for name in ("filter", *LISTS, *SINGLE):
        add_parameter(pairs, name, options.get(name))
    return pairs


def add_parameter(to: Pairs, name: str, value: object) -> None:
    """Adds a list to what is there of it; anything else takes its place. None is as if it had not been given."""
    wire = wire_name(name)
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Collection):
        if name not in (*LISTS, "filter"):
            to[:] = [pair for pair in to if pair[0] != wire]
        to.append((wire, str(value).lower() if isinstance(value, bool) else str(value)))
    elif not value and name != "filter":
        # An empty list allows nothing, an absent one everything: the server refuses the former.
        to.append((wire, ""))
    else:
        to += [(wire, str(one)) for one in value]


def wire_name(name: str) -> str:
    """`min_severity` → `minSeverity`"""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def value_of(pairs: Pairs, name: str) -> str | None:
    return next((value for other, value in pairs if other == name), None)


def with_value(pairs: Pairs, name: str, value: str) -> Pairs:
    return [*without(pairs, name), (name, value)]


def without(pairs: Pairs, *names: str) -> Pairs:
    return [pair for pair in pairs if pair[0] not in names]


@dataclass(frozen=True)
class Address:
    """A server's address, taken apart."""

    scheme: str
    netloc: str
    path: str
    #: User and password of the address.
    userinfo: str | None
    is_secure: bool
    #: For people.
    shown: str

    @staticmethod
    def of(url: str) -> Address:
        """Raises ClientOptionInvalid where `url` is no address."""
        shown = hide_secrets(url)
        parts = _split(url)
        # Behind an @ there would be the host: what stands before it is most likely a part of a password.
        if parts is None or parts.scheme not in SCHEMES or "@" in f"{parts.path}{parts.query}{parts.fragment}":
            allowed = "addresses such as http://127.0.0.1:4650"
            raise ClientOptionInvalid(f"url: {shown!r} is not allowed; allowed: {allowed}")
        userinfo, at, netloc = parts.netloc.rpartition("@")
        return Address(
            scheme=parts.scheme,
            netloc=netloc,
            path=parts.path.rstrip("/"),
            userinfo=userinfo if at else None,
            is_secure=parts.scheme in ("https", "wss"),
            shown=shown,
        )

    def stream(self) -> str:
        return f"{'wss' if self.is_secure else 'ws'}://{self.netloc}{self.path}/v1/events"

    def http(self, path: str) -> str:
        return f"{'https' if self.is_secure else 'http'}://{self.netloc}{self.path}{path}"

    def authorization(self, token: str | None) -> str | None:
        """The header by which the server knows who asks."""
        if token is not None:
            return f"Bearer {token}"
        if self.userinfo is None:
            return None
        user, _, password = self.userinfo.partition(":")
        return f"Basic {base64.b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"


_SCHEME: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
#: The host of an address and what follows it: nothing in it can be a password.
_HARMLESS: Final = re.compile(r"([\w.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?#].*)?", re.IGNORECASE | re.DOTALL)


def hide_secrets(given: str) -> str:
    """A text given as an address, for people: without user and password, however wrong it is.

    A password may hold signs that should have been escaped, so everything up to the last @ counts as one; without an @,
    everything behind a colon that no port follows.
    """
    _, at, behind = given.rpartition("@")
    found = _SCHEME.match(given)
    scheme = found[0] if found else ""
    if at:
        return f"{scheme}[redacted]@{behind}"
    rest = given[len(scheme) :]
    if _HARMLESS.fullmatch(rest):
        return given
    host, colon, _ = rest.partition(":")
    return f"{scheme}{host}:[redacted]" if colon else given


async def token_of(token: Token | None) -> str | None:
    """The token to use now."""
    given = token() if callable(token) else token
    return await given if inspect.isawaitable(given) else given


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # What is no port is told here.
        return parts if parts.hostname and (parts.port is None or parts.port >= 0) else None
    except ValueError:
        return None


def _texts(values: Texts) -> Sequence[str]:
    return [values] if isinstance(values, str) else values
