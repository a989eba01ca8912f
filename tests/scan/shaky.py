"""A line that drops its first connections and then carries: between a client and a server, below TLS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def shaky_line(port: int, drops: int) -> Iterator[int]:
    """The port of the line's near end; everything after the first `drops` connections gets to `port`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        closing = threading.Event()
        threads = [threading.Thread(target=_accept, args=(listener, port, drops, closing))]
        threads[0].start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            closing.set()
            threads[0].join()


def _accept(listener: socket.socket, port: int, drops: int, closing: threading.Event) -> None:
    number = 0
    while not closing.is_set():
        with suppress(TimeoutError):
            near, _ = listener.accept()
            number += 1
            if number <= drops:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
