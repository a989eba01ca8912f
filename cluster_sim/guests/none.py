"""Guests without any body: they are up as soon as they are started, and nothing answers."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_sim.guests.values import Executed, GuestProblem, GuestSpec


class NoBodies:
    kind = "none"
    proxy_command: str | None = None

    def __init__(self) -> None:
        self._running: dict[str, GuestSpec] = {}

    def boot(self, spec: GuestSpec) -> None:
        self._running[spec.key] = spec

    def shutdown(self, key: str, force: bool = False) -> None:
        self._running.pop(key, None)

    def destroy(self, key: str) -> None:
        self._running.pop(key, None)

    def is_up(self, key: str) -> bool:
        return key in self._running

    def running(self) -> tuple[str, ...]:
        return tuple(self._running)

    def exec(self, key: str, argv: Sequence[str]) -> Executed:
        raise GuestProblem(f"Guest {key} has no body in this world, so nothing can run in it. Start the simulator with --guests=auto.")

    def close(self) -> None:
        self._running.clear()
