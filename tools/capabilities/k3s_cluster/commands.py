"""The commands of a cluster's guide, and what is run before a node goes. The verify step runs the first, the step `leave` the last."""

from __future__ import annotations

from tools.capabilities.k3s_cluster.facts import SERVERS
from tools.capabilities.k3s_cluster.variables import api_address, disabled, first_server, kubeconfig
from tools.rules.words.guiding import common, on_machine
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Part

KUBECTL = "sudo /usr/local/bin/k3s kubectl"
TLS = "/var/lib/rancher/k3s/server/tls"
DRAIN_SECONDS = 300
LOOKS_MAX, LOOK_SECONDS = 10, 4


def commands(machine: AnyMachine, part: Part) -> tuple[Command, ...]:
    """In the order of the guide: of the cluster as a whole beside its first server, then of each machine."""
    name = machine.name
    if name == first_server(part):
        return (*_of_the_cluster(part), *_of_a_server(name, part), *common(machine))
    if machine.group == SERVERS.name:
        return (*_of_a_server(name, part), *common(machine))
    return (on_machine(name, "See that the agent runs", "systemctl is-active k3s-agent", "active"), *common(machine))


def _of_the_cluster(part: Part) -> tuple[Command, ...]:
    first, release = first_server(part), part.needs.text("release")
    address = api_address(part) or "{address}"
    counted = f"{KUBECTL} get nodes --no-headers | grep --word-regexp Ready | grep --count --fixed-strings ' {release}'"
    return (
        on_machine(first, "See the nodes of the cluster", f"{KUBECTL} get nodes", release),
        on_machine(first, "Count the nodes that are ready with this release", counted, str(len(part.machines))),
        on_machine(
            first,
            "Ask the API by its own address, as a client that trusts nobody but the cluster's authority",
            f"sudo curl --silent --show-error --fail --cacert {TLS}/server-ca.crt --cert {TLS}/client-admin.crt "
            f"--key {TLS}/client-admin.key https://{address}:6443/readyz",
            "ok",
        ),
        *(
            on_machine(first, f"See what became of {chart}, which a job of Helm installs", _became(chart), f"{chart}: ")
            for chart in part.needs.strings("charts")
        ),
        *(
            (on_machine(first, "See that the pods of k3s itself have a node", f"{KUBECTL} get pods --all-namespaces", "coredns"),)
            if "coredns" not in disabled(part)
            else ()
        ),
        # Not a line of ours for the verify step: whether this computer reaches the API is the site's affair.
        Command(
            purpose="Use the cluster from this computer, with kubectl",
            argv=("kubectl", "--kubeconfig", f"{{run}}/secrets/{kubeconfig(part)}", "get", "nodes"),
            machine=first,
            runs_here=False,
        ),
    )


def _became(chart: str) -> str:
    """Whether its job has ended, looked at for most of a minute; where it gave up, with what Helm said last."""
    job = f"{KUBECTL} get --raw /apis/batch/v1/namespaces/kube-system/jobs/helm-install-{chart} 2>/dev/null | tr -d ' '"
    why = f"{KUBECTL} get --raw /apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/{chart} | grep --only-matching '\"message\".*'"
    last = f"{KUBECTL} --namespace kube-system logs job/helm-install-{chart} --tail 3 2>/dev/null"
    return (
        f"for look in $(seq {LOOKS_MAX}); do case $({job}) in "
        f'*\'"type":"Complete","status":"True"\'*) echo \'{chart}: installed\'; exit 0;; '
        f'*\'"type":"Failed","status":"True"\'*) {why}; {last}; exit 1;; '
        f"esac; sleep {LOOK_SECONDS}; done; echo '{chart}: Helm is still at it. Ask again.'"
    )


def _of_a_server(name: str, part: Part) -> tuple[Command, ...]:
    return (on_machine(name, "See that this server is ready, with etcd behind it", f"{KUBECTL} get --raw /readyz", "ok"),)


def farewell(part: Part) -> tuple[Command, ...]:
    """What is done for a node that goes: its pods move, then the cluster forgets it. One that the cluster does not know is gone already."""
    first, node = first_server(part), "{leaving}"
    known = f"{KUBECTL} get node {node} --ignore-not-found -o name | grep --quiet ."
    drain = f"{KUBECTL} drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout={DRAIN_SECONDS}s"
    return (
        on_machine(first, "moving its pods to other nodes", f"if {known}; then {drain}; fi", ""),
        on_machine(first, "taking it out of the cluster", f"{KUBECTL} delete node {node} --ignore-not-found", ""),
    )
