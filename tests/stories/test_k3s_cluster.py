"""A k3s cluster from a sentence to 3 servers and 2 workers that run, a server that is stopped, a worker more, an upgrade, one less, and
back: Terraform, Ansible, guests with a real systemd, Debian's kubectl. The program is the stand-in of cluster_sim/releases."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster_sim.run import environment, world
from tests.conftest import WORLDS, Chat, api_server, wait_until
from tools.clients.ansible import run_playbook
from tools.clients.ssh import Host
from tools.values.trouble import WorldProblem

pytestmark = pytest.mark.systems
SECONDS_MAX = 1800.0
OLD, NEW = "v1.36.4+k3s1+sim", "v1.36.5+k3s1+sim"
ADDRESS = "10.20.0.200"


@dataclass
class Site:
    chat: Chat
    ready: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.chat.folder

    def approve(self, sentence: str) -> str:
        """Says it, approves the plan, and gives what was said at the end. The run is done."""
        planned = self.chat.say(sentence)
        answer = self.chat.post(f"approve {planned.digest}", SECONDS_MAX)
        answer.raise_for_status()
        assert self.chat.run.status in ("done", "removed"), answer.text[-3000:]
        return answer.text

    def on(self, machine: str, command: str) -> subprocess.CompletedProcess[str]:
        words = ["ssh", "-F", str(self.folder / "ssh_config"), "-o", "BatchMode=yes", machine, command]
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=300)

    def kubectl(self, words: str) -> subprocess.CompletedProcess[str]:
        """Debian's, on a worker, with the kubeconfig that the run keeps."""
        return self.on("k3s-worker-01", f"kubectl --kubeconfig .kube-run --request-timeout 5s {words}")

    def nodes(self) -> dict[str, str]:
        """Name → release, of those that are ready."""
        found = json.loads(self.kubectl("get nodes -o json").stdout or '{"items": []}')["items"]
        ready = [one for one in found if any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"]["conditions"])]
        return {one["metadata"]["name"]: one["status"]["nodeInfo"]["kubeletVersion"] for one in ready}

    def power(self, machine: str, deed: str) -> None:
        [found] = [one for one in self.chat.run.receipt.parts[0].outputs["machines"].items() if one[0] == machine]  # type: ignore[union-attr]
        proxmox, headers = self.ready["proxmox"], {"Authorization": f"PVEAPIToken={self.ready['proxmox']['token']}"}
        guests = httpx.get(f"{proxmox['url']}/api2/json/cluster/resources?type=vm", headers=headers, verify=self.ready["ca_file"]).json()
        guest = next(one for one in guests["data"] if one["name"] == found[0])
        where = f"{proxmox['url']}/api2/json/nodes/{guest['node']}/qemu/{guest['vmid']}/status/{deed}"
        httpx.post(where, headers=headers, verify=self.ready["ca_file"]).raise_for_status()

    def playbook(self, **changed: str) -> str:
        """What it says when it is stopped; nothing that runs is touched by it."""
        part = self.chat.plan.manifest.parts[0]
        addresses = {machine.name: machine.address for machine in self.chat.run.receipt.parts[0].machines}  # type: ignore[union-attr]
        hosts = [Host(machine.name, addresses[machine.name], machine.user_name, machine.group) for machine in part.machines]
        given = {name: value for name, value in part.configure.variables.items() if name != "k3s_token"} | changed  # type: ignore[union-attr]
        token = {"k3s_token": (self.folder / "secrets" / "k3s_token").read_text().strip()}
        before = self.on("k3s-server-01", "systemctl show --property MainPID k3s").stdout
        with pytest.raises(WorldProblem) as stopped:
            run_playbook(self.folder, self.folder / part.label, "k3s_cluster.yml", hosts, given, token, print)
        assert self.on("k3s-server-01", "systemctl show --property MainPID k3s").stdout == before
        return stopped.value.detail


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("k3s")
    with world([str(WORLDS / "four_nodes.yaml")], folder / "world", guests="pod") as ready:
        settings = environment(ready, folder) | {"BERTH_SITE_FILE": ready["proxmox"]["site_file"]}
        with api_server(settings, folder / "api_server.log") as berth:
            yield Site(berth.chat(), ready)


def test_a_cluster_survives_a_server_takes_a_worker_is_upgraded_and_lets_a_worker_go(site: Site, record_property: Any) -> None:
    planned = site.chat.say(
        f"a k3s cluster, release v1.36.4, 3 servers and 2 workers, no ingress, development, on network 20, api address {ADDRESS}"
    )
    begun = time.monotonic()
    answer = site.chat.post(f"approve {planned.digest}", SECONDS_MAX)
    record_property("approval_to_verified_s", round(time.monotonic() - begun, 1))
    print(f"approval to verified: {time.monotonic() - begun:.1f} s")
    assert site.chat.run.status == "done", answer.text[-3000:]

    # The way in that the guide names, with Debian's own kubectl, by the address that the servers share.
    [kubeconfig] = (site.folder / "secrets").glob("kubeconfig-*")
    assert kubeconfig.stat().st_mode & 0o777 == 0o600 and f"https://{ADDRESS}:6443" in kubeconfig.read_text()
    guide = (site.folder / "guide.md").read_text()
    assert str(kubeconfig) in guide and kubeconfig.read_text().split("client-key-data: ")[1].strip() not in guide
    put = ["ssh", "-F", str(site.folder / "ssh_config"), "k3s-worker-01", "umask 077; cat > .kube-run"]
    subprocess.run(put, input=kubeconfig.read_text(), text=True, check=True, timeout=60)
    installed = site.on("k3s-worker-01", "sudo apt-get install -qq --no-install-recommends kubernetes-client")
    assert installed.returncode == 0, installed.stderr
    machines = ["k3s-server-01", "k3s-server-02", "k3s-server-03", "k3s-worker-01", "k3s-worker-02"]
    assert site.nodes() == dict.fromkeys(machines, OLD)

    # A server stops, the one that has the address: the API goes on, and the server comes back as what it was.
    holder = next(name for name in machines[:3] if f"{ADDRESS}/" in site.on(name, "ip -brief addr").stdout)
    site.power(holder, "stop")
    wait_until(lambda: site.kubectl("get --raw /readyz").stdout == "ok", 60, lambda: "the API did not come back")
    made = site.kubectl("create configmap made-meanwhile --from-literal a=b")
    assert made.returncode == 0, made.stderr
    site.power(holder, "start")
    wait_until(lambda: site.on(holder, "sudo k3s kubectl get --raw /readyz").stdout == "ok", 120, lambda: f"{holder} did not come back")

    # A mirror that serves something else, and one that is away, are told in a sentence, and nothing is restarted.
    assert "its SHA-256 is another one" in site.playbook(k3s_sha256="0" * 64)
    assert "does not answer" in site.playbook(k3s_sha256="1" * 64, k3s_url="http://10.20.0.1:9/k3s")

    site.approve("3 workers")
    assert site.nodes() == dict.fromkeys([*machines, "k3s-worker-03"], OLD)

    site.approve("upgrade to v1.36.5")
    assert site.nodes() == dict.fromkeys([*machines, "k3s-worker-03"], NEW)
    assert site.kubectl("get configmap made-meanwhile -o name").stdout.strip() == "configmap/made-meanwhile"

    site.approve("2 workers")
    assert site.nodes() == dict.fromkeys(machines, NEW)
    assert "k3s-worker-03" not in site.kubectl("get nodes -o name").stdout, "it was taken out of the cluster, not left to be missed"

    refused = site.chat.say("1 master")
    assert "majority" in refused.text and site.chat.open_digest == "", refused.text
    site.approve("remove it")
