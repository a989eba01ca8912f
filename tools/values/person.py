"""Who speaks in a conversation, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.values.tenant import Tenant


@dataclass(frozen=True)
class Person:
    name: str
    """The principal: who asks, approves and stands in the audit."""
    roles: tuple[str, ...] | None = None
    """None: one operator alone on this machine, who holds them all and is authenticated by having it."""
    only_reads: str = ""
    """Why nothing may be carried out for them, in a whole sentence; empty: it may."""
    tenant: Tenant | None = None
    """Whose things they see and use; None: everybody's."""
