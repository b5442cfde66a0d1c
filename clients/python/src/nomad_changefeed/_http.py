"""One request to the feed's server, by the standard library. Blocks: from asyncio, call it in a thread."""

from __future__ import annotations

import http.client
import ssl as tls
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import IO, Any, Final

from ._json import parse_object
from ._options import Address
from ._retry import parse_retry_after
from .errors import IS_IT_A_FEED, RequestFailed, text_in


def _version() -> str:
    try:
        return version("nomad-changefeed")
    except PackageNotFoundError:
        # From a checkout, without being installed.
        return "0"


USER_AGENT: Final = f"nomad-changefeed-python/{_version()}"
#: Without a word from the server.
TIMEOUT_S: Final = 60
#: Of an error's text; the rest says nothing.
_MAX_PROBLEM_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Caller:
    """Who asks whom."""

    address: Address
    token: str | None
    ssl: tls.SSLContext | None = None


@contextmanager
def answer_to(caller: Caller, path: str, *, method: str = "GET", accept: str | None = None) -> Iterator[Answer]:
    """The answer to one request, if it is one. Raises RequestFailed, also where the body reads in vain."""
    headers = {"User-Agent": USER_AGENT}
    authorization = caller.address.authorization(caller.token)
    if authorization is not None:
        headers["Authorization"] = authorization
    if accept is not None:
        headers["Accept"] = accept
    request = urllib.request.Request(caller.address.http(path), method=method, headers=headers)
    opener = urllib.request.build_opener(_NoRedirect, *_tls_handlers(caller))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            yield Answer(response, caller)
    except urllib.error.HTTPError as error:
        body = b""
        # Where it breaks off, the status alone says enough.
        with error, suppress(OSError, http.client.HTTPException):
            body = error.read(_MAX_PROBLEM_BYTES)
        raise failure_of(caller, error.code, dict(error.headers.items()), body) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(caller, error) from error


class Answer:
    """An answer that is there, and the rest of which comes."""

    def __init__(self, response: Any, caller: Caller) -> None:
        self._response: IO[bytes] = response
        self._caller = caller
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    def text(self) -> str:
        """The whole of it."""
        return self._response.read().decode("utf-8", "replace")

    def lines(self) -> Iterator[str]:
        """Line by line as they come; raises where it breaks off."""
        rest = b""
        while True:
            part: bytes = self._response.read1(65_536)  # type: ignore[attr-defined]
            *lines, rest = (rest + part).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines if line)
            if not part:
                if rest:
                    yield rest.decode("utf-8", "replace")
                return

    def failure(self, text: str = "") -> RequestFailed:
        """It is not what was asked for."""
        return failure_of(self._caller, self.status, self.headers, text.encode())


def failure_of(caller: Caller, status: int, headers: Mapping[str, str], body: bytes = b"") -> RequestFailed:
    """What went wrong, in the server's words where they are a feed's."""
    named = {name.lower(): value for name, value in headers.items()}
    said = parse_object(body) or {}
    problem = said if text_in(said, "code") else {}
    message = text_in(problem, "message")
    return RequestFailed(
        text_in(problem, "code") or "NOT_A_FEED",
        message or f"{caller.address.shown} answered {status}",
        hint=text_in(problem, "hint") if message else IS_IT_A_FEED,
        status=status,
        retry_after_ms=parse_retry_after(named.get("retry-after"), named.get("date")),
        problem=problem,
    )


def _unreachable(caller: Caller, error: Exception) -> RequestFailed:
    reason = getattr(error, "reason", None) or error
    return RequestFailed(
        "FEED_UNREACHABLE",
        f"{caller.address.shown} cannot be reached: {reason!s}",
        hint="Is this the address of a nomad-changefeed, and does it run?",
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The feed sends nobody elsewhere; and urllib would take the token along."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _tls_handlers(caller: Caller) -> list[urllib.request.BaseHandler]:
    return [] if caller.ssl is None else [urllib.request.HTTPSHandler(context=caller.ssl)]
