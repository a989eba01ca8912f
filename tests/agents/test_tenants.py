"""Nobody sees, changes or even learns of what is another tenant's: what is said of it is what is said of a thing that was never there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.builders import manifest_of, part_named, review_of, utc_now, world_at
from tests.ledger import builders
from tools.clients.references import Secret
from tools.ledger.database import TABLES
from tools.pipeline import carry_out, engine, noticing, requests
from tools.pipeline.platforms import scan
from tools.pipeline.provisioning import as_asked_by, provision
from tools.pipeline.talk import Talk
from tools.pipeline.world import World
from tools.rules.plans.approving import signed
from tools.rules.plans.permitting import tenant_of, visible
from tools.values.conversation import Conversation
from tools.values.effects import Follow, Hear, Understand, Work
from tools.values.events import Proposed
from tools.values.person import Person
from tools.values.plan import Plan
from tools.values.request import Edits, Fact, Item, Request
from tools.values.run import StepRecord
from tools.values.site import Reserved
from tools.values.snapshot import ClusterSnapshot, Guest, Registered
from tools.values.tenant import Tenant, Tenants
from tools.values.trouble import RequestProblem

CANARY = "kanarienvogel"
ACME = Tenant(name="acme", members=("alice", "group:acme-people"), pool="acme", subscriptions=("s-acme",))
RIVAL = Tenant(name="rival", members=("bob",), pool="rival", subscriptions=("s-rival",))
TENANTS = Tenants(named=(ACME, RIVAL))
OUTSIDE = TENANTS.called("")
STRANGERS = {"another tenant": RIVAL, "no tenant": OUTSIDE, "a tenant that is gone": TENANTS.called("gone")}
ALL_ROLES = ("admin", "operator", "security", "requester")
ROLES = """principals: {alice: [admin], bob: [admin], carol: [admin]}
tenants:
  acme: {members: [alice, 'group:acme-people'], pool: acme, subscriptions: [s-acme]}
  rival: {members: [bob], pool: rival, subscriptions: [s-rival]}
"""


class Theirs:
    """What acme has: a run, a plan that waits, a conversation, a kept request, promises and lines of the audit, a canary in each."""

    def __init__(self, world: World) -> None:
        self.world = acme = world.of(ACME)
        part = part_named(CANARY, Path("/nowhere"))
        manifest = manifest_of(part, requester=f"alice-{CANARY}")
        review = review_of(manifest)
        now = utc_now()

        def add(run_id: str, family: str) -> Plan:
            digests = {"manifest_digest": manifest.digest, "review_digest": review.digest, "requester": f"alice-{CANARY}"}
            asked = (("security", f"because of {CANARY}"),)
            made = builders.plan(run_id, f"provisioner/acme:alice/{family}-{CANARY}", now, approvals=asked, **digests)
            acme.ledger.plans.add(made, manifest, review, family, Reserved(names=frozenset({CANARY})), now)
            return made

        begun = add("run-acmeacme", "f1")
        approval = builders.approval(begun, "security", now, principal=f"carol-{CANARY}")
        acme.ledger.plans.approve(signed(approval, acme.ledger.key), now)
        acme.ledger.runs.begin(begun, [(CANARY, "apply")], now)
        lease = acme.ledger.leases.take("run run-acmeacme")
        assert lease is not None
        acme.ledger.runs.put_step(lease, "run-acmeacme", 0, StepRecord(part=CANARY, name="apply", status="failed", summary=CANARY))
        acme.ledger.runs.say("run-acmeacme", now, CANARY, "apply", CANARY)
        acme.ledger.runs.end(lease, "run-acmeacme", "stopped", now, None, begun.digest)
        acme.ledger.leases.release(lease)
        self.plan = add("run-acmenext", "f2")
        item = Item(capability="virtual_machine", label=CANARY, facts=(Fact(name="name", value=CANARY, quote=CANARY),))
        self.request = requests.keep(acme, Request(items=(item,)))
        acme.ledger.put("provisioner/acme:alice/secret-session", {"phase": "listening", "typed": [CANARY]})

    def named(self) -> dict[str, tuple[str, str]]:
        """What a message may name: (of acme, one that was never there)."""
        return {
            "run": ("run-acmeacme", "run-bbbbcccc"),
            "digest": (self.plan.digest[:12], "0123456789ab"),
            "request": (self.request, "request-01234567"),
            "session": ("secret-session", "absent-session"),
            "whole": ("provisioner/acme:alice/secret-session", "provisioner/acme:alice/absent-session"),
            "machine": (f"{CANARY}-00", "nobody-knows-00"),
        }


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    with world.ledger.whole.database.read() as connection:
        return {t.name: sorted(map(tuple, connection.execute(sa.select(t))), key=repr) for t in TABLES.sorted_tables if t.name != "leases"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "roles.yaml").write_text(ROLES)
    made = world_at(tmp_path / "home", environment={"BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")})
    yield made
    engine.close()
    made.ledger.close()


@pytest.fixture
def theirs(world: World) -> Theirs:
    return Theirs(world)


def say(world: World, text: str, tenant: Tenant | None, session: str = "s1") -> str:
    """All that comes of one message of somebody of this tenant who holds every role."""
    person = Person("bob", ALL_ROLES, tenant=tenant)
    name = f"provisioner/{tenant.name}:bob/{session}" if tenant and tenant.name else f"provisioner/bob/{session}"
    talk, said = Talk(world, name, person, text), list[str]()
    while talk.to_do and not talk.is_next(Follow):
        talk.go_on(said.append, *(one for one in Work if one not in (Work.PROPOSE, Work.REFINE)), Understand)
        if talk.is_next(Hear):
            talk.answer(talk.said(Edits(), offline=True))
        elif talk.is_next(Work.PROPOSE) or talk.is_next(Work.REFINE):
            talk.answer(Proposed(None))
    return "\n".join(said)


MESSAGES = (
    "list", "inbox", "status", "what do we spend?", "who approved {machine}?", "when was {machine} built?", "where is {machine}?",
    "status {run}", "follow {run}", "cancel {run}", "retry {run}", "leave {run}", "roll back {run}", "remove {run}", "remove {machine}",
    "drift {run}", "what was changed that nobody approved?", "show plan {digest}",
    "approve {digest}", "approve {digest} as security", "confirm {digest} {machine}",
    "resume {request}", "resume {session}", "resume {whole}", "what did we build?", "a virtual machine like {machine}",
)  # fmt: skip


@pytest.mark.parametrize("text", MESSAGES)
@pytest.mark.parametrize("who", STRANGERS)
def test_what_is_anothers_is_as_if_it_were_not_there(world: World, theirs: Theirs, text: str, who: str) -> None:
    told, before = [], rows(world)
    for which, session in ((0, "s1"), (1, "s2")):
        names = {name: both[which] for name, both in theirs.named().items()}
        answer = say(world, text.format(**names), STRANGERS[who], session)
        for name, typed in sorted(names.items(), key=lambda one: -len(one[1])):
            answer = answer.replace(typed, f"<{name}>")
        told.append(answer)
    assert told[0] == told[1]
    assert CANARY not in told[0]
    own = {name: [row for row in found if CANARY in repr(row) or "acme" in repr(row)] for name, found in before.items()}
    assert {name: [row for row in found if row in own[name]] for name, found in rows(world).items()} == own, "nothing of acme's has changed"


@pytest.mark.parametrize("tenant", [ACME, None])
def test_whoever_is_in_it_has_it_and_where_there_are_no_tenants_everybody(world: World, theirs: Theirs, tenant: Tenant | None) -> None:
    assert CANARY in say(world, "list", tenant)
    assert f"approve {theirs.plan.digest[:12]} as security" in say(world, "inbox", tenant)
    assert CANARY in say(world, f"show plan {theirs.plan.digest[:12]}", tenant)
    assert [row.id for row in world.of(tenant).ledger.runs.rows()] == ["run-acmeacme"]
    assert {one.facts["tenant"] for one in world.of(tenant).ledger.audit.read()} == {"acme"}


WORDS = st.sampled_from([*MESSAGES, "help", "yes", "no", "plan", "details", "why", "a PostgreSQL database for 20 users", "make it 8 GB"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(talk=st.lists(st.tuples(WORDS, st.integers(0, 1)), min_size=1, max_size=5), who=st.sampled_from(sorted(STRANGERS)))
def test_no_canary_is_in_any_answer(world: World, talk: list[tuple[str, int]], who: str) -> None:
    theirs = Theirs(world) if not world.ledger.runs.rows() else None
    named = {"run": "run-acmeacme", "digest": "0" * 12, "request": "x", "session": "secret-session", "whole": "x", "machine": "vm-00"}
    if theirs:
        world.made_from["named"] = (theirs.plan.digest[:12], theirs.request)
    digest, request = world.made_from["named"]
    for text, _ in talk:
        answer = say(world, text.format(**{**named, "digest": digest, "request": request}), STRANGERS[who], "any")
        assert CANARY not in answer and "alice" not in answer


def test_what_the_operator_does_for_a_tenant_is_the_tenants(world: World, theirs: Theirs) -> None:
    """Alone on the machine, for everybody: a plan that is approved there, and another one of a run."""
    now = utc_now()
    kept = world.ledger.plans.kept(theirs.plan.digest)
    assert world.ledger.runs.begin(kept.plan, [("web", "apply")], now)
    again = kept.plan.model_copy(update={"conversation": "operators", "kind": "remove"})
    world.ledger.plans.add(again, kept.manifest, kept.review, "f3", Reserved(), now)
    for tenant, count in ((ACME, 2), (RIVAL, 0), (OUTSIDE, 0)):
        assert len(world.of(tenant).ledger.runs.rows()) == count
        assert [one.plan.digest for one in world.of(tenant).ledger.plans.open()] == [again.digest][: count // 2]
    assert world.ledger.verify().faults == ()


def test_tenants_may_keep_the_same_request_and_each_has_its_own(world: World, theirs: Theirs) -> None:
    same = requests.find(theirs.world, theirs.request).request
    assert requests.keep(world.of(RIVAL), same) == theirs.request
    assert requests.find(world.of(RIVAL), theirs.request).request == same
    theirs.world.ledger.put(f"{requests.KEPT}{theirs.request}", {"phase": "listening"})
    assert requests.find(world.of(RIVAL), theirs.request).request == same
    assert requests.find(theirs.world, theirs.request) == Conversation()


def test_what_is_promised_in_one_tenant_is_taken_in_every_other(world: World) -> None:
    now = utc_now()
    until = now.replace(year=now.year + 1)
    mine = Reserved(vm_ids=frozenset({20001}), names=frozenset({"db-01"}), addresses=frozenset({"10.0.0.9"}))
    assert world.of(ACME).ledger.reservations.reserve("f1", "m1", mine, now, until)
    assert not world.of(RIVAL).ledger.reservations.reserve("f2", "m2", mine, now, until)


@pytest.mark.parametrize(
    ("name", "groups", "found"),
    [
        ("alice", (), "acme"), ("Alice", (), "acme"), ("dora", ("acme-people",), "acme"), ("bob", ("others",), "rival"),
        ("carol", (), ""), ("group:acme-people", (), ""), ("acme", (), ""), ("bob", ("acme-people",), None),
    ],
)  # fmt: skip
def test_whose_somebody_is(name: str, groups: tuple[str, ...], found: str | None) -> None:
    if found is None:
        with pytest.raises(RequestProblem, match="acme and rival"):
            tenant_of(name, groups, TENANTS)
        return
    tenant = tenant_of(name, groups, TENANTS)
    assert tenant is not None and tenant.name == found
    assert tenant_of(name, groups, Tenants()) is None
    if found != "acme":
        with pytest.raises(RequestProblem, match="in no tenant called acme"):
            tenant_of(name, groups, TENANTS, "acme")


SEEN = ClusterSnapshot(
    endpoint="https://127.0.0.1:8006",
    taken_at=builders.NOON,
    guests=tuple(
        Guest(
            vm_id=100 + number, name=f"{pool or 'free'}-vm", node="pve1", running=True, template=False, cpu_count=2,
            memory_bytes=2**30, disk_bytes=2**33, tags=(pool or "free",), pool=pool, addresses=(f"10.0.0.{number}",),
        )
        for number, pool in enumerate(["", "acme", "rival", "others"])
    ),
    registered=(
        Registered(address="10.0.1.1", who="NetBox (acme)", vm_id=101),
        Registered(address="10.0.1.2", who="NetBox (rival)", vm_id=102),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("tenant", "told", "silent"),
    [
        (ACME, {"acme"}, {"rival", "others", "free"}),
        (RIVAL, {"rival"}, {"acme", "others", "free"}),
        (OUTSIDE, {"free", "others"}, {"acme", "rival"}),
        (TENANTS.called("gone"), set(), {"acme", "rival", "others"}),
        (None, {"acme", "rival", "others", "free"}, set()),
    ],
)
def test_of_machines_in_a_pool_of_others_only_their_room_is_told(tenant: Tenant | None, told: set[str], silent: set[str]) -> None:
    seen = visible(SEEN, tenant)
    assert isinstance(seen, ClusterSnapshot)
    text = seen.model_dump_json()
    assert all(word in text for word in told) and not any(f'"{word}' in text or f"({word}" in text for word in silent)
    kept = [(one.vm_id, one.node, one.memory_bytes, one.addresses) for one in seen.guests]
    assert kept == [(one.vm_id, one.node, one.memory_bytes, one.addresses) for one in SEEN.guests]


BOTH = {
    "PROXMOX_VE_ENDPOINT": "https://127.0.0.1:8006", "PROXMOX_VE_API_TOKEN": "a@pve!b=c", "ARM_SUBSCRIPTION_ID": "s-ours",
    "ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_CLIENT_SECRET": "s",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tenant", "endpoint", "pool", "subscription"),
    [
        (None, True, "site", "s-ours"),
        (OUTSIDE, True, "site", "s-ours"),
        (ACME, True, "acme", "s-acme"),
        (Tenant(name="cloud", subscriptions=("s-1", "s-ours")), False, "", "s-ours"),
        (Tenant(name="iron", pool="iron"), True, "iron", ""),
        (Tenant(name="gone"), False, "", ""),
        (Tenant(pools_of_others=("site",), subscriptions_of_others=("s-ours",)), False, "site", ""),
    ],
)
def test_what_a_tenant_may_use(tmp_path: Path, tenant: Tenant | None, endpoint: bool, pool: str, subscription: str) -> None:
    world = world_at(tmp_path, environment=BOTH)
    world = as_site(world, "site").of(tenant)
    assert bool(world.settings.proxmox_endpoint) == bool(world.settings.proxmox_api_token) == endpoint
    assert (world.site.pool, world.settings.arm_subscription_id) == (pool, subscription)
    assert bool(world.settings.arm_client_secret) == bool(subscription)
    for platform, has in (("proxmox", endpoint), ("azure", bool(subscription))):
        if not has:
            with pytest.raises(RequestProblem, match="has nothing there"):
                scan(world, platform)
    world.ledger.whole.close()


def as_site(world: World, pool: str) -> World:
    return replace(world, site=world.site.model_copy(update={"pool": pool}))


def test_a_program_asks_with_what_its_requester_has_and_the_operator_with_everybodys(world: World, theirs: Theirs) -> None:
    of = {name: as_asked_by(name, world).ledger.runs.rows() for name in ("alice", "bob", "carol", world.settings.operator)}
    assert {name: len(found) for name, found in of.items()} == {"alice": 1, "bob": 0, "carol": 0, world.settings.operator: 1}
    kept, _, _ = requests.take_in(as_asked_by("alice", world), "items: [{service: web_server, facts: {memory: 4 GB}}]")
    assert requests.find(world.of(ACME), kept).request.items
    for other in (RIVAL, OUTSIDE):
        with pytest.raises(RequestProblem):
            requests.find(world.of(other), kept)


@pytest.mark.parametrize(
    ("tenant", "receivers"), [("acme", "jsons://acme"), ("rival", "jsons://site"), ("", "jsons://site"), ("gone", "jsons://site")]
)
def test_a_tenants_notices_go_to_its_own_receivers_alone(world: World, tmp_path: Path, tenant: str, receivers: str) -> None:
    (tmp_path / "roles.yaml").write_text(ROLES.replace("pool: acme,", "pool: acme, notices: 'jsons://acme',"))
    told = replace(world, settings=world.settings.model_copy(update={"notices": Secret("jsons://site")}))
    assert noticing._receivers(told, tenant).get_secret_value() == receivers


def test_a_run_is_carried_out_for_its_tenant_by_an_engine_that_is_everybodys(world: World, theirs: Theirs) -> None:
    launched = engine.launch(theirs.world)
    assert launched.world.tenant is None and launched.world.ledger is not theirs.world.ledger
    assert [row.id for row in launched.world.ledger.runs.rows()] == ["run-acmeacme"]
    lease = world.ledger.leases.take("run run-acmeacme")
    assert lease is not None
    carried = world.carrying(lease, "acme")
    carried.ledger.audit.record(utc_now(), "looked")
    assert (carried.tenant, world.ledger.audit.read(count_max=1)[0].facts["tenant"]) == (ACME, "acme")
    with pytest.raises(RequestProblem):
        carry_out.run_of(world.of(RIVAL), "run-acmeacme")
    assert carry_out.run_of(carried, "run-acmeacme").status == "stopped"


def test_a_program_asks_in_the_one_of_several_that_was_chosen_and_goes_on_there_alone(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    file.write_text("principals: {}\ntenants: {acme: {members: [dora, alice]}, rival: {members: [dora]}}\n")
    world = world_at(tmp_path / "home", environment={"BERTH_ROLES_FILE": str(file)})
    with pytest.raises(RequestProblem, match=r"acme and rival.*--tenant acme"):
        provision("a web server", "dora", world=world)
    asked = provision("a web server", "dora", tenant="acme", world=world)
    assert provision("make it 8 GB", "dora", conversation=asked.conversation, tenant="acme", world=world).request != asked.request
    for who, tenant in (("dora", "rival"), ("acme:dora", ""), ("alice", ""), ("alice", "rival"), ("dora", "ACME"), ("carol", "acme")):
        with pytest.raises(RequestProblem):
            provision("details", who, conversation=asked.conversation, tenant=tenant, world=world)
    kept, _, _ = requests.take_in(as_asked_by("dora", world, "acme"), "items: [{service: web_server}]")
    assert requests.find(as_asked_by("dora", world, "acme"), kept).request.items
    with pytest.raises(RequestProblem):
        requests.find(as_asked_by("dora", world, "rival"), kept)
    world.ledger.close()


@pytest.mark.parametrize(
    "text",
    [
        "tenants: [acme]",
        "tenants: {acme: [alice]}",
        "tenants: {Acme Corp: {members: [alice]}}",
        "tenants: {a: {pool: p}, b: {pool: p}}",
        "tenants: {a: {subscriptions: [s]}, b: {subscriptions: [s]}}",
        "tenants: {a: {member: [alice]}}",
    ],
)
def test_tenants_that_cannot_be_taken_leave_nobody_a_role(tmp_path: Path, text: str) -> None:
    (tmp_path / "roles.yaml").write_text(f"principals: {{alice: [admin]}}\n{text}\n")
    world = world_at(tmp_path / "home", environment={"BERTH_ROLES_FILE": str(tmp_path / "roles.yaml")})
    with pytest.raises(RequestProblem, match="roles file"):
        world.tenants()
    world.ledger.close()
