"""A service that is machines and a playbook: it states a table, and gets its functions from tools.rules.machines, or from
tools.rules.azure.machines where it stands in Azure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tools.capabilities import Footing, Reviewed
from tools.capabilities.grounds import AZURE, CLUSTER, Ground
from tools.rules.azure import machine_checks
from tools.rules.azure import machines as azure
from tools.rules.azure.placing import regions_of
from tools.rules.machines import addresses, choices, firewall, networks, review, templates
from tools.rules.machines.changes import stay
from tools.rules.machines.keeping import keep
from tools.rules.words import guiding
from tools.values.machine import AnyMachine
from tools.values.manifest import Command, Configure, Endpoint, Part, Secret, TlsCertificate
from tools.values.offer import Exclusion, PartOffer, Pick
from tools.values.request import Fact
from tools.values.requirements import Group, Needs
from tools.values.review import Finding
from tools.values.site import Site
from tools.values.situation import Situation
from tools.values.snapshot import ClusterSnapshot, PlatformName
from tools.values.value import Json
from tools.values.watched import Exporter

NOT_SET_UP = "packages, time zone and node_exporter: the roles know Debian and Ubuntu alone"
"""Of a machine of another system."""
Check = tuple[str, Finding | None]
"""(its name, what it found)"""


Commands = Callable[[AnyMachine, Part], tuple[Command, ...]]
"""The guide's, of one machine."""


def no_checks(part: Part) -> Iterable[Check]:
    """Those of every machine are enough."""
    return ()


def on_cluster(
    understand: Callable[[tuple[Fact, ...], Site], Needs],
    set_up: SetUp,
    *,
    groups: tuple[Group, ...] = (),
    virtual_addresses: tuple[str, ...] = (),
    farewell: Callable[[Part], tuple[Command, ...]] = lambda part: (),
    exporters: tuple[Exporter, ...] = (),
    watches: bool = False,
    grants: frozenset[str] = frozenset(),
) -> Footing:
    """`groups` are of machines that are not all alike, in their order; how many each has, and how large they are, are fields that
    `understand` fills in (tools.rules.request.grouping). `virtual_addresses` are facts that name an address which moves between its
    machines. `farewell` is run before a change takes one of its machines away. `exporters` give Prometheus figures besides node_exporter;
    `watches`: its machines are Prometheus themselves. `grants` are wishes that it fulfils besides."""

    def understand_all(facts: tuple[Fact, ...], site: Site) -> Needs:
        return understand(facts, site).model_copy(update={"groups": groups, "virtual_addresses": virtual_addresses})

    def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
        return furnish(choices.part_of(needs, offer, pick, situation))

    def offer(needs: Needs, situation: Situation) -> PartOffer:
        found = choices.offer(needs, situation)
        return found if set_up.plain else _of_known_systems(found, situation.cluster)

    def furnish(part: Part) -> Part:
        made = set_up.furnish(part).model_copy(update={"exporters": exporters, "watches": watches, "farewell": farewell(part)})
        return firewall.with_rules(made, set_up.serves)

    def review_all(part: Part, situation: Situation) -> Reviewed:
        return set_up.judge(part, review.review(part, situation))

    def settle(needs: Needs, situation: Situation) -> Needs:
        return addresses.settle_virtual(networks.choose(needs, situation.cluster), situation.cluster)

    return Footing(
        understand=understand_all if groups or virtual_addresses else understand,
        offer=offer,
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


def _of_known_systems(found: PartOffer, seen: ClusterSnapshot) -> PartOffer:
    """Nothing, where it would be cloned from a system that its roles do not know: better before the plan than after the machine is made."""
    used = {place.template_vm_id for one in found.candidates for place in one.places}
    strange = next((t for t in seen.templates if t.vm_id in used and not templates.is_set_up(t.os)), None)
    if strange is None:
        return found
    reason = f"its system is {strange.os}, and this service is set up on Debian and Ubuntu alone. Say `on Debian`"
    return PartOffer(label=found.label, candidates=(), exclusions=(Exclusion(subject=f"template {strange.name}", reason=reason),))


@dataclass(frozen=True)
class SetUp:
    """What is set up on machines, wherever they stand. `playbook` is a file under ansible/, `variables` are its besides those of the role
    base, `commands` the guide's of one machine, `checks` are made besides those of every machine, `endpoints` say how others of the same
    request reach it, `serves` are the ports besides, each as `443` or `53/udp`, that others ask it at. `plain` is the playbook for systems
    that no role knows; empty: it does not stand on these."""

    playbook: str
    commands: Commands
    variables: Callable[[Part], dict[str, Json]] = lambda part: {}
    secrets: tuple[Secret, ...] = ()
    certificates: Callable[[Part], tuple[TlsCertificate, ...]] = lambda part: ()
    endpoints: Callable[[Part], tuple[Endpoint, ...]] = lambda part: ()
    checks: Callable[[Part], Iterable[Check]] = no_checks
    plain: str = ""
    serves: tuple[str, ...] = ()

    def furnish(self, part: Part) -> Part:
        """With what runs on its machines, as they are called."""
        if self.plain and not templates.is_set_up(str(dict(part.facts).get("os", ""))):
            return self._left_plain(part)
        settings = {**choices.base_variables(part.every_machine), **self.variables(part)}
        return part.model_copy(
            update={
                "secrets": (choices.SSH_KEY, *self.secrets),
                "certificates": self.certificates(part),
                "endpoints": self.endpoints(part),
                "configure": Configure(kind="ansible", playbook=self.playbook, variables=settings),
                "commands": tuple(command for machine in part.every_machine for command in self.commands(machine, part)),
            }
        )

    def _left_plain(self, part: Part) -> Part:
        """One can log in to its machines, and nothing is installed there."""
        commands = tuple(command for machine in part.every_machine for command in guiding.to_log_in(machine))
        done = Configure(kind="ansible", playbook=self.plain, variables={})
        needs = part.needs.model_copy(update={"not_included": tuple(dict.fromkeys((*part.needs.not_included, NOT_SET_UP)))})
        return part.model_copy(update={"secrets": (choices.SSH_KEY,), "configure": done, "commands": commands, "needs": needs})

    def judge(self, part: Part, every: Reviewed) -> Reviewed:
        """What is found of every machine, and by its own checks."""
        findings, passed = every
        own = tuple(self.checks(part))
        held = tuple(f"{name}:{part.label}:{part.label}" for name, finding in own if finding is None)
        return (*findings, *(finding for _, finding in own if finding)), (*passed, *held)


def anywhere(
    understand: Callable[[tuple[Fact, ...], Site, Ground], Needs], set_up: SetUp, ports: tuple[str, ...]
) -> dict[PlatformName, Footing]:
    """A service that stands on machines of a cluster and on machines in Azure alike. `ports` are those that it serves."""
    return {
        "proxmox": on_cluster(lambda facts, site: understand(facts, site, CLUSTER), replace(set_up, serves=(*set_up.serves, *ports))),
        "azure": in_azure(lambda facts, site: understand(facts, site, AZURE), set_up, ports=ports),
    }


def in_azure(
    understand: Callable[[tuple[Fact, ...], Site], Needs],
    set_up: SetUp,
    *,
    ports: tuple[str, ...] = (),
    bare: bool = False,
    guide: str = "guide.md.j2",
) -> Footing:
    """The same on machines in Azure, which are reached through the site's hub. `ports` are those that it serves. `bare`: where nothing
    reaches them, they are made all the same, with nothing set up."""

    def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
        reached = not bare or situation.site.environment(needs.text("environment")).network.is_reached
        return furnish(azure.part_of(needs, offer, pick, situation, set_up=reached, served=ports))

    def furnish(part: Part) -> Part:
        if not part.every_machine:
            return part
        done = set_up.furnish(part)
        return done.model_copy(update={"commands": (*done.commands, *(one for one in part.commands if not one.runs_here))})

    def review_all(part: Part, situation: Situation) -> Reviewed:
        every = machine_checks.review(part, situation)
        return set_up.judge(part, every) if part.every_machine else every

    return Footing(
        understand=understand,
        offer=azure.offer,
        compose=compose,
        review=review_all,
        stay=azure.stay,
        keep=lambda old, new: furnish(azure.keep(old, _without(new))),
        regions_of=regions_of,
        guide=guide,
    )


def _without(part: Part) -> Part:
    """As it was before anything was set up on it, so that what is set up follows what is kept."""
    bare = {"secrets": (), "certificates": (), "endpoints": (), "configure": None}
    return part.model_copy(update={**bare, "commands": tuple(one for one in part.commands if not one.runs_here)})
