"""A service that is machines on a cluster and a playbook: it states a table, and gets its functions from tools.rules.machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tools.capabilities import Footing, Reviewed
from tools.rules.machines import addresses, choices, networks, review
from tools.rules.machines.changes import stay
from tools.rules.machines.keeping import keep
from tools.values.machine import Machine
from tools.values.manifest import Command, Configure, Endpoint, Part, Secret, TlsCertificate
from tools.values.offer import PartOffer, Pick
from tools.values.request import Fact
from tools.values.requirements import Group, Needs
from tools.values.review import Finding
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.value import Json
from tools.values.watched import Exporter

Check = tuple[str, Finding | None]
"""(its name, what it found)"""


def no_checks(part: Part) -> Iterable[Check]:
    """Those of every machine are enough."""
    return ()


def on_machines(
    *,
    understand: Callable[[tuple[Fact, ...], Site], Needs],
    playbook: str,
    commands: Callable[[Machine, Part], tuple[Command, ...]],
    variables: Callable[[Part], dict[str, Json]] = lambda part: {},
    secrets: tuple[Secret, ...] = (),
    certificates: Callable[[Part], tuple[TlsCertificate, ...]] = lambda part: (),
    endpoints: Callable[[Part], tuple[Endpoint, ...]] = lambda part: (),
    checks: Callable[[Part], Iterable[Check]] = no_checks,
    groups: tuple[Group, ...] = (),
    virtual_addresses: tuple[str, ...] = (),
    farewell: Callable[[Part], tuple[Command, ...]] = lambda part: (),
    exporters: tuple[Exporter, ...] = (),
    watches: bool = False,
    grants: frozenset[str] = frozenset(),
) -> Footing:
    """`playbook` is a file under ansible/, `variables` are its besides those of the role base, `commands` the guide's of one machine,
    `checks` are made besides those of every machine. `groups` are of machines that are not all alike, in their order; how many each has,
    and how large they are, are fields that `understand` fills in (tools.rules.request.grouping). `virtual_addresses` are facts that name
    an address which moves between its machines. `endpoints` say how others of the same request reach it. `farewell` is run before a
    change takes one of its machines away. `exporters` give Prometheus figures besides node_exporter; `watches`: its machines are Prometheus
    themselves. `grants` are wishes that it fulfils besides."""

    def understand_all(facts: tuple[Fact, ...], site: Site) -> Needs:
        return understand(facts, site).model_copy(update={"groups": groups, "virtual_addresses": virtual_addresses})

    def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
        return furnish(choices.part_of(needs, offer, pick, situation))

    def furnish(part: Part) -> Part:
        """With what runs on its machines, as they are called."""
        settings = {**choices.base_variables(), **variables(part)}
        return part.model_copy(
            update={
                "exporters": exporters,
                "watches": watches,
                "secrets": (choices.SSH_KEY, *secrets),
                "certificates": certificates(part),
                "endpoints": endpoints(part),
                "configure": Configure(kind="ansible", playbook=playbook, variables=settings),
                "commands": tuple(command for machine in part.machines for command in commands(machine, part)),
                "farewell": farewell(part),
            }
        )

    def review_all(part: Part, situation: Situation) -> Reviewed:
        findings, passed = review.review(part, situation)
        own = tuple(checks(part))
        held = tuple(f"{name}:{part.label}:{part.label}" for name, finding in own if finding is None)
        return (*findings, *(finding for _, finding in own if finding)), (*passed, *held)

    def settle(needs: Needs, situation: Situation) -> Needs:
        return addresses.settle_virtual(networks.choose(needs, situation.cluster), situation.cluster)

    return Footing(
        understand=understand_all if groups or virtual_addresses else understand,
        offer=choices.offer,
        compose=compose,
        review=review_all,
        watches=watches,
        stay=stay,
        keep=lambda old, new: furnish(keep(old, new)),
        recount=choices.recount,
        names_to_check=lambda needs, site: (
            *(one for said in ("address", "address6", "more_addresses") for one in needs.strings(said)),
            *filter(None, map(needs.text, virtual_addresses)),
            *(span for one in site.networks for span in one.pool),
        ),
        grants=frozenset({"high_availability"}) | grants,
        settled_by_world=frozenset({"network", "gateway", *virtual_addresses}),
        settle=settle,
    )
