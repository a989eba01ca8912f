"""What a person may do with a plan and a run: approve, start, follow, cancel, retry, roll back, leave. Each is one call; the engine does
the work."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

from tools.clients import tracing
from tools.ledger.plans import Kept
from tools.ledger.reservations import Promise
from tools.ledger.runs import RunRow
from tools.pipeline.begun import mend
from tools.pipeline.drafting import settle_promises
from tools.pipeline.engine import launch
from tools.pipeline.platforms import hands
from tools.pipeline.run_folder import drop_proposal, write_json, write_value
from tools.pipeline.steps import steps_of
from tools.pipeline.world import World
from tools.rules.machines.ownership import with_half_made
from tools.rules.plans.approving import (
    assert_holds,
    assert_may_begin,
    assert_open,
    digits,
    may_give,
    missing_roles,
    people,
    role_speaking,
    signed,
    window,
)
from tools.rules.words.answering import Past
from tools.values.events import Approved
from tools.values.manifest import Part
from tools.values.person import Person
from tools.values.plan import Approval
from tools.values.run import Progress, Run
from tools.values.shapes import Unreadable
from tools.values.trouble import RequestProblem, WorldProblem

FOLLOW_LOOK_SECONDS = 0.1
FOLLOW_SECONDS_MAX = 24 * 3600.0
LEASE_SECONDS_MAX = 10.0
RUNS_SHOWN_MAX = 50
RUN_TIME_MAX = timedelta(days=1)
"""How long what was promised to a run stays promised; by then a snapshot shows it."""


def approve(
    world: World,
    digest_prefix: str,
    principal: str,
    words: str,
    role: str | None = None,
    override_reason: str = "",
    held: tuple[str, ...] | None = None,
) -> Approved:
    """Records one approval of exactly this plan, in whatever conversation it is said. `held`: the roles of somebody who is authenticated;
    None: one operator, alone on this machine."""
    alone = held is None
    kept = world.ledger.plans.find(digits(digest_prefix))
    plan, now = kept.plan, world.now()
    assert_open(plan, kept.status, now)
    given = world.ledger.plans.approvals(plan.digest)
    if not missing_roles(plan, given):
        assert_may_begin(plan, given, principal, held)
        return Approved(plan=plan, missing_roles=())  # Everybody has; whoever said so last was cut off before the run began.
    roles = world.roles() if held is None else {principal: held}
    speaking = role_speaking(plan, given, principal, roles, role, alone)
    approval = Approval(
        plan_digest=plan.digest,
        role=speaking,
        principal=principal,
        words=words,
        at=now,
        expires_at=now + window(people(plan.approvals)),
        nonce=secrets.token_hex(16),
        override_reason=override_reason,
    )
    world.ledger.plans.approve(signed(approval, world.ledger.key), now)
    world.ledger.keep_until(kept.family, approval.expires_at)
    return Approved(plan=plan, missing_roles=missing_roles(plan, world.ledger.plans.approvals(plan.digest)))


def waiting(world: World, person: Person) -> tuple[tuple[Kept, tuple[str, ...]], ...]:
    """Plans that may still be approved, each with the roles that this person may approve it as."""
    now = world.now()
    each = ((kept, world.ledger.plans.approvals(kept.plan.digest)) for kept in world.ledger.plans.open() if kept.plan.expires_at > now)
    found = ((kept, may_give(kept.plan, given, person.name, person.roles)) for kept, given in each)
    return tuple((kept, roles) for kept, roles in found if roles)


def assert_may_be_approved(world: World, plan_digest: str) -> None:
    """Raises RequestProblem where it has expired meanwhile, is void, or was approved already."""
    kept = world.ledger.plans.kept(plan_digest)
    assert_open(kept.plan, kept.status, world.now())


def start(world: World, plan_digest: str) -> str:
    """Spends the approvals and sets the run going; the run's id. A second call with the same digest starts nothing."""
    kept = world.ledger.plans.kept(plan_digest)
    plan, now = kept.plan, world.now()
    engine = launch(world)
    if kept.status == "used":
        return plan.run_id
    assert_open(plan, kept.status, plan.made_at)  # Approved in time, it may start until the approval expires.
    approvals = world.ledger.plans.approvals(plan.digest)
    assert_holds(plan, approvals, world.ledger.key, now)
    if not world.ledger.runs.begin(plan, steps_of(plan, kept.manifest, engine.steps()), now):
        return plan.run_id
    world.ledger.keep_until(kept.family, now + RUN_TIME_MAX)
    write_json(world.run_folder(plan.run_id) / "approval.json", [one.model_dump(mode="json") for one in approvals])
    tracing.keep(world.run_folder(plan.run_id))
    engine.take_in_hand(plan.run_id)
    return plan.run_id


def follow(world: World, run_id: str, after: int = 0) -> Iterator[Progress]:
    """The journal's lines as they come, until the run ends or stops. May be dropped at any line and taken up after it."""
    launch(world)
    for _ in range(int(FOLLOW_SECONDS_MAX / FOLLOW_LOOK_SECONDS)):
        going, lines = look(world, run_id, after)
        for line in lines:
            after = line.number
            yield line
        if not going:
            return
        time.sleep(FOLLOW_LOOK_SECONDS)


def look(world: World, run_id: str, after: int) -> tuple[bool, tuple[Progress, ...]]:
    """(whether the run goes on, its lines after that one). Of a run that has ended these are all there are."""
    going = world.ledger.runs.row(run_id).status in ("approved", "running")
    return going, tuple(world.ledger.runs.lines(run_id, after))


def run_of(world: World, run_id: str) -> Run:
    return world.ledger.runs.get(run_id)


def switched_off(world: World, run_id: str) -> tuple[str, ...]:
    """Of what the run made, that which does not run now: a sentence each. A world that is away says nothing of it."""
    row = world.ledger.runs.row(run_id)
    if row.status not in ("done", "stopped"):
        return ()
    try:
        parts = world.ledger.plans.kept(row.plan_digest).manifest.parts
        return tuple(one for part in parts for one in hands(part.platform).switched_off(world.settings_of(part), part))
    except WorldProblem as problem:
        return (f"Whether its machines run could not be seen: {problem.detail}",)
    except Unreadable:
        return ()


def runs(world: World, count_max: int = RUNS_SHOWN_MAX) -> tuple[Run, ...]:
    """The latest ones, oldest of them first. Of one that cannot be read there is no more than its row."""
    return tuple(_listed(world, row) for row in world.ledger.runs.rows()[-count_max:])


def past(world: World, count_max: int = RUNS_SHOWN_MAX) -> tuple[Past, ...]:
    """The latest ones with what they were made from, oldest of them first. One that cannot be read is passed over."""
    return tuple(_past(world, count_max))


def _past(world: World, count_max: int) -> Iterator[Past]:
    for row in world.ledger.runs.rows()[-count_max:]:
        try:
            kept = world.ledger.plans.kept(row.plan_digest)
            yield Past(run_of(world, row.id), kept.plan, kept.manifest, world.ledger.plans.approvals(row.plan_digest))
        except (Unreadable, RequestProblem):
            continue


def _listed(world: World, row: RunRow) -> Run:
    try:
        return run_of(world, row.id)
    except Unreadable:
        return Run(id=row.id, plan_digest=row.plan_digest, status=row.status)


def promises(world: World) -> list[Promise]:
    """What is held for drafts, plans that wait, and runs, the first to expire first."""
    return world.ledger.reservations.promises(world.now())


def free(world: World, family_prefix: str) -> Promise:
    """What was promised to a draft or a plan that waits is anybody's; such a plan is void."""
    found = [one for one in promises(world) if one.family.startswith(digits(family_prefix))]
    if len(found) != 1:
        raise RequestProblem("Nothing is held under these digits.", f"{len(found)} promises begin with them.", "`berth held` lists them.")
    if found[0].is_run:
        raise RequestProblem("A run makes what is held.", "It is free when the run has ended.", "Cancel the run, or wait.")
    if found[0].plan_digest:
        void(world, found[0].plan_digest)
    world.ledger.release(found[0].family)
    world.ledger.audit.record(world.now(), "freed", family=found[0].family, plan=found[0].plan_digest, principal=world.settings.operator)
    return found[0]


def void(world: World, plan_digest: str) -> None:
    """The plan may not be approved any more, and what was promised to it is free."""
    row = world.ledger.plans.row(plan_digest)
    if not world.ledger.plans.void(plan_digest, world.now()) and world.ledger.plans.row(plan_digest).status == "used":
        raise RequestProblem("This plan is being carried out.", "It was approved before.", "Say cancel to stop its run.")
    drop_proposal(world.run_folder(row.run_id), plan_digest)


def cancel(world: World, run_id: str) -> None:
    """Asks the run to stop, whichever process has it in hand: Terraform gets a minute to tidy up, and its state is kept."""
    if not world.ledger.runs.want_cancel(run_id, world.now()):
        run = world.ledger.runs.row(run_id)
        raise RequestProblem("The run is not going.", f"{run_id} is {run.status}.", "There is nothing to cancel.")
    launch(world)


def retry(world: World, run_id: str) -> None:
    """A stopped run goes on under the approval it had. What was not approved then stops it again, with the way out."""
    engine = launch(world)
    if world.ledger.runs.begin_again(run_id, world.now()) is None:
        run = world.ledger.runs.row(run_id)
        raise RequestProblem("The run did not stop.", f"{run_id} is {run.status}.", "Only a run that stopped half-way can go on.")
    tracing.keep(world.run_folder(run_id))
    engine.take_in_hand(run_id)


def leave(world: World, run_id: str) -> Run:
    """What the stopped run had made stays as it is, and the run counts as done. What stands half made is said in its receipt."""
    _assert_stopped(world, run_id)
    kept = world.ledger.plans.kept(world.ledger.runs.row(run_id).plan_digest)
    stands = {part.label: _half_made(world, run_id, part) for part in kept.manifest.parts}
    if not world.ledger.runs.set_status(run_id, "done", "stopped", world.now()):
        _assert_stopped(world, run_id)
    settle_promises(world, run_id, kept.family, kept.manifest.parts)
    if any(stands.values()):
        _tell_of(world, run_id, stands)
    return run_of(world, run_id)


def _half_made(world: World, run_id: str, part: Part) -> tuple[str, ...]:
    """Sentences. A cluster that is away keeps nobody from leaving."""
    try:
        mend(world, run_id, part)
        return tuple(sentence for _, sentence in hands(part.platform).left_half_made(world, run_id, part))
    except WorldProblem as problem:
        return (f"Whether something of {part.label} stands half made could not be seen: {problem.detail} Say `remove {run_id}` later.",)


def _tell_of(world: World, run_id: str, stands: Mapping[str, tuple[str, ...]]) -> None:
    """Into the journal and the receipt, which only the holder of the run's lease writes: the engine lets go of it just after a run
    stops."""
    run, runs, leases = run_of(world, run_id), world.ledger.runs, world.ledger.leases
    receipt = with_half_made(run, stands)
    for part, sentences in stands.items():
        for sentence in sentences:
            runs.say(run_id, world.now(), part, "leave", sentence)
    write_value(world.run_folder(run_id) / "receipt.json", receipt)
    for _ in range(int(LEASE_SECONDS_MAX / FOLLOW_LOOK_SECONDS)):
        lease = leases.take(f"run {run_id}")
        if lease is None:
            time.sleep(FOLLOW_LOOK_SECONDS)
            continue
        try:
            runs.end(lease, run_id, "done", world.now(), receipt, run.plan_digest)
        finally:
            leases.release(lease)
        return


def _assert_stopped(world: World, run_id: str) -> None:
    run = world.ledger.runs.row(run_id)
    if run.status != "stopped":
        raise RequestProblem("The run did not stop.", f"{run_id} is {run.status}.", "Say remove to take down what a finished run made.")
