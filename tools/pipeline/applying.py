"""The step that changes the world: Terraform applies exactly the plan that was approved, once. It looks before it does: a plan that is
being
applied is attended to its end, one that was applied is left alone, one that died half-way goes on only with what is left of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import Connection

from tools.clients import detached, ssh
from tools.clients.detached import Phase
from tools.clients.files import assert_room, copy_private, private_folder
from tools.clients.terraform import BACKEND, Planned, assert_sha256
from tools.clients.tracing import span
from tools.ledger.leases import Lease
from tools.pipeline.attending import LOOK_SECONDS, Cancelled, attend, terraform_of
from tools.pipeline.begun import mend_record
from tools.pipeline.platforms import hands
from tools.pipeline.prepare import PLAN_FILES
from tools.pipeline.run_folder import assert_inputs, bench, move_in, moved_in, part_folder, proposal
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.platforms import PLATFORMS
from tools.rules.plans.approving import assert_holds
from tools.rules.plans.changes import Kind, assert_allowed, beyond, changes, covers, half_made
from tools.values.manifest import Part
from tools.values.shapes import Unreadable
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json

TURN_SECONDS_MAX = 3600.0
TURN_LOOK_SECONDS_MAX = 2.0
TRIES_MAX = 20
SAYS_SECONDS = 60.0
"""No wait is silent for longer."""


def apply(work: Work) -> Json:
    lease, waited = _take_turn(work)
    try:
        place = _place(work)
        if detached.phase(place) is Phase.NEVER:
            if work.resumed or waited:
                _look_again(work)
            _begin_approved(work, lease, place)
        elif detached.phase(place) is Phase.DIED or _failed_before(place):
            place = _begin_rest(work, lease, place)
        with span("terraform apply", folder=work.part_folder.name):
            ended = attend(work, place)
        try:
            true = _made_true(work, ended)
            for change in work.part_plan.changes:
                if change.action == "delete":
                    ssh.forget(work.run_folder, change.name)  # Another one of that name has a key of its own.
            return true
        except WorldProblem:
            (place / "told").touch(mode=0o600)  # A retry plans what is missing, whatever Terraform thought of it.
            raise
    finally:
        work.world.ledger.leases.release(lease)


def _made_true(work: Work, ended: Json) -> Json:
    """What Terraform leaves out is done, and what it says is done is looked at. Its outputs, with the addresses of what was restarted."""
    fresh = hands(work.part.platform).make_true(work)
    known = (ended["outputs"] or {}).get("machines", {})
    machines = {name: {**one, "addresses": list(fresh.get(name) or one.get("addresses", ()))} for name, one in known.items()}
    return {**ended, "outputs": {**ended["outputs"], "machines": machines}} if fresh else ended


def _take_turn(work: Work) -> tuple[Lease, bool]:
    """(the turn, whether another run had it just before). Runs that change the same world take turns: what one looked at is still so when
    it acts. The parts of one run were planned beside each other, and have their turn together."""
    say_at = 0.0
    for waited, pause in pauses():
        lease = work.world.ledger.leases.take(f"target {work.part.platform}", work.run_id)
        if lease is not None:
            if not _others_at_work(work):
                lease.was_waited_for |= waited > 0
                return lease, lease.was_waited_for
            work.world.ledger.leases.release(lease)
        if waited >= say_at:
            say_at += SAYS_SECONDS
            so_far = f" {waited / 60:.0f} minutes so far." if waited else ""
            work.tell(f"Waiting for another run that is changing the same world.{so_far} `list` shows it.", "")
        if work.cancelled():
            raise Cancelled
        time.sleep(pause)
    raise WorldProblem(
        "Another run takes too long.",
        f"It has been changing the same world for {TURN_SECONDS_MAX / 60:.0f} minutes.",
        "Look at it with list, then say retry.",
        retryable=True,
    )


def pauses() -> Iterator[tuple[float, float]]:
    """(seconds that were waited so far, seconds until the next look): soon at first, then calmly, because each look writes in the ledger
    and reads every run."""
    waited, pause = 0.0, LOOK_SECONDS
    while waited < TURN_SECONDS_MAX:
        yield waited, pause
        waited, pause = waited + pause, min(2 * pause, TURN_LOOK_SECONDS_MAX)


def _others_at_work(work: Work) -> bool:
    """Whether a Terraform of another run still changes the same world: it outlives the process that held the turn for it, and a run that
    stopped without its end."""
    world = work.world
    for row in world.ledger.runs.rows():
        if row.id == work.run_id or row.status not in ("running", "stopped"):
            continue
        places = world.run_folder(row.id).glob("*/.apply/*")
        alive = {place.parents[1].name for place in places if detached.phase(place) is Phase.ALIVE}
        if not alive:
            continue
        try:
            if any(part.label in alive for part in _parts_of(world, row.plan_digest) if part.platform == work.part.platform):
                return True
        except Unreadable:
            return True
    return False


def _parts_of(world: World, plan_digest: str) -> tuple[Part, ...]:
    manifest = world.ledger.plans.kept(plan_digest).manifest
    return (*manifest.parts, *manifest.taken_back)


def _look_again(work: Work) -> None:
    """Time has passed since the step before this one looked. That a removal still meets its own machines is looked at when it starts."""
    if work.kind != "remove":
        work.look_again(work)


def _places(work: Work) -> list[Path]:
    return [work.part_folder / ".apply" / f"{work.part_plan.plan_sha256[:16]}-{number:02d}" for number in range(TRIES_MAX)]


def _place(work: Work) -> Path:
    """The latest place where this plan, or the rest of it, was begun; the first one when it never was."""
    places = _places(work)
    begun = [place for place in places if place.exists() and detached.phase(place) is not Phase.NEVER]
    return begun[-1] if begun else places[0]


def _failed_before(place: Path) -> bool:
    """It ended badly, or what it made is not what was approved, and the operator has read so. A failure nobody was told of yet is told
    first."""
    return detached.phase(place) is Phase.ENDED and (place / "told").exists()


def _begin_approved(work: Work, turn: Lease, place: Path) -> None:
    """Everything the approval is bound to is looked at once more, and the plan is applied from a private copy."""
    plan, part_plan, folder = work.plan, work.part_plan, work.part_folder
    ledger = work.world.ledger
    used_at = ledger.plans.used_at(plan.digest)
    if used_at is None:
        raise RequestProblem("The plan is not approved.", "No approval was spent on it.", "Approve it by its digest.")
    assert_holds(plan, ledger.plans.approvals(plan.digest), ledger.key, _time(used_at))
    assert_room(private_folder(folder))  # A change may add a part, which has no folder yet.
    private_folder(place)
    proposed = part_folder(proposal(work.run_folder, plan.digest), work.part)
    # A change moves in only when it is just what was approved; it has already when an earlier try came this far.
    source = proposed if proposed.exists() else folder
    _assert_as_approved(work, source, folder)
    if source is proposed:
        assert_sha256(proposed / PLAN_FILES[work.kind], part_plan.plan_sha256, "plan")
        move_in(work.run_folder, plan.digest, work.part)
        terraform = terraform_of(work)
        terraform.write_configuration()
        terraform.init()  # What applies the plan must be what planned it; the lock file says so, and is part of the inputs.
        _assert_as_approved(work, folder, folder)
        moved_in(work.run_folder, plan.digest, work.part)
    hands(work.part.platform).remove_half_made(work)  # A zone of SDN is not removed while a vnet is in it.
    _start(work, turn, place, folder / PLAN_FILES[work.kind], part_plan.plan_sha256)


def _assert_as_approved(work: Work, inputs: Path, folder: Path) -> None:
    """`inputs` is what the plan was made from; the record is the run's own."""
    assert_inputs(inputs, work.part_plan)
    if (inputs / BACKEND).exists() and not (folder / BACKEND).exists():
        return  # A part that a change adds, with its record elsewhere: read when it has moved in, since Terraform asks for its providers.
    if terraform_of(work, folder).record_sha256() != work.part_plan.state_sha256:
        raise WorldProblem(
            "The record of what exists changed after it was approved.",
            f"The state of {folder} is not the one that the approval is bound to.",
            "Nothing was done. Look who else works on it, then ask for a new plan.",
        )


_OTHERWISE: dict[Kind, str] = {
    "create": "Say roll back to plan the removal of what was made, then ask again.",
    "change": "Say roll back to plan the way back to what was before. Or say leave, then ask again: the new plan shows what is left.",
    "remove": "Say roll back for a plan that removes what is left.",
}


def _begin_rest(work: Work, turn: Lease, place: Path) -> Path:
    """What is left of an approved plan, planned anew, from a private copy of just what was approved. It needs no new approval when all
    of it was approved, value for value."""
    places = _places(work)
    number = places.index(place) + 1
    if number >= TRIES_MAX:
        raise WorldProblem("It was tried too often.", f"{TRIES_MAX} tries ended half-way.", "Say roll back, or look at the run folder.")
    approved = _approved_json(work)
    assert_inputs(work.part_folder, work.part_plan)
    work.say("It was begun before and did not end well. Planning what is left of it.")
    terraform = terraform_of(work)
    if mended := mend_record(terraform, place):
        work.say(mended)
    touch = hands(work.part.platform)
    touch.wait_idle(work)
    touch.clear_half_made(work)
    touch.remove_half_made(work)
    _look_again(work)
    name = f"tfplan.rest{number}"
    assert_room(work.part_folder)
    planned = _plan_rest(work, name)
    provider = PLATFORMS[work.part.platform].PROVIDER
    wanted, anew = changes(planned.json, provider), half_made(planned.json, provider)
    if not covers(work.part_plan.changes, wanted, anew, provider.starts):
        named = ", ".join(
            f"{change.action} {change.name}" + (f" ({', '.join(change.details)})" if change.details else "") for change in wanted
        )
        raise RequestProblem(
            "What is left was not approved.",
            f"Going on would mean: {named}. That is not what was approved: something else has changed there meanwhile.",
            _OTHERWISE[work.kind],
        )
    if unlike := beyond(approved, planned.json):
        raise RequestProblem(
            "What is left was not approved.",
            f"Going on would set values that nobody approved: {'; '.join(unlike[:6])}.",
            _OTHERWISE[work.kind],
        )
    assert_allowed(planned.json, work.kind, work.world.allowed, provider, ((change.action, change.address) for change in wanted))
    if anew:
        named = ", ".join(change.name for change in wanted if change.address in anew)
        work.say(f"Half made by this run, so it is removed and made anew: {named}.")
    following = private_folder(places[number])
    _start(work, turn, following, work.part_folder / name, planned.plan_sha256)
    return following


def _plan_rest(work: Work, name: str) -> Planned:
    """The plan and its JSON are kept in the part's folder, as those of the whole are."""
    with bench(work.part_folder, work.part_plan) as place:
        terraform = terraform_of(work, place)
        terraform.write_configuration()
        terraform.init()
        planned = terraform.plan(name, destroy=work.kind == "remove", cancelled=work.cancelled, validate=False)
        assert_inputs(place, work.part_plan)
        for path in (place / name, place / f"{name}.json"):
            copy_private(path, work.part_folder / path.name)
    return planned


def _approved_json(work: Work) -> Json:
    """The plan that was approved, as Terraform spelled it."""
    path = work.part_folder / f"{PLAN_FILES[work.kind]}.json"
    assert_sha256(path, work.part_plan.plan_json_sha256, "plan")
    return json.loads(path.read_bytes())


def _start(work: Work, turn: Lease, place: Path, plan_file: Path, sha256: str) -> None:
    copy = copy_private(plan_file, place / "plan")
    assert_sha256(copy, sha256, "plan")
    state = work.part_folder / "terraform.tfstate"
    if state.exists():
        copy_private(state, place / "state.before")
    terraform = terraform_of(work)
    terraform.write_configuration()  # Whoever can write in the folder could name another program there as the provider.
    hands(work.part.platform).refuse_strangers(work.world, work.part_folder, work.part)
    if work.kind == "remove":
        hands(work.part.platform).assert_unused(work.world.settings_of(work.part), work.part)
    if work.cancelled():
        raise Cancelled
    facts: dict[str, Json] = {"run_id": work.run_id, "part": work.part.label, "plan": work.plan.digest, "plan_file": sha256}

    def recorded(connection: Connection) -> None:
        for lease in (work.lease, turn):  # Whoever was cut off for a while learns it here.
            work.world.ledger.leases.check(connection, lease)
        work.world.ledger.audit.record_in(connection, work.world.now(), "applying", **facts, fence=work.lease.fence)

    work.world.ledger.write(recorded)
    detached.start(place, terraform.apply_command(copy), terraform.environment(), folder=work.part_folder)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
