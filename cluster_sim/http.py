"""Requests, answers, and the two places a simulated service can be mounted: an HTTPS server, or this process (`responses`).

What the answers are belongs to each service; this file knows neither Proxmox nor Azure.
A service is one synchronous function, Request → Answer. It is called by one thread at a time, so services need no locks;
it must not block. An answer that is to arrive late says so (`delay_s`) and the server waits without holding the service up.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web
from multidict import CIMultiDict

BODY_BYTES_MAX = 64 * 2**20


@dataclass(frozen=True)
class Request:
    method: str
    raw_path: str
    """As sent: still percent-encoded, without the query."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are matched without regard to case."""
    body: bytes = b""
    host: str = ""
    """The Host header: name and port."""

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def form(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The decoded body, or None when there is none. Raises ValueError when it is not JSON."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    """The words after the code. Proxmox puts its error message here."""
    delay_s: float = 0.0


Service = Callable[[Request], Answer]


def json_answer(value: object, status: int = 200, *, reason: str | None = None, **headers: str) -> Answer:
    """JSON with its content type; header names are given with underscores (`retry_after="0"`)."""
    names = {"Content-Type": "application/json;charset=UTF-8"} | {k.replace("_", "-").title(): v for k, v in headers.items()}
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), names, reason)


class Server:
    """One service on one loopback port, over HTTPS, in an event loop of its own.

    Stops with `stop()`, which waits until it has.
    """

    def __init__(self, service: Service, tls: ssl.SSLContext, *, port: int = 0, close_on_error: bool = False) -> None:
        self._service, self._tls, self._port, self._close_on_error = service, tls, port, close_on_error
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster-sim-https", daemon=True)
        self.port = 0

    def start(self) -> Server:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def call(self, function: Callable[[], Any]) -> Any:
        """Runs a function in the service's own thread: how anything else (a clock, a control socket) may touch its state."""
        done: asyncio.Future[Any] | Any = asyncio.run_coroutine_threadsafe(self._call(function), self._loop)
        return done.result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _close(self) -> None:
        await self._runner.cleanup()
        # An answer that was to arrive late is still waiting.
        late = asyncio.all_tasks() - {asyncio.current_task()}
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _call(self, function: Callable[[], Any]) -> Any:
        return function()

    async def _open(self) -> int:
        # One handler for all rather than aiohttp's router: services match raw paths (`%3A`, `//`, a slash before `?`) themselves.
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _handle(self, seen: web.BaseRequest) -> web.StreamResponse:
        split = urlsplit(seen.raw_path)
        body = await seen.content.read(BODY_BYTES_MAX)
        while (more := await seen.content.read(BODY_BYTES_MAX)) and len(body) < BODY_BYTES_MAX:
            body += more
        request = Request(
            seen.method,
            split.path if seen.raw_path.startswith("/") and not seen.raw_path.startswith("//") else re.split(r"\?", seen.raw_path)[0],
            tuple(parse_qsl(split.query, keep_blank_values=True)),
            CIMultiDict(seen.headers),
            body,
            seen.host,
        )
        answer = self._service(request)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        response = web.Response(status=answer.status, reason=answer.reason, body=answer.body, headers=CIMultiDict(answer.headers))
        if answer.status >= 400 and self._close_on_error:
            response.force_close()
        return response


def mount_in_process(mock: Any, base_url: str, service: Service) -> None:
    """Answers every request to `base_url` made through `requests` in this process.

    `mock` is a `responses.RequestsMock`; waits are skipped.
    """

    def answer(prepared: Any) -> tuple[int, dict[str, str], bytes]:
        split = urlsplit(prepared.url)
        body = prepared.body or b""
        given = service(
            Request(
                prepared.method,
                split.path,
                tuple(parse_qsl(split.query, keep_blank_values=True)),
                CIMultiDict(prepared.headers),
                body.encode() if isinstance(body, str) else bytes(body),
                split.netloc,
            )
        )
        return given.status, dict(given.headers), given.body

    for method in _METHODS:
        mock.add_callback(method, re.compile(re.escape(base_url) + ".*"), callback=answer)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


def pairs(query: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The last value of each name."""
    return dict(query)
