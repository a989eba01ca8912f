"""What the steps after `apply` know of the part they work on. Making it belongs to the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tools.clients.settings import Settings
from tools.clients.ssh import Host
from tools.values.manifest import Endpoint, Part
from tools.values.run import MachineReceipt
from tools.values.value import Json

Say = Callable[[str], None]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Examined(NamedTuple):
    """One thing that a run needs, looked at before anybody asks for one."""

    subject: str
    good: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Input:
    """What another part of the run gives to this one, as it is by now."""

    label: str
    endpoint: Endpoint
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class PartContext:
    settings: Settings
    run_folder: Path
    """BERTH_HOME/runs/<run id>: ssh_config, known_hosts and secrets/ stand here."""
    part_folder: Path
    part: Part
    outputs: Json = None
    """Terraform's outputs by name: `{"machines": {"db-01": {"addresses": […], …}}}`."""
    machines: tuple[MachineReceipt, ...] = ()
    """As `wait` returned them; before it, as an earlier attempt did, or none."""
    verified: tuple[str, ...] = ()
    not_verified: tuple[str, ...] = ()
    now: Callable[[], datetime] = utc_now
    inputs: tuple[Input, ...] = ()
    """Of the parts that it uses, which are done."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked about once a second while a playbook runs."""

    def secret(self, name: str) -> str:
        return (self.run_folder / "secrets" / name).read_text().rstrip("\n")

    def hosts(self) -> tuple[Host, ...]:
        """The part's machines as SSH needs to know them, in the order of the manifest. A fixed address needs no agent to tell it, and one
        that moves between them is none of theirs."""
        found = (self.outputs or {}).get("machines", {})
        moving = self.part.virtual_alone
        every = self.part.every_machine
        told = {m.name: (one for one in found.get(m.name, {}).get("addresses", ()) if one not in moving) for m in every}
        return tuple(Host(name=m.name, address=m.address_alone or next(told[m.name], ""), user=m.user_name, group=m.group) for m in every)
