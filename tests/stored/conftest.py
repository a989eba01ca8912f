"""What an older Berth left behind, served by this one: its home, and the world as it stood. README.md says how they were made."""

from __future__ import annotations

import json
import pickle
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from cluster_sim.guests.emulated.host import new_host
from cluster_sim.guests.emulated.server import HOSTS_NAME
from cluster_sim.guests.values import GuestSpec
from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Berth, api_server
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform

LEFT = Path(__file__).with_name("c59d55c.tar.xz")
MADE_AT = "/srv/berth"
"""Where it was made: the paths that stand in it are moved to where it is unpacked."""
PATHS_IN = (("runs", "receipt_json"), ("steps", "result_json"))
"""Columns of the ledger that hold paths."""


def unpack(folder: Path) -> Path:
    """The home that was left, in a folder of its own; the world lies beside it."""
    with tarfile.open(LEFT) as kept:
        kept.extractall(folder)
    for path in (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db"):
        raw = path.read_bytes()
        if MADE_AT.encode() in raw:
            path.write_bytes(raw.replace(MADE_AT.encode(), str(folder).encode()))
    with sqlite3.connect(folder / "home" / "ledger.db") as ledger:
        for table, column in PATHS_IN:
            ledger.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (MADE_AT, str(folder)))
    ledger.close()
    return folder / "home"


def wake_guests(folder: Path) -> None:
    """The guests as the simulator keeps them: with the host keys that were seen, and what cloud-init sets up. It keeps more, in a shape
    of its own that another version of it need not read; what Ansible had set up is set up again when it is asked for."""
    hosts = []
    for guest in json.loads((folder / "hosts.json").read_text()):
        given = guest["spec"]
        address, gateway = IPv4Interface(given.pop("address")), IPv4Address(given.pop("gateway"))
        spec = GuestSpec(**given | {"address": address, "gateway": gateway, "ssh_keys": tuple(given["ssh_keys"])})
        hosts.append((spec, new_host(spec), guest["host_key"].encode()))
    (folder / HOSTS_NAME).write_bytes(pickle.dumps(hosts))


def take_up(files: list[str], folder: Path, fresh: Path) -> None:
    """The simulator takes up what it kept of the very same world, and the world files have grown since: it is told that they are one."""
    with world(files, fresh, guests="none"):
        pass
    for name in ("proxmox.json", "azure/azure.json"):
        kept, grown = (json.loads((place / name).read_text()) for place in (folder, fresh))
        (folder / name).write_text(json.dumps(kept | {"world": grown["world"]}))


def make_ready(home: Path, given: dict[str, str]) -> None:
    """What stopped and can be retried gets back the providers that it was planned with, which were left out to keep it small; and the
    machines are reached through the simulator as it is called here."""
    for lock in home.glob("runs/**/.terraform.lock.hcl"):
        lock.unlink()  # Of a provider's release; the simulator's stand-in for it is not the program that it was then.
    for state in home.glob("runs/*/web_server/terraform.tfstate"):
        terraform = Terraform(Settings.from_environment(given), state.parent)
        terraform.write_configuration()
        terraform.init()
    for path in home.glob("runs/*/ssh_config"):
        path.write_text(re.sub("(?<=ProxyCommand ).*", lambda _: given["BERTH_GUEST_PROXY_COMMAND"], path.read_text()))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    """This Berth, started in the old one's home."""
    folder = tmp_path_factory.mktemp("left")
    unpack(folder)
    wake_guests(folder / "world" / "guests")
    files = [str(WORLDS / name) for name in ("four_nodes.yaml", "azure_subscription.yaml")]
    take_up(files, folder / "world", folder / "fresh")
    with world(files, folder / "world", guests="emulated") as ready:
        given = environment(ready, folder) | {"BERTH_OPERATOR": "operator", "BERTH_PUBLIC_KEY_FILE": str(folder / "operator.pub")}
        make_ready(folder / "home", given)
        with api_server(given, folder / "api_server.log") as server:
            yield server
