"""The guests' only way out: an HTTP proxy that fetches packages from this machine's own mirrors, and refuses everything else. Asked as a
server, it serves the programs of cluster_sim.releases.

What never changes once published (packages, lists named by their hash) is kept in the cache folder. It checks no signatures: apt
in the guest does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp import web

from cluster_sim import releases
from cluster_sim.guests.sources import Upstream, machine_sources, machine_upstream

CHUNK_BYTES = 1 << 18
CONNECT_SECONDS = 20.0
SILENT_SECONDS_MAX = 60.0
UNCHANGING = re.compile(r"/by-hash/[A-Za-z0-9]+/[0-9a-f]+$|\.u?deb$")
PASSED_ON = ("If-Modified-Since", "If-None-Match", "Range", "If-Range", "Cache-Control", "User-Agent")
HANDED_BACK = ("Last-Modified", "Content-Type", "ETag", "Content-Range", "Accept-Ranges", "Date")


def cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "cluster_sim"


class AptProxy:
    def __init__(self, mirrors: dict[str, str], upstream: Upstream, cache: Path) -> None:
        """`mirrors` names, for each address as guests write it, the address to fetch from."""
        self._mirrors, self._upstream, self._cache = mirrors, upstream, cache
        self._fetching: dict[Path, asyncio.Lock] = {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        tls = ssl.create_default_context(cafile=self._upstream.ca_file)
        if self._upstream.ca_file is not None:
            tls.load_default_certs()
        if not self._upstream.verify:
            # The machine's administrator said so in apt's own settings; packages are still signed.
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS_MAX)
        connector = aiohttp.TCPConnector(ssl=tls, limit_per_host=8)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method in ("GET", "HEAD") and (program := releases.served(request.raw_path)) is not None:
            return web.Response(body=program, content_type="application/octet-stream")
        url = request.raw_path if "://" in request.raw_path else f"http://{request.host}{request.raw_path}"
        target = self._target(request.method, url)
        if target is None:
            text = f"The guests' package proxy fetches from {', '.join(sorted(self._mirrors))} only.\n"
            return web.Response(status=403, text=text)
        try:
            if request.method == "GET" and UNCHANGING.search(urlsplit(target).path):
                return await self._from_cache(request, url, target)
            return await self._pass(request, target, None)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            return web.Response(status=502, text=f"The mirror did not answer: {problem or type(problem).__name__}.\n")

    def _target(self, method: str, url: str) -> str | None:
        """Where an allowed request goes, or None."""
        path = unquote(urlsplit(url).path)
        if method not in ("GET", "HEAD") or "\\" in path or any(part in (".", "..") for part in path.split("/")):
            return None
        for mirror, target in self._mirrors.items():
            if url.startswith(f"{mirror}/"):
                return target + url[len(mirror) :]
        return None

    async def _from_cache(self, request: web.BaseRequest, url: str, target: str) -> web.StreamResponse:
        split = urlsplit(url)
        file = self._cache / "apt" / split.netloc.replace(":", "_") / unquote(split.path).lstrip("/")
        lock = self._fetching.setdefault(file, asyncio.Lock())
        async with lock:
            if not file.is_file():
                return await self._pass(request, target, file)
        return await _send(request, file)

    async def _pass(self, request: web.BaseRequest, target: str, keep: Path | None) -> web.StreamResponse:
        assert self._session is not None
        wanted = PASSED_ON if keep is None else ("User-Agent",)
        headers = {name: request.headers[name] for name in wanted if name in request.headers}
        proxy = self._upstream.https_proxy if target.startswith("https:") else self._upstream.http_proxy
        async with self._session.request(request.method, target, headers=headers, proxy=proxy, allow_redirects=True) as found:
            response = web.StreamResponse(status=found.status, reason=found.reason)
            response.headers.update({name: found.headers[name] for name in HANDED_BACK if name in found.headers})
            response.content_length = found.content_length
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            keep = keep if found.status == 200 else None
            keeping = _Keeping(keep, found.content_length)
            try:
                async for chunk in found.content.iter_chunked(CHUNK_BYTES):
                    keeping.write(chunk)
                    await response.write(chunk)
                keeping.finish()
                await response.write_eof()
            except (aiohttp.ClientError, TimeoutError, OSError):
                # The answer has begun, so only breaking it off tells the guest.
                if request.transport is not None:
                    request.transport.abort()
            finally:
                keeping.drop()
            return response


class _Keeping:
    """Keeps what arrives under its name, once all of it has. A cache that cannot be written is no reason to fail a guest."""

    def __init__(self, file: Path | None, length: int | None) -> None:
        self._file, self._length = file, length
        self._part: Path | None = None
        self._out: IO[bytes] | None = None
        if file is not None:
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                self._part = file.with_name(f".{file.name[:100]}.{secrets.token_hex(4)}.part")
                self._out = self._part.open("wb")

    def write(self, chunk: bytes) -> None:
        if self._out is not None:
            try:
                self._out.write(chunk)
            except OSError:
                self.drop()

    def finish(self) -> None:
        if self._out is not None and self._part is not None and self._file is not None:
            with contextlib.suppress(OSError):
                self._out.close()
                if self._length in (None, self._part.stat().st_size):
                    self._part.replace(self._file)
        self.drop()

    def drop(self) -> None:
        if self._out is not None and self._part is not None:
            with contextlib.suppress(OSError):
                self._out.close()
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)
        self._out = None


async def _send(request: web.BaseRequest, file: Path) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    response.content_length = file.stat().st_size
    await response.prepare(request)
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            await response.write(chunk)
    await response.write_eof()
    return response


@contextlib.asynccontextmanager
async def serve_apt(gate: socket.socket) -> AsyncIterator[None]:
    """Serves this machine's mirrors on a socket that already listens."""
    mirrors = {source.plain_uri: source.uri for source in machine_sources()}
    proxy = AptProxy(mirrors, machine_upstream(), cache_folder())
    await proxy.open()
    runner = web.ServerRunner(web.Server(proxy.handle, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, gate).start()
    try:
        yield
    finally:
        await runner.cleanup()
        await proxy.close()
