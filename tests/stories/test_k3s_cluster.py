"""A k3s cluster from a sentence to 3 servers and 2 workers that run, a server that is stopped, a worker more, an upgrade, one less, and
back: Terraform, Ansible, guests with a real systemd, Debian's kubectl. The program is the stand-in of cluster_sim/releases."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.conftest import Berth, Chat, wait_until
from tests.stories.pods import Switches, approve, done, on, pods, took
from tools.clients.ansible import run_playbook
from tools.clients.ssh import Answer, Host
from tools.values.trouble import WorldProblem

pytestmark = [pytest.mark.systems, pytest.mark.timeout(2400)]
OLD, NEW = "v1.36.4+k3s1+sim", "v1.36.5+k3s1+sim"
ADDRESS = "10.20.0.200"
SERVERS, WORKERS = [f"k3s-server-0{number}" for number in (1, 2, 3)], [f"k3s-worker-0{number}" for number in (1, 2)]
MOVES_SECONDS_MAX, BACK_SECONDS_MAX = 60.0, 120.0
NODES = (
    "get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} "
    '{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}\''
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Berth, Switches]]:
    with pods(tmp_path_factory.mktemp("k3s")) as found:
        yield found


def kubectl(chat: Chat, words: str) -> Answer:
    """Debian's, on a worker, with the kubeconfig that the run keeps."""
    return on(chat, WORKERS[0], f"kubectl --kubeconfig .kube-run --request-timeout 5s {words}")


def nodes(chat: Chat) -> dict[str, str] | str:
    """Name → release, of those that are ready; what kubectl says where it has no answer."""
    answer = kubectl(chat, NODES)
    if answer.code != 0:
        return answer.output
    rows = [line.split() for line in answer.output.splitlines()]
    return {name: release for name, release, ready in rows if ready == "True"}


def playbook(chat: Chat, **changed: str) -> str:
    """What it says when it is stopped, on the first server; nothing that runs is touched by it."""
    assert chat.run.receipt is not None and chat.part.configure is not None
    addresses = {machine.name: machine.address for machine in chat.run.receipt.parts[0].machines}
    hosts = [Host(machine.name, addresses[machine.name], machine.user_name, machine.group) for machine in chat.machines[:1]]
    given = {name: value for name, value in chat.part.configure.variables.items() if name != "k3s_token"} | changed
    token = {"k3s_token": (chat.folder / "secrets" / "k3s_token").read_text().strip()}
    before = done(chat, SERVERS[0], "systemctl show --property MainPID k3s")
    with pytest.raises(WorldProblem) as stopped:
        run_playbook(chat.folder, chat.folder / chat.part.label, "k3s_cluster.yml", hosts, given, token, print)
    assert done(chat, SERVERS[0], "systemctl show --property MainPID k3s") == before
    return stopped.value.detail


def test_a_cluster_survives_a_server_takes_a_worker_is_upgraded_and_lets_a_worker_go(site: tuple[Berth, Switches]) -> None:
    berth, switches = site
    chat = berth.chat()
    asked = "release v1.36.4, 3 servers and 2 workers, no ingress, with cert-manager"
    approve(chat, f"a k3s cluster, {asked}, development, on network 20, api address {ADDRESS}")
    print(f"\nk3s cluster, from approval to verified: {took(chat).total_seconds():.0f} s")

    assert chat.run.receipt is not None
    assert any("cert-manager: installed" in line for line in chat.run.receipt.parts[0].verified), chat.run.receipt.parts[0].verified

    # The way in that the guide names, with Debian's own kubectl, by the address that the servers share.
    [kubeconfig] = (chat.folder / "secrets").glob("kubeconfig-*")
    assert kubeconfig.stat().st_mode & 0o777 == 0o600 and f"https://{ADDRESS}:6443" in kubeconfig.read_text()
    guide = (chat.folder / "guide.md").read_text()
    assert str(kubeconfig) in guide and kubeconfig.read_text().split("client-key-data: ")[1].strip() not in guide
    done(chat, WORKERS[0], f"umask 077; echo {shlex.quote(kubeconfig.read_text())} > .kube-run")
    done(chat, WORKERS[0], "sudo apt-get install -qq --no-install-recommends kubernetes-client", 300)
    machines = [*SERVERS, *WORKERS]
    assert nodes(chat) == dict.fromkeys(machines, OLD)

    # A server stops, the one that has the address: the API goes on, and the server comes back as what it was.
    holder = next(name for name in SERVERS if f"{ADDRESS}/" in done(chat, name, "ip -brief addr"))
    switches.stop(holder)
    wait_until(lambda: kubectl(chat, "get --raw /readyz").output == "ok", MOVES_SECONDS_MAX, lambda: "the API did not come back")
    made = kubectl(chat, "create configmap made-meanwhile --from-literal a=b")
    assert made.code == 0, made.output
    without = [name for name in machines if name != holder]
    wait_until(lambda: nodes(chat) == dict.fromkeys(without, OLD), MOVES_SECONDS_MAX, lambda: str(kubectl(chat, NODES)))
    switches.start(holder)
    ready = "sudo k3s kubectl get --raw /readyz"
    wait_until(lambda: on(chat, holder, ready).output == "ok", BACK_SECONDS_MAX, lambda: f"{holder} did not come back")

    # A mirror that serves something else, and one that is away, are told in a sentence, and nothing is restarted.
    assert "its SHA-256 is another one" in playbook(chat, k3s_sha256="0" * 64)
    assert "does not answer" in playbook(chat, k3s_sha256="1" * 64, k3s_url="http://127.0.0.1:9/k3s")

    # Another release for all and one more worker, by one change: servers one after the other, then who has the release or is new.
    approve(chat, "3 workers, and upgrade to v1.36.5")
    assert nodes(chat) == dict.fromkeys([*machines, "k3s-worker-03"], NEW)
    assert kubectl(chat, "get configmap made-meanwhile -o name").output.strip() == "configmap/made-meanwhile"

    approve(chat, "make it 2 workers")
    assert nodes(chat) == dict.fromkeys(machines, NEW)
    assert "k3s-worker-03" not in done(chat, WORKERS[0], "kubectl --kubeconfig .kube-run get nodes -o name"), (
        "it was taken out of the cluster, not left to be missed"
    )

    refused = chat.say("make it 1 server")
    assert "3 servers" in refused.text and chat.open_digest == "", refused.text
    approve(chat, "remove it")
