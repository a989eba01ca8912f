"""Looks at a Proxmox VE cluster and says what was seen, when, and what could not be seen. Judging it belongs to tools.rules.

A silent node, a refused list or a missing history is a ScanProblem in the snapshot; only a cluster that cannot be read at all is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial

from tools.clients.connections import ProxmoxConnection
from tools.clients.prometheus import node_loads
from tools.clients.proxmox import Proxmox, audit_line
from tools.clients.together import Away, together
from tools.rules.machines import seeing
from tools.rules.names.scanned import Row, display, number, rows
from tools.values.snapshot import ClusterSnapshot, Load, Network, Node, ScanProblem, Storage, Template
from tools.values.trouble import WorldProblem
from tools.values.value import Json

GUEST_CONFIGS_MAX = 5000
"""Guests whose configuration is read: those that a run of ours made come first. A cluster has at most some thousands."""
CONFIGS_AT_ONCE = 64
"""After so many it is asked again whether more have to be read."""
AGENTS_MAX = 200
"""Guests whose agent is asked for its addresses, when a fixed one is wanted: each takes a running guest a moment."""
OURS = "berth"
"""The tag that says so."""


Config = tuple[str, tuple[str, ...]]
"""What is read, and where."""
Enough = Callable[[tuple[Network, ...], Collection[int]], bool]
"""(networks that are known, tags whose subnet is known) → whether the configurations of more guests would tell nothing that matters."""


def scan(
    settings: ProxmoxConnection, now: datetime, *, agents: bool = False, enough: Enough | None = None, vm_ids: Collection[int] = ()
) -> ClusterSnapshot:
    """What every decision needs: nodes, storages, bridges and SDN, and of guests their sizes. A configuration takes one call: those of
    templates, of stopped guests and of `vm_ids` are always read, the others until it is `enough`; without it, all. `agents`: guests are
    asked for their addresses, and all configurations are read. Raises WorldProblem when nothing at all can be read."""
    return _Look(settings, now).cluster(agents, None if agents else enough, vm_ids)


class _Look:
    """One look at a cluster: gathers problems while the parts are read."""

    def __init__(self, settings: ProxmoxConnection, now: datetime) -> None:
        self.settings, self.now = settings, now
        self.proxmox = Proxmox(settings)
        self.problems: list[ScanProblem] = []

    def cluster(self, agents: bool, enough: Enough | None, vm_ids: Collection[int]) -> ClusterSnapshot:
        first = self._read(
            {
                "the cluster's version": ("version",),
                "the cluster's status": ("cluster", "status"),
                "the cluster's resources": ("cluster", "resources"),
                "SDN vnets": ("cluster", "sdn", "vnets"),
                "SDN zones": ("cluster", "sdn", "zones"),
                "the status of high availability": ("cluster", "ha", "status", "current"),
                "the datacentre's firewall": ("cluster", "firewall", "options"),
            }
        )
        resources = rows(first["the cluster's resources"])
        if not isinstance(first["the cluster's resources"], list):
            raise self.proxmox.strange("cluster/resources")
        by_type: dict[str, list[Row]] = {}
        for row in resources:
            by_type.setdefault(str(row.get("type")), []).append(row)
        node_rows = [r for r in by_type.get("node", []) if seeing.NODE_NAME.fullmatch(str(r.get("node")))]
        online = [str(r["node"]) for r in node_rows if r.get("status") == "online"]
        guest_rows = [*by_type.get("qemu", []), *by_type.get("lxc", [])]
        history = self._history(online)
        waiting = tuple(seeing.sdn_waiting("zone", rows(first["SDN zones"]))) + tuple(seeing.sdn_waiting("vnet", rows(first["SDN vnets"])))
        vnets, zones = seeing.applied(rows(first["SDN vnets"])), seeing.applied(rows(first["SDN zones"]))
        now, later = self._configs(guest_rows, online, vm_ids, at_once=enough is None)
        second = self._second(online, [*now, *self._template_rules(guest_rows, online)], vnets, history)
        while later and enough and not enough(*self._networks(online, second, vnets, zones)):
            second |= self._read(dict(later[:CONFIGS_AT_ONCE]))
            del later[:CONFIGS_AT_ONCE]
        addresses = self._addresses(guest_rows, second) if agents else {}
        silent = {name for name in online if isinstance(second[f"node {name}"], WorldProblem)}
        away = seeing.in_maintenance(rows(first["the status of high availability"]))
        nodes = tuple(self._node(row, second, history, silent, away) for row in node_rows)
        storages = self._storages(online, second, by_type.get("storage", []))
        self._notice_missing_rights(node_rows, by_type)
        version, status = first["the cluster's version"], rows(first["the cluster's status"])
        return ClusterSnapshot(
            endpoint=self.settings.proxmox_endpoint,
            taken_at=self.now,
            version=display(version.get("version", "")) if isinstance(version, dict) else "",
            quorate=all(seeing.flag(row, "quorate") for row in status if row.get("type") == "cluster"),
            nodes=tuple(sorted(nodes, key=lambda n: n.name)),
            storages=storages,
            guests=tuple(
                sorted(
                    (seeing.guest(row, _config(row, second), addresses.get(int(number(row, "vmid")), ())) for row in guest_rows),
                    key=lambda g: g.vm_id,
                )
            ),
            templates=self._templates(guest_rows, second, storages),
            networks=self._networks(online, second, vnets, zones)[0],
            zones=tuple(seeing.zones(zones, vnets, tuple(online))),
            firewall_on=seeing.firewall_on(first["the datacentre's firewall"]),
            sdn_waiting=waiting + self._subnets_waiting(second),
            problems=tuple(self.problems),
        )

    def _template_rules(self, guest_rows: list[Row], online: list[str]) -> list[Config]:
        templates = (
            row for row in guest_rows if row.get("type") == "qemu" and seeing.flag(row, "template") and str(row.get("node")) in online
        )
        paths = ((f"rules of VM {int(number(row, 'vmid'))}", _config_path(row)[1]) for row in templates)
        return [(subject, (*path[:-1], "firewall", "rules")) for subject, path in paths]

    def _configs(
        self, guest_rows: list[Row], online: list[str], vm_ids: Collection[int], at_once: bool
    ) -> tuple[list[Config], list[Config]]:
        """Those that are read in any case, and those that may follow."""
        machines = [r for r in guest_rows if r.get("type") == "qemu" and str(r.get("node")) in online and number(r, "vmid")]
        ours_first = sorted(machines, key=lambda r: OURS not in seeing.tags(r))
        wanted = [r for r in machines if seeing.flag(r, "template") or r.get("status") != "running" or int(number(r, "vmid")) in vm_ids]
        first = {int(number(r, "vmid")) for r in wanted}
        others = [r for r in ours_first if int(number(r, "vmid")) not in first]
        if at_once and len(others) > GUEST_CONFIGS_MAX:
            detail = f"The configurations of {GUEST_CONFIGS_MAX} of {len(others)} guests were read; VLANs of the others are not known."
            self.problems.append(ScanProblem(subject="VLANs in use", detail=detail, remedy="Say on which bridge a VLAN is."))
        now, later = [_config_path(r) for r in wanted], [_config_path(r) for r in others[:GUEST_CONFIGS_MAX]]
        return ([*now, *later], []) if at_once else (now, later)

    def _second(
        self, online: list[str], configs: Iterable[Config], vnets: list[Row], history: Mapping[str, Load]
    ) -> dict[str, Json | WorldProblem]:
        """Everything that takes one call each, side by side: nodes, storages, bridges, histories and configurations."""
        paths: dict[str, tuple[str, ...]] = {}
        for name in online:
            paths[f"node {name}"] = ("nodes", name, "status")
            paths[f"storages of {name}"] = ("nodes", name, "storage")
            paths[f"networks of {name}"] = ("nodes", name, "network")
            if name not in history:
                paths[f"history of {name}"] = ("nodes", name, "rrddata")
        paths |= dict(configs)
        for row in vnets:
            vnet = str(row.get("vnet"))
            if vnet.isalnum():
                paths[f"subnets of {vnet}"] = ("cluster", "sdn", "vnets", vnet, "subnets")
        return self._read(paths)

    def _addresses(self, guest_rows: list[Row], second: Mapping[str, Json | WorldProblem]) -> dict[int, tuple[str, ...]]:
        """As guest agents report them, by VM id. One that does not answer is no problem: its configuration may tell."""
        able = [row for row in guest_rows if row.get("status") == "running" and seeing.has_agent(_config(row, second))]
        asked = {
            int(number(row, "vmid")): ("nodes", str(row["node"]), "qemu", str(int(number(row, "vmid"))), "agent", "network-get-interfaces")
            for row in able[:AGENTS_MAX]
        }
        if len(able) > AGENTS_MAX:
            detail = f"{AGENTS_MAX} of {len(able)} guests were asked for their addresses; one that only another has is not known."
            self.problems.append(ScanProblem(subject="addresses in use", detail=detail))
        answers = together({vm_id: self._call(path) for vm_id, path in asked.items()})
        return {vm_id: seeing.agent_addresses(answer) for vm_id, answer in answers.items() if not isinstance(answer, WorldProblem)}

    def _read(self, paths: Mapping[str, tuple[str, ...]]) -> dict[str, Json | WorldProblem]:
        """Raises when the world is away or its list of resources cannot be read; everything else that fails is a problem."""
        answers = together({subject: self._call(path) for subject, path in paths.items()})
        silent = {s.removeprefix("node ") for s, a in answers.items() if s.startswith("node ") and isinstance(a, WorldProblem)}
        for subject, answer in answers.items():
            if isinstance(answer, Away) or (isinstance(answer, WorldProblem) and subject == "the cluster's resources"):
                raise answer
            told_by_its_node = paths[subject][0] == "nodes" and paths[subject][1] in silent and not subject.startswith("node ")
            if isinstance(answer, WorldProblem) and not told_by_its_node:
                self.problems.append(ScanProblem(subject=subject, detail=f"{answer.summary} {answer.detail}", remedy=answer.remedy))
        return answers

    def _call(self, path: tuple[str, ...]) -> Callable[[], Json]:
        parameters: dict[str, str | int] = {"timeframe": "day", "cf": "AVERAGE"} if path[-1] == "rrddata" else {}
        parameters |= {"pending": 1} if path[:2] == ("cluster", "sdn") else {}  # without it, what is not applied yet looks like what is
        return partial(self.proxmox.read, *path, **parameters)

    def _history(self, online: list[str]) -> dict[str, Load]:
        """From Prometheus, by node; what it does not know is read from the nodes themselves."""
        if not self.settings.prometheus_url:
            return {}
        try:
            loads, problems = node_loads(self.settings.prometheus_url, self.settings.ca_file, online, self.now)
        except WorldProblem as problem:
            self.problems.append(ScanProblem(subject="history", detail=f"{problem.summary} {problem.detail}", remedy=problem.remedy))
            return {}
        self.problems.extend(problems)
        return loads

    def _node(
        self, row: Row, second: Mapping[str, Json | WorldProblem], history: Mapping[str, Load], silent: set[str], away: frozenset[str]
    ) -> Node:
        name = str(row["node"])
        status = second.get(f"node {name}")
        info = status.get("cpuinfo") if isinstance(status, dict) else None
        points = second.get(f"history of {name}")
        load = history.get(name)
        if load is None and isinstance(points, list):
            load = seeing.load_of_day(name, rows(points))
            if load.cpu_ratio_p95 is None:
                self.problems.append(
                    ScanProblem(
                        subject=f"history of {name}",
                        detail=f"Too little is known of its last day to say how busy it is ({load.source}).",
                        remedy="Plan with care, or wait until it has run for half a day.",
                    )
                )
        if row.get("status") != "online":
            self.problems.append(
                ScanProblem(
                    subject=f"node {name}",
                    detail=f"The cluster says it is {display(row.get('status'))}: it takes nothing new, and its own disks cannot be read.",
                    remedy="Look at it, or plan without it.",
                )
            )
        told = {key: str(info.get(key) or "") for key in ("model", "flags")} if isinstance(info, dict) else {"model": ""}
        return seeing.node(row, load, answers=name not in silent, maintenance=name in away, **told)

    def _storages(self, online: list[str], second: Mapping[str, Json | WorldProblem], resources: list[Row]) -> tuple[Storage, ...]:
        seen = [seeing.storage(row, name) for name in online for row in rows(second[f"storages of {name}"])]
        answered = {name for name in online if not isinstance(second[f"storages of {name}"], WorldProblem)}
        # What a silent node has is still named, as the cluster last knew it.
        seen += [seeing.storage(row, display(row.get("node"))) for row in resources if str(row.get("node")) not in answered]
        return tuple(sorted(seen, key=lambda s: (s.name, s.node)))

    def _templates(
        self, guest_rows: list[Row], second: Mapping[str, Json | WorldProblem], storages: tuple[Storage, ...]
    ) -> tuple[Template, ...]:
        shared = frozenset(s.name for s in storages if s.shared)
        found = []
        for row in guest_rows:
            config = _config(row, second)
            if row.get("type") == "qemu" and seeing.flag(row, "template") and config is not None:
                template = seeing.template(row, config, shared)
                if template is not None:
                    rules = rows(second.get(f"rules of VM {template.vm_id}"))
                    found.append(template.model_copy(update={"rules_count": len(rules)}))
        return tuple(sorted(found, key=lambda t: t.vm_id))

    def _networks(
        self, online: list[str], second: Mapping[str, Json | WorldProblem], vnets: list[Row], zones: list[Row]
    ) -> tuple[tuple[Network, ...], Collection[int]]:
        """With the tags whose subnet is known."""
        interfaces = {name: rows(second[f"networks of {name}"]) for name in online}
        bridges = tuple(seeing.bridges(interfaces))
        subnets = {
            str(row.get("vnet")): next(
                (s for r in seeing.applied(rows(second.get(f"subnets of {row.get('vnet')}"))) if (s := seeing.subnet(r))[0]), ("", "")
            )
            for row in vnets
        }
        by_tag = seeing.subnets_of_vlans(interfaces)
        by_tag |= {int(number(row, "tag")): subnets[str(row.get("vnet"))] for row in vnets if number(row, "tag")}
        configs = {int(s.removeprefix("VM ")): a for s, a in second.items() if s.startswith("VM ") and isinstance(a, dict)}
        tagged = seeing.tagged(configs, bridges, by_tag)
        sdn = seeing.vnets(vnets, {str(z.get("zone")): z for z in zones}, subnets, tuple(online))
        return seeing.named_once((*tagged, *sdn, *bridges)), [tag for tag, (subnet, _) in by_tag.items() if subnet]

    def _subnets_waiting(self, second: Mapping[str, Json | WorldProblem]) -> tuple[str, ...]:
        read = (rows(answer) for subject, answer in second.items() if subject.startswith("subnets of "))
        return tuple(one for several in read for one in seeing.sdn_waiting("subnet", several))

    def _notice_missing_rights(self, node_rows: list[Row], by_type: Mapping[str, list[Row]]) -> None:
        """Proxmox VE leaves out what a token may not see, without a word: an online node without figures is not an idle one."""
        remedy = f"Grant the token the right to look, on a node:\n{audit_line(self.proxmox.token_id)}"
        for row in node_rows:
            if row.get("status") == "online" and "cpu" not in row:
                detail = "It is online, but its processors and memory are hidden: the token lacks Sys.Audit."
                self.problems.append(ScanProblem(subject=f"node {row['node']}", detail=detail, remedy=remedy))
        if not node_rows:
            self.problems.append(ScanProblem(subject="nodes", detail="No node is visible: the token lacks Sys.Audit.", remedy=remedy))
        if not by_type.get("storage"):
            detail = "No storage is visible: the token lacks Datastore.Audit."
            self.problems.append(ScanProblem(subject="storages", detail=detail, remedy=remedy))
        if not by_type.get("qemu"):
            detail = "No guest or template is visible: there is none, or the token lacks VM.Audit."
            self.problems.append(ScanProblem(subject="guests", detail=detail, remedy=remedy))


def _config_path(row: Row) -> Config:
    vm_id = int(number(row, "vmid"))
    return f"VM {vm_id}", ("nodes", str(row["node"]), "qemu", str(vm_id), "config")


def _config(row: Row, second: Mapping[str, Json | WorldProblem]) -> Row | None:
    found = second.get(f"VM {int(number(row, 'vmid'))}")
    return found if isinstance(found, dict) else None
