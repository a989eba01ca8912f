"""Connections over which no whole request comes in time are closed. Uvicorn has no limit of its own: a stranger who sends a letter now and
then would hold one for good, and a thousand of them all there are."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


class Timely(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    headers_seconds_max = 20.0
    """Until the headers of a request are there. Its body has a limit of its own, in the door."""
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._look(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _look(self, transport: asyncio.Transport) -> None:
        """A request that is being answered has come; otherwise its time runs from its first letter."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._cancel()
        elif self._late is None:
            self._late = asyncio.get_running_loop().call_later(self.headers_seconds_max, transport.abort)

    def _cancel(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
