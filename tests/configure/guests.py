"""What the tests of configuring are made of: parts, run folders and guests, as values. Opening and closing is conftest.py."""

from __future__ import annotations

import importlib
import re
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

from cluster_sim.guests import Bodies, GuestSpec
from tools import capabilities
from tools.clients.settings import Settings
from tools.pipeline.context import PartContext
from tools.rules.sizing import sizing
from tools.rules.words import guiding
from tools.values.machine import Machine
from tools.values.manifest import Command, Configure, Part, Secret
from tools.values.requirements import Field, Needs, Origin
from tools.values.run import PartReceipt

NETWORK = IPv4Interface("10.20.0.1/24")
OPERATOR_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILKjZvB59MQiF12lgV9s709zVEWetYLo0+Gaiogfs+5l operator@example.org"
OPERATOR_FINGERPRINT = "SHA256:VUU8L7YJXtYB7MYUTJww36MW9Ulw2nRxzYgIfe9RgAg"  # as ssh-keygen prints it
PASSWORD = "Zaq7:x\\y'9 w"  # what a password file, SQL and a service file each would trip over
VARIABLES: dict[str, dict[str, Any]] = {
    "postgresql": {
        "base_timezone": "Europe/Vienna",
        "base_packages": [],
        "base_users": [{"name": "anna", "public_keys": ["ssh-ed25519 AAAAC3Nz anna@example.org"]}],
        "postgresql_database": "shop",
        "postgresql_user": "shop",
        "postgresql_password": {"secret": "database_password"},
        "postgresql_settings": sizing.pgtune(2048, 117, 2),
        "postgresql_allowed": ["10.20.0.0/24"],
    },
    "web_server": {"nginx_site_name": "_", "nginx_worker_connections": 1024},
    "virtual_machine": {},
    "dev_environment": {"base_packages": ["git", "tmux"]},
}
# What was asked for, as the guide's commands know it; the variables above are what comes of it.
FACTS: dict[str, dict[str, int | str]] = {
    "postgresql": {"concurrent_users": 117, "database_name": "shop"},
    "web_server": {"concurrent_users": 1024, "cpu_count": 2},
}
MACHINES = {"postgresql": ("db-01", "10.20.0.31"), "web_server": ("web-01", "10.20.0.32")}


def commands_of(machine: Machine, part: Part) -> tuple[Command, ...]:
    """As the capability states them; a plain machine has those of every machine."""
    own = Path(capabilities.__file__).parent / part.capability / "commands.py"
    if not own.exists():
        return guiding.common(machine)
    found: tuple[Command, ...] = importlib.import_module(f"tools.capabilities.{part.capability}.commands").commands(machine, part)
    return found


def part_of(capability: str, name: str = "m-01") -> Part:
    machine = Machine(
        name=name,
        vm_id=20000,
        node="pve1",
        template_vm_id=9000,
        template_node="pve1",
        storage="local-lvm",
        disk_interface="scsi0",
        disk_gib=8,
        cpu_count=2,
        memory_mib=2048,
        bridge="vmbr0",
        vlan_tag=20,
        user_name="ops",
        public_keys=(OPERATOR_KEY,),
    )
    facts = FACTS.get(capability, {})
    fields = tuple(Field(name=n, value=v, origin=Origin.SAID) for n, v in facts.items())
    part = Part(
        label=capability,
        capability=capability,
        platform="proxmox",
        needs=Needs(capability=capability, platform="proxmox", label=capability, fields=fields),
        candidate="pve1/local-lvm",
        because="It ranks first.",
        module="machines",
        machines=(machine,),
        resources=(),
        secrets=(Secret(name="ssh_key", kind="ssh_key"), Secret(name="database_password", kind="password")),
        configure=Configure(kind="ansible", playbook=f"{capability}.yml", variables=VARIABLES[capability]),
    )
    return part.model_copy(update={"commands": commands_of(machine, part)})


def context_for(capability: str, run_folder: Path, proxy_command: str, called: tuple[str, str] | None = None) -> PartContext:
    """`called`: a name and an address, for another machine than the one that all tests share."""
    name, address = called or MACHINES[capability]
    part = part_of(capability, name)
    part_folder = run_folder / (called[0] if called else capability)
    part_folder.mkdir(exist_ok=True)
    return PartContext(
        settings=Settings(guest_proxy_command=proxy_command),
        run_folder=run_folder,
        part_folder=part_folder,
        part=part,
        outputs={"machines": {name: {"addresses": [address]}}},
    )


def receipt_of(context: PartContext) -> PartReceipt:
    return PartReceipt(
        label=context.part.label,
        outputs=context.outputs,
        machines=context.machines,
        verified=context.verified,
        not_verified=context.not_verified,
        providers=(("bpg/proxmox", "0.111.1"),),
    )


def spec_for(name: str, address: str, run_folder: Path) -> GuestSpec:
    return GuestSpec(
        key=name,
        hostname=name,
        mac=f"bc:24:11:00:00:{int(address.rpartition('.')[2]):02x}",
        address=IPv4Interface(f"{address}/24"),
        gateway=IPv4Address("10.20.0.1"),
        user="ops",
        ssh_keys=((run_folder / "secrets" / "ssh_key.pub").read_text().strip(), OPERATOR_KEY),
    )


def new_run_folder(parent: Path) -> Path:
    """With a blank and a percent sign in its name, which SSH, Ansible and the shell each read in their own way."""
    folder = parent / "a 100% run"
    (folder / "secrets").mkdir(parents=True, mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "secrets" / "ssh_key")], check=True)
    (folder / "secrets" / "database_password").write_text(PASSWORD)
    return folder


PROGRAMS = ("ansible-playbook", "berth", "curl", "psql", "python", "scp", "sftp", "ssh", "terraform", "tofu")


def commands_in(guide: str) -> list[str]:
    """Whatever of a guide is to be typed into a shell, once: its blocks of sh, and words set as code that call a program."""
    blocks = re.findall(r"^(`{3,})sh\n(.*?)\n\1$", guide, flags=re.MULTILINE | re.DOTALL)
    words = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", guide, flags=re.MULTILINE | re.DOTALL)
    inline = [span for span in re.findall(r"`([^`\n]+)`", words) if span.split()[0] in PROGRAMS]
    return sorted({*(text for _, text in blocks), *inline})


@dataclass
class Met:
    bodies: Bodies
    context: PartContext


@dataclass
class Site:
    """Both machines, configured at the same time and once for all tests."""

    bodies: Bodies
    contexts: dict[str, PartContext]
    said: dict[str, list[str]]

    def root(self, machine: str, *argv: str) -> str:
        done = self.bodies.exec(machine, argv)
        assert done.returncode == 0, done.stderr
        return done.stdout
