"""An HTTP proxy that leads names of the simulated world to its ports: `CONNECT name:443`, and nothing else.

Some clients make a service's name themselves (`ACCOUNT.blob.core.windows.net`), so that no setting can lead them elsewhere; a proxy
setting can, as at any site where a proxy is the only way out. It opens no connection but to this machine: any other name is refused.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

HEAD_BYTES_MAX = 16 * 2**10
HEAD_SECONDS_MAX = 20.0

Lead = Callable[[str], int | None]
"""The port of a name; None where there is none."""


class Tunnel:
    """Serves on a loopback port, in an event loop of its own. `stop()` waits until it has stopped."""

    def __init__(self, lead: Lead) -> None:
        self._lead = lead
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster-sim-tunnel", daemon=True)
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0

    def start(self) -> Tunnel:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._lead_through(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # A client that went, or never said what it wants.
        finally:
            writer.close()
            self._open.discard(task)

    async def _lead_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS_MAX)
        method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
        name, _, port_asked = rest.partition(" ")[0].rpartition(":")
        port = self._lead(name.lower()) if method == "CONNECT" and port_asked == "443" else None
        if port is None:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
        finally:
            there_writer.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while octets := await source.read(2**16):
        sink.write(octets)
        await sink.drain()
    with suppress(OSError, RuntimeError):
        sink.write_eof()
