"""What the firewalls of machines are, whoever made them: read from the cluster, with the token that looks."""

from __future__ import annotations

from collections.abc import Iterable

from tools.clients.proxmox import Proxmox
from tools.clients.settings import Settings
from tools.clients.together import each
from tools.rules.machines import firewall
from tools.rules.machines.firewall import Firewall
from tools.values.snapshot import Guest


def firewalls(settings: Settings, guests: Iterable[Guest]) -> tuple[tuple[Guest, Firewall], ...]:
    """Raises WorldProblem when one cannot be read."""
    cluster = Proxmox(settings)

    def look(guest: Guest) -> tuple[Guest, Firewall]:
        path = ("nodes", guest.node, "qemu", str(guest.vm_id))
        config, options, rules = (cluster.read(*path, *below) for below in (("config",), ("firewall", "options"), ("firewall", "rules")))
        return guest, firewall.firewall_of(options, rules, firewall.left_out(config if isinstance(config, dict) else {}))

    return tuple(each(look, tuple(guests)))
