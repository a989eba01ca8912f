"""community.proxmox, unmodified, against the simulated cluster: its inventory with facts, and its modules one after another.

The collection is not on the package index by itself: it comes in the package `ansible` (54 MB), which is fetched by its hash and of which
nothing else is taken. Where that cannot be had, the test says so and is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from cluster_sim.run import world
from tests.cluster_sim.proxmox.driver import WORLDS

pytestmark = pytest.mark.systems

BIN = Path(sys.executable).parent
FETCH_SECONDS_MAX, PLAY_SECONDS_MAX = 300, 280
COLLECTION = "ansible_collections/community/proxmox/"
USER, RULE = {"userid": "jan@pve"}, {"name": "near", "type": "node-affinity", "resources": ["vm:700"]}
GUEST, ON_PVE1 = {"vmid": 700}, {"vmid": 700, "node": "pve1"}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("node_info", {}),
    ("storage_info", {}),
    ("storage_info", {"storage": "ceph-vm"}),
    ("storage_contents_info", {"node": "pve1", "storage": "local", "content": "all"}),
    ("vm_info", {}),
    ("vm_info", {"config": "current", "node": "pve1"}),
    ("vm_info", {"network": True, "vmid": 110, "node": "pve1"}),
    ("tasks_info", {"node": "pve1"}),
    ("domain_info", {}),
    ("group", {"groupid": "ops", "state": "present", "comment": "Operators"}),
    ("group_info", {}),
    ("user", USER | {"state": "present", "password": "long enough", "groups": ["ops"]}),
    ("user_info", {}),
    ("access_acl", {"path": "/vms/110", "type": "user", "ugid": "jan@pve", "roleid": "PVEVMUser", "state": "present"}),
    ("pool", {"poolid": "apps", "comment": "made"}),
    ("pool_member", {"poolid": "apps", "member": "ceph-vm", "type": "storage"}),
    ("kvm", ON_PVE1 | {"clone": "debian-12", "vmid": 9000, "newid": 700, "name": "a-01", "full": True, "storage": "ceph-vm"}),
    ("kvm", ON_PVE1 | {"memory": "2048", "cores": 2, "update": True}),
    ("nic", GUEST | {"interface": "net1", "bridge": "vmbr0", "tag": 30, "model": "virtio"}),
    ("disk", GUEST | {"disk": "scsi3", "storage": "ceph-vm", "size": 5, "state": "present"}),
    ("disk", GUEST | {"disk": "scsi3", "size": "+2G", "state": "resized"}),
    ("kvm", ON_PVE1 | {"state": "started"}),
    ("kvm", ON_PVE1 | {"state": "current"}),
    ("cluster_ha_resources", {"name": "vm:700", "state": "present", "hastate": "started"}),
    ("cluster_ha_rules", RULE | {"nodes": ["pve1:2", "pve2"], "state": "present"}),
    ("cluster_ha_rules", RULE | {"nodes": ["pve1:2", "pve2"], "state": "absent"}),
    ("cluster_ha_resources", {"name": "vm:700", "state": "absent"}),
    ("backup_info", {}),
    ("firewall", {"level": "cluster", "rules": [{"type": "in", "action": "ACCEPT", "pos": 0, "enable": True}]}),
    ("firewall_info", {"level": "cluster"}),
    ("zone_info", {}),
    ("vnet_info", {}),
    ("ipam_info", {}),
    ("zone", {"state": "present", "type": "vlan", "zone": "lab", "bridge": "vmbr0"}),
    ("vnet", {"state": "present", "vnet": "lab50", "zone": "lab", "tag": 50, "alias": "Lab"}),
    ("subnet", {"state": "present", "vnet": "lab50", "subnet": "10.0.50.0/24", "zone": "lab", "gateway": "10.0.50.1"}),
    ("vnet_info", {}),
    ("cluster_join_info", {}),
    ("template", {"node": "pve1", "storage": "local", "template": "debian-12-standard_12.7-1_amd64.tar.zst"}),
    ("kvm", ON_PVE1 | {"state": "stopped", "force": True}),
    ("kvm", ON_PVE1 | {"state": "absent"}),
    ("user", USER | {"state": "absent"}),
    ("group", {"groupid": "ops", "state": "absent"}),
)
NOT_SIMULATED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("snap", {"vmid": 110, "state": "present", "snapname": "before"}),
    ("backup", {"mode": "include", "vmids": [110], "storage": "local", "backup_mode": "snapshot"}),
)
"""What answers 501, with the address that it lacks: a list that gets shorter."""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has it."""
    folder = tmp_path_factory.mktemp("collection")
    wanted = Path(__file__).with_name("ansible.txt")
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-r", str(wanted), "-d", str(folder)]
    fetched = subprocess.run(fetch, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False)
    if fetched.returncode != 0:
        pytest.skip(f"the package ansible cannot be fetched here: {fetched.stderr.strip()[-200:]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as package:
        package.extractall(folder, [name for name in package.namelist() if name.startswith(COLLECTION)])
    return folder


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Four nodes, and a token that may do everything."""
    folder = tmp_path_factory.mktemp("world")
    file = folder / "world.yaml"
    grants = [{"path": "/", "to": "berth@pve", "role": "Administrator"}]
    file.write_text(yaml.safe_dump({"based_on": str(WORLDS / "four_nodes.yaml"), "time": 10, "proxmox": {"grants": grants}}))
    with world([str(file)], folder / "world", guests="none") as served:
        yield served


def ansible(program: str, *arguments: str, ready: dict[str, Any], collection: Path, folder: Path) -> str:
    environment = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(collection),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_HOME": str(folder),
        "REQUESTS_CA_BUNDLE": ready["ca_file"],
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [BIN / program, *arguments], env=environment, cwd=folder, capture_output=True, text=True, timeout=PLAY_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def login(ready: dict[str, Any]) -> tuple[str, str, str]:
    who, _, secret = ready["proxmox"]["token"].partition("=")
    user, _, name = who.partition("!")
    return user, name, secret


def test_the_inventory_has_every_guest_with_facts(ready: dict[str, Any], collection: Path, tmp_path: Path) -> None:
    user, name, secret = login(ready)
    file = tmp_path / "all.proxmox.yml"
    source = {"plugin": "community.proxmox.proxmox", "url": ready["proxmox"]["url"], "validate_certs": True, "want_facts": True}
    file.write_text(yaml.safe_dump(source | {"user": user, "token_id": name, "token_secret": secret}))
    found = json.loads(ansible("ansible-inventory", "-i", str(file), "--list", ready=ready, collection=collection, folder=tmp_path))
    hosts = found["_meta"]["hostvars"]
    world = yaml.safe_load((WORLDS / "four_nodes.yaml").read_text())["proxmox"]
    wanted = {one["name"]: vmid for vmid, one in world["guests"].items() if not one.get("template")}
    assert {host: hosts[host]["proxmox_vmid"] for host in wanted} == wanted
    # Ansible marks what comes from outside.
    where = {host: hosts[host]["proxmox_node"]["__ansible_unsafe"] for host in wanted}
    assert where == {one["name"]: one["node"] for one in world["guests"].values() if not one.get("template")}
    assert [host for host in wanted if hosts[host]["proxmox_snapshots"] != []] == []


def test_its_modules_do_what_they_are_told(ready: dict[str, Any], collection: Path, tmp_path: Path) -> None:
    url, (user, name, secret) = urlsplit(ready["proxmox"]["url"]), login(ready)
    own = {"api_host": url.hostname, "api_port": url.port, "api_user": user, "api_token_id": name, "api_token_secret": secret}
    calls = (*CALLS, *NOT_SIMULATED)
    tasks: list[dict[str, Any]] = [
        {f"community.proxmox.proxmox_{module}": {**own, "validate_certs": True, **told}, "register": f"r{number}", "ignore_errors": True}
        for number, (module, told) in enumerate(calls)
    ]
    results = ", ".join(f"r{number}" for number in range(len(calls)))
    tasks.append({"ansible.builtin.copy": {"dest": str(tmp_path / "results.json"), "content": f"{{{{ [{results}] | to_json }}}}"}})
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    ansible("ansible-playbook", str(tmp_path / "play.yml"), ready=ready, collection=collection, folder=tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    told = [(module, "" if not one.get("failed") else str(one.get("msg"))) for (module, _), one in zip(calls, found, strict=True)]
    assert [one for one in told[: len(CALLS)] if one[1]] == []
    assert [module for module, text in told[len(CALLS) :] if "501" not in text] == [], "it is simulated by now: move it up"
    by_module = {module: one for (module, _), one in zip(calls, found, strict=True)}
    assert any(user["userid"] == "jan@pve" and user["groups"] == ["ops"] for user in by_module["user_info"]["proxmox_users"])
