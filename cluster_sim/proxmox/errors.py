"""How Proxmox says no: a status, a message that becomes the reason phrase, and for parameters one text per field."""

from __future__ import annotations


class Refusal(Exception):
    """An answer with a code of 400 or more."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None, *, delay_s: float = 0.0) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.delay_s = status, message, errors, delay_s


class TaskFailed(Exception):
    """Ends a task; the text is its exit status."""


def bad_parameters(errors: dict[str, str]) -> Refusal:
    return Refusal(400, "Parameter verification failed.", errors)


def forbidden(path: str, *privileges: str) -> Refusal:
    return Refusal(403, f"Permission check failed ({path}, {'|'.join(privileges)})")


def failed(message: str) -> Refusal:
    """The common case: Proxmox answers 500 for nearly everything that goes wrong in its own subject."""
    return Refusal(500, message)


def no_such_guest(node: str, vmid: int) -> Refusal:
    return failed(f"Configuration file 'nodes/{node}/qemu-server/{vmid}.conf' does not exist")
