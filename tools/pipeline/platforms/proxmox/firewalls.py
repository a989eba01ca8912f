"""What the firewalls of machines are, whoever made them: read from the cluster, with the token that looks."""

from __future__ import annotations

from collections.abc import Iterable

from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings
from tools.clients.together import each
from tools.rules.machines import likeness
from tools.rules.machines.likeness import Guard
from tools.values.snapshot import Guest


def guards(settings: Settings, guests: Iterable[Guest]) -> tuple[tuple[Guest, Guard], ...]:
    """Raises WorldProblem when one cannot be read."""
    cluster = Proxmox(settings)

    def guard(guest: Guest) -> tuple[Guest, Guard]:
        path = ("nodes", guest.node, "qemu", str(guest.vm_id))
        config, options, rules = (cluster.read(*path, *below) for below in (("config",), ("firewall", "options"), ("firewall", "rules")))
        return guest, likeness.guard(options, rules, likeness.unguarded(config if isinstance(config, dict) else {}))

    return tuple(each(guard, tuple(guests)))
