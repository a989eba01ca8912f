"""What is wanted to know of a k3s cluster, and how it becomes typed needs. Where its machines go is not decided here."""

from __future__ import annotations

import re

from tools.capabilities.k3s_cluster import sizes
from tools.capabilities.k3s_cluster.add_ons import ADD_ONS, with_needed
from tools.rules.azure.facts import OF_AZURE
from tools.rules.hearing.tokens import quantities
from tools.rules.machines.facts import EVERY_MACHINE
from tools.rules.names import naming
from tools.rules.request import releases
from tools.rules.request.grouping import read_group_count, settle_group_sizes
from tools.rules.request.placing import read_placing
from tools.rules.request.reading import Reading
from tools.rules.request.wanting import wanted
from tools.values.request import Fact
from tools.values.requirements import Group, Needs
from tools.values.site import Release, Site

WORDS = (
    "k3s cluster", "k3s clusters", "k3s", "kubernetes cluster", "kubernetes clusters", "kubernetes", "k8s cluster", "k8s clusters",
)  # fmt: skip
PROGRAM = "k3s"
SERVERS = Group(name="servers", called="server", one_a_node=False, quorum=True)
WORKERS = Group(name="workers", called="worker")
SERVER_COUNTS = (1, 3)
WORKERS_DEFAULT = 2
WORKERS_MAX = 50
API_ADDRESS = "api_address"
MAJORITY = "etcd keeps a cluster's state by a majority of its servers, which 1 or 3 of them have."
COUNT = "count"
"""How many machines there are in all: to k3s a server is a node as well (docs.k3s.io/architecture, read 2026-11-30)."""
SERVER_WORDS = re.compile(r"(?i)server|master|control")
"""Of a number that nothing else tells what it counts: other ones count all nodes together."""
HOST_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")

WANTED = wanted(__package__, every_machine=EVERY_MACHINE, **{one.name: (one,) for one in OF_AZURE})


def understand(facts: tuple[Fact, ...], site: Site) -> Needs:
    reading = Reading.of("k3s_cluster", "proxmox", WANTED, facts)
    reading.refuse_other_makes("distribution", "k3s", "Berth makes clusters of k3s, not of {other}. Say k3s")
    if "managed_kubernetes" in reading.facts:
        reading.refuse("AKS is the Kubernetes that Azure runs. Say `in Azure`, or `a k3s cluster`.", "managed_kubernetes", "platform")
    servers, workers = _read_machines(reading)
    read_placing(reading, site, workload="k3s", machines=servers + workers)
    settle_group_sizes(reading, SERVERS.name, sizes.SERVER_CPU, sizes.SERVER_MEMORY_MIB, sizes.SERVER_DISK_GIB)
    settle_group_sizes(reading, WORKERS.name, sizes.WORKER_CPU, sizes.WORKER_MEMORY_MIB, sizes.WORKER_DISK_GIB)
    _read_release(reading, releases.releases_of(site, PROGRAM))
    _read_add_ons(reading)
    if servers > 1:
        _read_api_address(reading)
    elif API_ADDRESS in reading.facts and not reading.problems:
        reading.refuse(
            "With one server the API has that server's address. Say 3 servers for an address that survives one.", "servers_count"
        )
    return reading.needs()


def _read_machines(reading: Reading) -> tuple[int, int]:
    """(servers, workers). Where all machines were counted, they are both kinds together, and what was not said follows from the rest."""
    nodes, servers_said, workers_said = _of_all(reading), _is_said(reading, SERVERS), _is_said(reading, WORKERS)
    if nodes and workers_said and not servers_said:
        workers = _read_workers(reading)
        return _rest(reading, nodes, SERVERS, _several(workers, WORKERS), nodes - workers), workers
    servers = _read_servers(reading, nodes)
    if nodes and not workers_said:
        return servers, _rest(reading, nodes, WORKERS, _several(servers, SERVERS), nodes - servers)
    workers = _read_workers(reading)
    if nodes and servers_said and servers + workers != nodes and not reading.problems:
        told = f"{_several(servers, SERVERS)} and {_several(workers, WORKERS)} are {servers + workers} machines, and not {nodes} in all"
        reading.refuse(f"{told}: servers of k3s are nodes, too. Say how many servers and how many workers.", COUNT)
    return servers, workers


def _read_workers(reading: Reading) -> int:
    why = "without a worker everything runs beside etcd on the servers; Berth makes clusters with 1 worker or more."
    because = "Two workers, so that one can be taken out of service."
    return read_group_count(reading, WORKERS.name, WORKERS_DEFAULT, because, 1, WORKERS_MAX, why)


def _rest(reading: Reading, nodes: int, group: Group, others: str, left: int) -> int:
    """What is left of all machines beside the others."""
    in_all = f"{nodes} {'machine' if nodes == 1 else 'machines'} in all"
    if left < 1:
        least = nodes - left + 1
        reading.refuse(f"{in_all} cannot be {others} and a {group.called} besides. Say {least} machines or more.", COUNT)
    elif group is SERVERS and left not in SERVER_COUNTS:
        reading.refuse(f"{in_all} with {others} have {left} servers. {MAJORITY} Say 1 or 3 servers, or another number of machines.", COUNT)
    reading.said(f"{group.name}_count", left, "machines", fact=COUNT, because=f"{in_all}: servers are nodes, too")
    return left


def _read_servers(reading: Reading, nodes: int | None) -> int:
    environment = reading.facts["environment"].value.strip().lower() if "environment" in reading.facts else ""
    survives = environment == "production" or API_ADDRESS in reading.facts
    otherwise = 3 if survives and (nodes is None or nodes > 3) else 1
    because = "Three servers of etcd survive one of them." if otherwise > 1 else "One server; 3 survive one of them."
    if survives and nodes in (2, 3) and not _is_said(reading, SERVERS):
        reading.refuse(
            f"{nodes} machines cannot be 3 servers, of which one may be lost, and a worker. "
            f"Say 3 servers and 1 worker, or 1 server and {nodes - 1} {'worker' if nodes == 2 else 'workers'} without an API address.",
            f"{SERVERS.name}_count",
            f"{WORKERS.name}_count",
        )
    plain = COUNT in reading.facts and bool(SERVER_WORDS.search(reading.facts[COUNT].quote))
    count = read_group_count(reading, SERVERS.name, otherwise, because, 1, 3, MAJORITY, plain=plain)
    if count == 2:
        reading.refuse(
            "2 servers of etcd are worse than 1: both must run, so the cluster stops with either of them. Say 3 servers, or 1.",
            f"{SERVERS.name}_count",
        )
    return count


def _of_all(reading: Reading) -> int | None:
    """How many machines servers and workers are together, where that was said."""
    if COUNT not in reading.facts or SERVER_WORDS.search(reading.facts[COUNT].quote):
        return None
    return quantities.count(reading.facts[COUNT].value)


def _is_said(reading: Reading, group: Group) -> bool:
    return f"{group.name}_count" in reading.facts


def _several(number: int, group: Group) -> str:
    return f"{number} {group.called}{'' if number == 1 else 's'}"


def _read_release(reading: Reading, known: tuple[Release, ...]) -> None:
    names = ", ".join(one.version for one in known)
    if "release" in reading.facts:
        said = reading.facts["release"].value
        found = releases.find(known, said)
        if found is None:
            reading.refuse(
                f"There is no release {naming.shorten(said)} of k3s here with an address and a SHA-256. Say one of {names}; "
                "the site file's `releases` can name others.",
                "release",
            )
            return
        reading.said("release", found.version)
    elif known:
        found = known[0]
        reading.default("release", found.version, "The first release that is named for this site." if len(known) > 1 else "The only one.")
    else:
        reading.problems.append("This site names no release of k3s. Add one to `releases` of the site file.")
        return
    where = f"{found.source} {found.taken}".strip()
    reading.default("release_url", found.url, f"Where {found.version} is had from.")
    reading.default("release_sha256", found.sha256, f"What it must be: {where or 'the site file'}.")


def _read_add_ons(reading: Reading) -> None:
    _read_choice(reading, "ingress", "traefik", "Traefik, which comes with k3s.")
    _read_choice(reading, "volumes", "local-path", "Volumes on each node's own disk, which comes with k3s; they do not move.")
    asked: list[str] = []
    if "add_ons" in reading.facts:
        named = [one.strip().lower() for one in re.split(r",|\band\b", reading.facts["add_ons"].value) if one.strip()]
        unknown = [one for one in named if one not in ADD_ONS]
        if unknown:
            told = ", ".join(naming.shorten(one) for one in unknown)
            reading.refuse(f"There is no chart here called {told}. Say one of {', '.join(ADD_ONS)}, or install it yourself.", "add_ons")
        asked += [one for one in named if one in ADD_ONS]
    for fact, name in (("rancher", "rancher"), ("cert_manager", "cert-manager"), ("cluster_monitoring", "monitoring")):
        if fact in reading.facts and reading.facts[fact].value.strip().lower() not in ("no", "false"):
            asked.append(name)
    if reading.facts["volumes"].value.strip().lower() == "longhorn" if "volumes" in reading.facts else False:
        asked.insert(0, "longhorn")
    chosen = with_needed(dict.fromkeys(asked))
    if chosen:
        reading.default("charts", chosen, "As they were asked for, each behind what it needs.")
    if "rancher" in chosen:
        _read_rancher_name(reading)


def _read_rancher_name(reading: Reading) -> None:
    name = reading.facts["rancher_name"].value.strip().lower() if "rancher_name" in reading.facts else ""
    if HOST_NAME.fullmatch(name):
        reading.said("rancher_name", name)
    elif name:
        reading.refuse(f"{naming.shorten(name)} cannot be a host name. Say one such as rancher.example.org.", "rancher_name")
    else:
        reading.refuse(
            "Rancher needs a host name that its users resolve. Say it, as in `rancher hostname rancher.example.org`.", "rancher_name"
        )


def _read_choice(reading: Reading, name: str, otherwise: str, because: str) -> None:
    known = next(one for one in WANTED if one.name == name).choices
    if name not in reading.facts:
        reading.default(name, otherwise, because)
        return
    said = reading.facts[name].value.strip().lower()
    value = next((value for value, words in known if said == value or said in words), "")
    if value:
        reading.said(name, value)
    else:
        reading.refuse(f"{naming.shorten(said)} is none of the {name} here. Say {' or '.join(value for value, _ in known)}.", name)


def _read_api_address(reading: Reading) -> None:
    if API_ADDRESS in reading.facts:
        reading.said(API_ADDRESS, reading.facts[API_ADDRESS].value.strip())
    else:
        reading.ask(API_ADDRESS)
