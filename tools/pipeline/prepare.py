"""Makes a plan out of a manifest: the run folder, Terraform's own plan of every part, and one digest over all of it. Nothing outside the
run folder and the ledger is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tools.clients.files import assert_room, private_folder
from tools.clients.terraform import Terraform
from tools.clients.together import each
from tools.pipeline.begun import assert_recorded, mend
from tools.pipeline.context import Say
from tools.pipeline.drafting import promises
from tools.pipeline.platforms import hands
from tools.pipeline.replaying import keep
from tools.pipeline.run_folder import (
    assert_ours,
    drop_proposal,
    inputs_of,
    inputs_sha256,
    lay_out,
    lay_out_part,
    part_folder,
    proposals,
    propose,
    proposing,
    secret_texts,
    terraform_of,
    write_value,
)
from tools.pipeline.side_by_side import AT_ONCE_MAX
from tools.pipeline.world import World
from tools.platforms import PLATFORMS
from tools.rules.plans.approving import name_to_type, people, roles_to_take_away, wanted_roles, window
from tools.rules.plans.changes import Kind, assert_allowed, changes, half_made
from tools.rules.plans.judging import roles_to_remove
from tools.rules.plans.policy import refused
from tools.rules.words.findings import remedy, sentence
from tools.values.manifest import Manifest, Part
from tools.values.plan import Change, Estimate, PartPlan, Plan
from tools.values.review import Review
from tools.values.site import Reserved
from tools.values.trouble import RequestProblem, WorldProblem

PLAN_FILES: dict[Kind, str] = {"create": "tfplan", "change": "tfplan", "remove": "tfplan.remove"}


@dataclass(frozen=True)
class TakenBack:
    """What came with the change that is led back, and goes with it; by part."""

    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of what Terraform knows."""
    half_made: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    """Of what it does not know."""


def _silent(_text: str) -> None:
    return


def prepare(
    world: World,
    conversation: str,
    manifest: Manifest,
    review: Review,
    estimate: Estimate,
    kind: Kind = "create",
    run_id: str | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    taken_back: TakenBack = TakenBack(),
) -> Plan:
    """The plan, open for approval. An earlier open plan of the conversation is void from then on."""
    if not review.clean or review.manifest_digest != manifest.digest:
        raise RequestProblem(
            "The manifest may not be planned.",
            "Its review is not clean, or is of another manifest.",
            "Change what the review names.",
        )
    _assert_rights(world, manifest.parts)
    run_id = run_id or world.new_id()
    family, promised = _keep_promises(world, manifest)
    folder = private_folder(world.run_folder(run_id))
    for part in manifest.parts if kind == "change" else ():
        assert_recorded(world, run_id, part)
    # What a run is made from stays as it is until a change of it begins.
    with proposing(folder) if kind != "create" else nullcontext(folder) as place:
        lay_out(world, folder, manifest, review, world.ledger.get(conversation), place)
        keep(world, manifest, place)
        assert_room(folder)

        def plan_one(part: Part) -> PartPlan:
            part_kind: Kind = "remove" if part in manifest.taken_back else kind
            going = taken_back.addresses.get(part.label, frozenset())
            planned = _plan_part(world, folder, place, part, part_kind, cancelled, going)
            left = taken_back.half_made.get(part.label)
            if left is None and part_kind == "remove":
                left = tuple(change for change, _ in hands(part.platform).left_half_made(world, run_id, part))
            return planned.model_copy(update={"changes": (*planned.changes, *(left or ()))})

        parts = each(plan_one, (*manifest.parts, *manifest.taken_back), AT_ONCE_MAX)
        return _finish(world, conversation, run_id, kind, manifest, review, estimate, parts, family, promised, place)


def _assert_rights(world: World, parts: Sequence[Part]) -> None:
    """Before anything is shown that could not be carried out."""
    for platform in dict.fromkeys(part.platform for part in parts):
        of_it = [part for part in parts if part.platform == platform]
        hands(platform).assert_rights(world.settings_of(of_it[0]), of_it)


def prepare_removal(world: World, conversation: str, run_id: str, requester: str, say: Say = _silent) -> Plan:
    """A plan to remove exactly what the run made: what its own state records, what a killed Terraform left unrecorded, and nothing else."""
    run = world.ledger.runs.row(run_id)
    if run.status == "running":
        raise RequestProblem("The run is still going.", f"{run_id} cannot be removed while it works.", "Say cancel first, or wait.")
    made_by = world.ledger.plans.kept(run.plan_digest)
    folder = world.run_folder(run_id)
    left: dict[str, tuple[Change, ...]] = {}
    for part in made_by.manifest.parts:
        # Before the state is read: a team that has taken the run over keeps its state elsewhere, and ours would look empty.
        assert_ours(world, folder, part)
        if mended := mend(world, run_id, part):
            say(mended)
        # What a run that is removed had made is gone for certain; what has its ids by now is somebody else's.
        left_there = hands(part.platform).left_half_made(world, run_id, part) if run.status != "removed" else ()
        left[part.label] = tuple(change for change, _ in left_there)
    parts_left = [
        part
        for part in (*made_by.manifest.parts, *made_by.manifest.taken_back)
        if left.get(part.label) or not terraform_of(world, folder, part).state_is_empty()
    ]
    if not parts_left:
        if run.status != "removed":
            world.ledger.runs.set_status(run_id, "removed", run.status, world.now())
        raise RequestProblem("There is nothing to remove.", f"{run_id} has nothing left that exists.", "Nothing needs to be done.")
    assert_room(folder)
    _assert_rights(world, parts_left)

    with proposing(folder) as place:

        def plan_one(part: Part) -> PartPlan:
            lay_out_part(world, folder, part, place)
            planned = _plan_part(world, folder, place, part, "remove", lambda: False)
            return planned.model_copy(update={"changes": (*planned.changes, *left.get(part.label, ()))})

        parts = each(plan_one, parts_left, AT_ONCE_MAX)
        return _finish(
            world,
            conversation,
            run_id,
            "remove",
            made_by.manifest,
            made_by.review,
            Estimate(),
            parts,
            f"remove {run_id}",
            Reserved(),
            place,
            requester,
        )


def _plan_part(
    world: World,
    folder: Path,
    place: Path,
    part: Part,
    kind: Kind,
    cancelled: Callable[[], bool],
    taken_back: frozenset[str] = frozenset(),
) -> PartPlan:
    """Made in `place`, with the secrets of the run's folder."""
    here = part_folder(place, part)
    if kind == "remove":
        hands(part.platform).assert_unused(world.settings_of(part), part)
    terraform = Terraform(world.settings_of(part), here, secret_texts(folder, part))
    terraform.init()
    state_sha256 = terraform.record_sha256()
    planned = terraform.plan(PLAN_FILES[kind], destroy=kind == "remove", cancelled=cancelled)
    hands(part.platform).refuse_strangers(world, part_folder(folder, part), part, planned.json)
    provider = PLATFORMS[part.platform].PROVIDER
    # A change of what was left half made makes it anew, and its plan says so.
    anew = half_made(planned.json, provider) if kind == "change" else frozenset()
    besides = {("replace", one) for one in anew} | {("delete", one) for one in (*part.lets_go, *taken_back)}
    assert_allowed(planned.json, kind, world.allowed, provider, besides)
    if kind != "remove" and (findings := refused(world.policy, part, planned.json)):
        raise RequestProblem(
            "The plan is against the policy.",
            " ".join(map(sentence, findings[:6])),
            " ".join(dict.fromkeys(filter(None, map(remedy, findings)))) or "Ask for something else.",
        )
    found = changes(planned.json, provider)
    if kind == "create":
        _assert_as_asked(part, found)
    return PartPlan(
        label=part.label,
        changes=found,
        plan_sha256=planned.plan_sha256,
        plan_json_sha256=planned.json_sha256,
        inputs_sha256=inputs_sha256(here),
        state_sha256=state_sha256,
        providers=terraform.providers(),
        inputs=tuple(sorted(inputs_of(here).items())),
    )


def _assert_as_asked(part: Part, found: Iterable[Change]) -> None:
    """One machine in the plan for each that was asked for, by name."""
    wanted = sorted(machine.name for machine in part.every_machine)
    planned = sorted(change.name for change in found if change.action == "create" and change.name in wanted)
    if wanted != planned:
        raise WorldProblem(
            "The plan is refused.",
            f"Terraform plans {', '.join(planned) or 'no machine'} where {', '.join(wanted)} was asked for.",
            "Nothing was done. Look at tfplan.json in the run folder.",
        )


def _finish(
    world: World,
    conversation: str,
    run_id: str,
    kind: Kind,
    manifest: Manifest,
    review: Review,
    estimate: Estimate,
    parts: tuple[PartPlan, ...],
    family: str,
    promised: Reserved,
    place: Path,
    requester: str = "",
) -> Plan:
    now = world.now()
    roles = _roles(world, run_id, kind, manifest, review, parts, requester or manifest.requester)
    plan = Plan(
        run_id=run_id,
        conversation=conversation,
        kind=kind,
        requester=requester or manifest.requester,
        manifest_digest=manifest.digest,
        review_digest=review.digest,
        snapshot_digests=manifest.snapshot_digests,
        policy_version=review.policy_version,
        parts=parts,
        estimate=estimate,
        approvals=roles,
        made_at=now,
        expires_at=now + window(people(roles)),
    )
    folder = world.run_folder(run_id)
    write_value(place / "plan.json", plan)
    world.ledger.plans.add(plan, manifest, review, family, promised, now)
    if place != folder:
        propose(folder, place, plan.digest)
    _drop_the_void(world, run_id)
    return plan


def _roles(
    world: World, run_id: str, kind: Kind, manifest: Manifest, review: Review, parts: tuple[PartPlan, ...], requester: str
) -> tuple[tuple[str, str], ...]:
    """(role, reason) of the approvals that the plan waits for."""
    sensitive = ((part.label, part.confirm) for part in manifest.parts if part.confirm)
    making = wanted_roles(review.approvals, sensitive) if kind != "remove" else ()
    gone = {one.label: one.changes for one in parts if any(change.action in ("delete", "replace") for change in one.changes)}
    if kind != "remove" and not gone:
        return making
    made_by = (role for plan in world.ledger.plans.used(run_id) for role in plan.approvals)
    going = [part for part in (*manifest.parts, *manifest.taken_back) if part.label in gone]
    asked = roles_to_remove(going, requester, world.site, world.policy, world.judges)
    named = (name_to_type(part, gone[part.label] if kind == "change" else ()) for part in going)
    return roles_to_take_away((*making, *made_by), asked, filter(None, named))


def _drop_the_void(world: World, run_id: str) -> None:
    """Proposals that nobody can approve any more, and such as were begun and gave way to another one before they had moved in."""
    folder = world.run_folder(run_id)
    for digits in proposals(folder):
        try:
            kept = world.ledger.plans.find(digits)
        except RequestProblem:
            continue  # No plan of ours, whoever put it there.
        if kept.status == "void" or (kept.status == "used" and world.ledger.runs.row(run_id).plan_digest != kept.plan.digest):
            drop_proposal(folder, digits)


def _keep_promises(world: World, manifest: Manifest) -> tuple[str, Reserved]:
    """The ids and names are this manifest's own: promised when it was drafted, or now."""
    now = world.now()
    promised = promises(manifest)
    family = world.ledger.reservations.family_of(manifest.digest)
    until = now + window(1)
    shared = world.ledger.reservations.held(now, besides=family).waiting
    if not world.ledger.reservations.reserve(family, manifest.digest, promised, now, until, shared):
        raise RequestProblem(
            "Another request took this name first.",
            "A machine id or name of this draft is promised to another plan by now.",
            "Please try again.",
        )
    return family, promised
