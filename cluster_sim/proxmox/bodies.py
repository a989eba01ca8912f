"""What a guest's body must be able to do. The bodies themselves live in cluster_sim.guests; here is only what Proxmox asks of them."""

from __future__ import annotations

from typing import Any, Protocol


class Bodies(Protocol):
    kind: str
    proxy_command: str | None

    def boot(self, spec: Any) -> None: ...
    def shutdown(self, key: str, force: bool) -> None: ...
    def destroy(self, key: str) -> None: ...
    def is_up(self, key: str) -> bool: ...
    def running(self) -> frozenset[str]: ...
    def exec(self, key: str, argv: list[str]) -> tuple[int, str, str]: ...
    def close(self) -> None: ...


class NoBodies:
    """Guests that are only numbers."""

    kind = "none"
    proxy_command: str | None = None

    def boot(self, spec: Any) -> None: ...
    def shutdown(self, key: str, force: bool) -> None: ...
    def destroy(self, key: str) -> None: ...
    def is_up(self, key: str) -> bool:
        return True

    def running(self) -> frozenset[str]:
        return frozenset()

    def exec(self, key: str, argv: list[str]) -> tuple[int, str, str]:
        return 127, "", "This guest has no body.\n"

    def close(self) -> None: ...
