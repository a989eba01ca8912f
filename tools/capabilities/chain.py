"""The chain over all parts of a request: each function asks every part's capability and gathers the answers. No I/O, no judgement of its own."""

from __future__ import annotations

from collections.abc import Mapping

from tools.capabilities import catalogue, changeable, located
from tools.values.heard import Heard
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer, PartOffer, Pick, Proposal
from tools.values.requirements import Needs, Requirements
from tools.values.review import Finding, Review, Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot, Target
from tools.values.trouble import RequestProblem

Snapshots = Mapping[Target, Snapshot]


def understand(heard: Heard, site: Site, requester: str) -> Requirements:
    parts = tuple(_in_its_world(catalogue()[ask.capability].understand(ask.facts, site), site) for ask in heard.asks)
    return Requirements(requester=requester, parts=parts)


def _in_its_world(needs: Needs, site: Site) -> Needs:
    """With a problem when the site keeps the environment in another world than the one that the capability is for."""
    environment = needs.field("environment")
    kept_in = site.environment(str(environment.value)).target if environment else ""
    able = catalogue()[needs.capability]
    if environment is None or kept_in in ("", able.TARGET):
        return needs
    problem = f"{able.TITLE} is made on {able.TARGET}, and this site keeps {environment.value} on {kept_in} alone. Say another environment."
    return needs.model_copy(update={"problems": (*needs.problems, problem)})


def targets(requirements: Requirements) -> tuple[Target, ...]:
    """Which worlds have to be looked at."""
    return tuple(sorted({catalogue()[needs.capability].TARGET for needs in requirements.parts}))


def places_to_look(requirements: Requirements, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(regions, names) that a scan of a cloud should look at for these requirements."""
    regions: dict[str, None] = {}
    names: dict[str, None] = {}
    for needs in requirements.parts:
        able = located(catalogue()[needs.capability])
        if able is not None:
            regions |= dict.fromkeys(able.regions_of(needs, site))
            names |= dict.fromkeys(able.names_to_check(needs, site))
    return tuple(regions), tuple(names)


def offer(
    requirements: Requirements, snapshots: Snapshots, site: Site, reserved: Reserved, built: Manifest | None = None
) -> Offer:
    """`built` is the manifest of the run that is to be changed: its parts stay where they are."""
    return Offer(
        requirements_digest=requirements.digest,
        snapshot_digests=_digests(snapshots),
        parts=tuple(_offer_part(needs, snapshots, site, reserved, built) for needs in requirements.parts),
    )


def settle(offer: Offer, because: str = "It ranks first among the candidates.") -> Proposal:
    """The first candidate of each part, by rule. Raises RequestProblem when a part has none."""
    for part in offer.parts:
        if not part.candidates:
            raise RequestProblem(
                "Nothing fits.", " ".join(f"{e.subject}: {e.reason}" for e in part.exclusions[:6]), part.counter_offer
            )
    return Proposal(
        made_by="rule",
        picks=tuple(Pick(capability=part.capability, candidate=part.candidates[0].id, because=because) for part in offer.parts),
    )


def compose(
    requirements: Requirements,
    offer: Offer,
    proposal: Proposal,
    snapshots: Snapshots,
    site: Site,
    reserved: Reserved,
    parent_digest: str = "",
    built: Manifest | None = None,
) -> Manifest:
    picks = {pick.capability: pick for pick in proposal.picks}
    parts: list[Part] = []
    for needs, part_offer in zip(requirements.parts, offer.parts, strict=True):
        capability = catalogue()[needs.capability]
        if needs.capability not in picks:
            raise RequestProblem(
                "A part has no pick.", f"The proposal picks nothing for {needs.capability}.", "Pick one candidate a part."
            )
        snapshot = snapshots[capability.TARGET]
        part = capability.compose(needs, part_offer, picks[needs.capability], snapshot, site, reserved)
        old, able = _built(built, part.capability), changeable(capability)
        if old is not None and able is not None:
            part = able.keep(old, part)
        parts.append(part)
        reserved = _with(reserved, part)
    return Manifest(
        requester=requirements.requester,
        made_by=proposal.made_by,
        parts=tuple(parts),
        snapshot_digests=_digests(snapshots),
        parent_digest=parent_digest,
    )


def review(manifest: Manifest, snapshots: Snapshots, site: Site, reserved: Reserved) -> Review:
    findings: list[Finding] = []
    passed: list[str] = []
    for part in manifest.parts:
        found, held = catalogue()[part.capability].review(part, snapshots[part.target], site, reserved)
        findings.extend(found)
        passed.extend(held)
        reserved = _with(reserved, part)
    order = list(Severity)
    return Review(
        manifest_digest=manifest.digest,
        findings=tuple(sorted(findings, key=lambda f: (order.index(f.severity), f.part, f.check, f.subject))),
        passed=tuple(sorted(passed)),
    )


def reserves(part: Part) -> Reserved:
    """What a part will take of a cluster until a snapshot shows it: ids, names, memory and vCPUs, read from its machines."""
    machines = part.variables.get("machines", []) if isinstance(part.variables, dict) else []
    memory: dict[str, int] = {}
    cpus: dict[str, int] = {}
    for machine in machines:
        memory[machine["node"]] = memory.get(machine["node"], 0) + machine["memory_mib"] * 2**20
        cpus[machine["node"]] = cpus.get(machine["node"], 0) + machine["cpu_count"]
    return Reserved(
        vm_ids=frozenset(m["vm_id"] for m in machines),
        names=frozenset(m["name"] for m in machines) | _cloud_names(part),
        memory_bytes=tuple(sorted(memory.items())),
        cpu_count=tuple(sorted(cpus.items())),
    )


def _cloud_names(part: Part) -> frozenset[str]:
    """Names of a cloud's resources that the part will take."""
    variables = part.variables if part.target == "azure" and isinstance(part.variables, dict) else {}
    names = variables.get("names")
    taken = frozenset(str(name) for name in names.values()) if isinstance(names, dict) else frozenset()
    if variables.get("make_security_group", True):
        taken |= {str(variables[key]) for key in ("resource_group_name", "account_name") if key in variables}
    return taken


def together(*several: Reserved) -> Reserved:
    memory: dict[str, int] = {}
    cpus: dict[str, int] = {}
    for one in several:
        for node, size_bytes in one.memory_bytes:
            memory[node] = memory.get(node, 0) + size_bytes
        for node, count in one.cpu_count:
            cpus[node] = cpus.get(node, 0) + count
    return Reserved(
        vm_ids=frozenset().union(*(one.vm_ids for one in several)),
        names=frozenset().union(*(one.names for one in several)),
        memory_bytes=tuple(sorted(memory.items())),
        cpu_count=tuple(sorted(cpus.items())),
    )


def _offer_part(needs: Needs, snapshots: Snapshots, site: Site, reserved: Reserved, built: Manifest | None) -> PartOffer:
    capability = catalogue()[needs.capability]
    old, able = _built(built, needs.capability), changeable(capability)
    if old is not None and able is not None:
        return able.stay(old, needs, snapshots[capability.TARGET], site, reserved)
    return capability.offer(needs, snapshots[capability.TARGET], site, reserved)


def _built(built: Manifest | None, capability: str) -> Part | None:
    return next((part for part in built.parts if part.capability == capability), None) if built else None


def _with(reserved: Reserved, part: Part) -> Reserved:
    return together(reserved, reserves(part))


def _digests(snapshots: Snapshots) -> tuple[str, ...]:
    return tuple(snapshots[target].digest for target in sorted(snapshots))
