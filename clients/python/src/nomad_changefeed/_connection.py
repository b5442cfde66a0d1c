"""One WebSocket from its opening to its end, read at the reader's own pace."""

from __future__ import annotations

import asyncio
import ssl as tls
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response

from ._endings import Closed, Ending, Refused, Stopped
from ._http import USER_AGENT
from ._retry import parse_retry_after

_HANDSHAKE_S: Final = 10
#: How long a close handshake may take.
_CLOSE_GRACE_S: Final = 1
#: What may wait for the reader, in messages; while so many wait, the socket is not read, and the server waits.
_MAX_QUEUED: Final = 64
_MAX_MESSAGE_BYTES: Final = 100 * 1024 * 1024
_NO_CLOSE_FRAME: Final = 1006


@dataclass(frozen=True)
class Request:
    #: ws:// or wss://
    url: str
    authorization: str | None
    ssl: tls.SSLContext | None
    silence_s: float
    stop: asyncio.Event


class _NoStream(Exception):
    """The opening was answered in HTTP, and a redirect is an answer like any other: a token goes nowhere else."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class _Socket(ClientConnection):
    """Knows when it heard something last, also where that carried nothing, such as a ping."""

    heard_at: float = 0

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        super().data_received(data)

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        try:
            await super().handshake(*args, **kwargs)
        except InvalidStatus as error:
            raise _NoStream(error.response) from None


class Connection:
    """What came, text by text, and then how it ended. Opened by `Connection.open`, ended by `close`."""

    @staticmethod
    async def open(request: Request) -> Connection | Ending:
        opening = asyncio.ensure_future(_open(request))
        stopping = asyncio.ensure_future(request.stop.wait())
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return Stopped()
            socket = opening.result()
            return Connection(socket, request) if isinstance(socket, _Socket) else socket
        finally:
            stopping.cancel()
            if not opening.done():
                opening.cancel()
                with suppress(asyncio.CancelledError):
                    await opening

    def __init__(self, socket: _Socket, request: Request) -> None:
        self._socket = socket
        self._stop = request.stop
        self._silence_s = request.silence_s
        #: Since when the reader has waited, in seconds of the monotonic clock; None while it does not.
        self._waits_since: float | None = None
        self._is_silent = False
        self._watchdog = asyncio.get_running_loop().call_later(self._silence_s, self._watch)
        self._stopping = asyncio.ensure_future(self._close_on_stop())

    async def next(self) -> str | Ending:
        """The next text, or how it ended."""
        if self._stop.is_set():
            return Stopped()
        self._waits_since = time.monotonic()
        try:
            message = await self._socket.recv()
        except ConnectionClosed as closed:
            return self._ending(closed)
        finally:
            self._waits_since = None
        # Binary frames are no part of the protocol: no text is no JSON, and is refused as such.
        return message if isinstance(message, str) else ""

    async def close(self) -> None:
        """Returns once nothing of it is left."""
        self._watchdog.cancel()
        self._stopping.cancel()
        await self._socket.close()

    def _ending(self, closed: ConnectionClosed) -> Ending:
        if self._stop.is_set():
            return Stopped()
        if self._is_silent:
            return Closed(_NO_CLOSE_FRAME, opened=True, problem=f"nothing was heard for {self._silence_s:g} s")
        code = closed.rcvd.code if closed.rcvd is not None else _NO_CLOSE_FRAME
        cause = closed.__cause__
        return Closed(code, opened=True, problem=None if cause is None else str(cause) or None)

    async def _close_on_stop(self) -> None:
        await self._stop.wait()
        await self._socket.close()

    def _watch(self) -> None:
        """Gives up what says nothing while the reader waits for it: what is not read cannot be heard."""
        now = time.monotonic()
        silent_since = now if self._waits_since is None else max(self._waits_since, self._socket.heard_at)
        left_s = silent_since + self._silence_s - now
        if left_s <= 0:
            self._is_silent = True
            self._socket.transport.abort()
        else:
            self._watchdog = asyncio.get_running_loop().call_later(left_s, self._watch)


async def _open(request: Request) -> _Socket | Ending:
    authorization = request.authorization
    trust: dict[str, Any] = {} if request.ssl is None else {"ssl": request.ssl}
    try:
        socket = await connect(
            request.url,
            create_connection=_Socket,
            additional_headers={} if authorization is None else {"Authorization": authorization},
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_GRACE_S,
            # The server pings; and while nobody reads, no pong could be heard.
            ping_interval=None,
            max_size=_MAX_MESSAGE_BYTES,
            max_queue=_MAX_QUEUED,
            **trust,
        )
    except _NoStream as error:
        return _refusal(error.response)
    except tls.SSLError as error:
        return Closed(_NO_CLOSE_FRAME, opened=False, problem=_problem(error), untrusted=_is_untrusted(error))
    except (OSError, WebSocketException, asyncio.TimeoutError, EOFError) as error:
        return Closed(_NO_CLOSE_FRAME, opened=False, problem=_problem(error))
    assert isinstance(socket, _Socket)
    return socket


def _refusal(response: Response) -> Refused:
    headers = response.headers
    retry_after = parse_retry_after(headers.get("Retry-After"), headers.get("Date"))
    return Refused(response.status_code, bytes(response.body or b""), retry_after or 0)


def _is_untrusted(error: tls.SSLError) -> bool:
    """Whether it stays so: the certificate, or a peer that speaks no TLS; and not one that broke off."""
    lasting = ("WRONG_VERSION", "RECORD_LAYER", "PACKET_LENGTH", "CERTIFICATE", "UNKNOWN_CA", "HTTP_REQUEST")
    return any(name in (error.reason or "") for name in lasting)


def _problem(error: Exception) -> str:
    reason = getattr(error, "verify_message", None) or str(error) or type(error).__name__
    cause = error.__cause__
    return reason if cause is None or isinstance(error, tls.SSLError) else f"{reason}: {cause}"
