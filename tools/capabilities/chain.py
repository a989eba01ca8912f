"""The chain over all items of a request: each function asks every item's capability and gathers the answers. No I/O, no judgement of its
own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.capabilities import Footing, catalogue
from tools.platforms import PLATFORMS, certify
from tools.rules.machines.images import becomes_template
from tools.rules.machines.keeping import where_now
from tools.rules.machines.registering import registering
from tools.rules.machines.watching import watch
from tools.rules.names.naming import shorten
from tools.rules.names.secrets import with_own_secrets
from tools.rules.request.choosing import as_settled, candidate_of
from tools.rules.request.editing import facts_of
from tools.rules.request.platform import platform_of
from tools.rules.request.relating import Related, relate, stand
from tools.rules.words.guiding import reaches
from tools.values.manifest import Manifest, Part
from tools.values.offer import Candidate, Offer, PartOffer, Pick, Proposal
from tools.values.request import Fact, Item, Request
from tools.values.requirements import Needs, Requirements
from tools.values.review import THE_CLUSTER, Finding, Review, Severity
from tools.values.site import Reserved, Site
from tools.values.situation import Situation
from tools.values.snapshot import PlatformName
from tools.values.trouble import RequestProblem


def understand(request: Request, site: Site, requester: str) -> Requirements:
    related = relate(request, catalogue())
    parts = tuple(_related(_understood(item, request, site), related[item.label]) for item in request.items)
    return Requirements(requester=requester, parts=stand(parts, related))


def _related(needs: Needs, found: Related) -> Needs:
    """With what it needs of the other items, and what of that cannot be."""
    return needs.model_copy(
        update={
            "uses": found.uses,
            "problems": (*needs.problems, *found.problems),
            "not_included": (*needs.not_included, *found.not_included),
        }
    )


def _understood(item: Item, request: Request, site: Site) -> Needs:
    able, facts = catalogue()[item.capability], facts_of(item, request, catalogue())
    platform = platform_of(facts, tuple(able.ON), site)
    stands = able.ON[platform]
    wishes = [one for one in request.wishes if one.item in ("", item.label)]
    granted = (Fact(name=one.kind, value="yes", quote=one.text) for one in wishes if one.kind in stands.grants)
    needs = stands.understand((*facts, *granted), site)
    left = (shorten(one.text) for one in wishes if one.kind not in stands.grants)
    not_included = tuple(dict.fromkeys((*needs.not_included, *left)))
    needs = needs.model_copy(update={"label": item.label, "not_included": not_included})
    return _where_it_is_kept(_where_it_can_stand(needs, facts, alone=len(request.items) == 1), site)


def _where_it_can_stand(needs: Needs, facts: Sequence[Fact], alone: bool) -> Needs:
    """With a problem when another platform was said than one that it can stand on."""
    said = next((fact.value for fact in facts if fact.name == "platform"), needs.platform)
    if said == needs.platform:
        return needs
    able = catalogue()[needs.capability]
    say = f"on {needs.platform}" if alone else f"{needs.label.replace('_', ' ')} on {needs.platform}"
    able_on = " or ".join(_title(name) for name in able.ON)
    problem = f"{able.TITLE} cannot be made on {_title(said)}, only on {able_on}. Say `{say}`, or ask for another service."
    return needs.refuse(problem, "platform")


def _where_it_is_kept(needs: Needs, site: Site) -> Needs:
    """With a problem when the site keeps the environment on a platform that the capability cannot stand on."""
    environment = needs.field("environment")
    kept_on = site.environment(str(environment.value)).platform if environment else ""
    if environment is None or kept_on in ("", needs.platform):
        return needs
    title = catalogue()[needs.capability].TITLE
    problem = (
        f"{title} is made on {_title(needs.platform)}, and this site keeps {environment.value} on {_title(kept_on)} alone. "
        "Say another environment."
    )
    return needs.refuse(problem, "environment")


def _title(platform: str) -> str:
    """A platform that is none of ours is named as it was said."""
    return next((one.TITLE for name, one in PLATFORMS.items() if name == platform), platform)


def footing(one: Needs | Part) -> Footing:
    """How the item's service stands on its platform."""
    return catalogue()[one.capability].ON[one.platform]


def platforms(requirements: Requirements) -> tuple[PlatformName, ...]:
    """Those that have to be looked at."""
    return tuple(sorted({needs.platform for needs in requirements.parts}))


def places_to_look(requirements: Requirements, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(regions, names) that a scan of a cloud should look at for these requirements."""
    able = [(footing(needs), needs) for needs in requirements.parts]
    regions = dict.fromkeys(region for one, needs in able for region in one.regions_of(needs, site))
    names = dict.fromkeys(name for one, needs in able for name in one.names_to_check(needs, site))
    return tuple(regions), tuple(names)


def settled_by_world(requirements: Requirements) -> frozenset[PlatformName]:
    """The platforms to look at before anything is asked."""
    return frozenset(n.platform for n in requirements.parts if footing(n).settled_by_world & {one.name for one in n.missing})


def settle(requirements: Requirements, situation: Situation) -> Requirements:
    """What is still missing, as the world that was looked at settles or suggests it."""
    seen = situation.snapshots
    parts = tuple(footing(n).settle(n, situation) if n.missing and n.platform in seen else n for n in requirements.parts)
    return requirements.model_copy(update={"parts": parts})


def offer(requirements: Requirements, situation: Situation, built: Manifest | None = None) -> Offer:
    """`built` is the manifest of the run that is to be changed: its parts stay where they are."""
    parts: list[PartOffer] = []
    so_far = situation
    for needs in requirements.parts:
        parts.append(_offer_part(needs, so_far, built))
        if len(parts) < len(requirements.parts):
            so_far = _with_the_best(needs, parts[-1], so_far, built)
    return Offer(requirements_digest=requirements.digest, snapshot_digests=situation.digests, parts=tuple(parts))


def _with_the_best(needs: Needs, offered: PartOffer, situation: Situation, built: Manifest | None) -> Situation:
    """What is offered next counts this part where it ranks first. Whatever is picked, the review counts what was composed."""
    if not offered.candidates:
        return situation
    try:
        part = _composed(needs, offered, Pick(label=needs.label, candidate=offered.candidates[0].id), situation, built)
    except RequestProblem:
        return situation  # Told when it is composed.
    return situation.beside(part, reserves(part))


def _composed(needs: Needs, offered: PartOffer, pick: Pick, situation: Situation, built: Manifest | None) -> Part:
    able, old = footing(needs), _built(built, needs, situation)
    part = able.compose(needs, offered, pick, situation).model_copy(update={"sums": candidate_of(offered, pick).sums})
    return with_own_secrets(able.keep(old, part) if old is not None and able.keep is not None else part, old)


def _recounted(needs: Needs, offered: PartOffer, pick: Pick, situation: Situation, built: Manifest | None) -> PartOffer:
    """The offer with the sums and reasons of what was picked made anew: it was made with numbers that were settled otherwise, or beside
    parts that were picked otherwise."""
    able, old = footing(needs), _built(built, needs, situation)
    was, settled = candidate_of(offered, pick), as_settled(needs, offered, pick)
    if able.recount is not None and (old is None or able.stay is None):
        found: tuple[Candidate, ...] = (able.recount(settled, was, situation),)
    else:
        found = _offer_part(settled, situation, built).candidates
    anew = next((one for one in found if one.id == was.id), was)
    return offered.model_copy(update={"candidates": tuple(anew if one is was else one for one in offered.candidates)})


def compose(
    requirements: Requirements,
    offer: Offer,
    proposal: Proposal,
    situation: Situation,
    parent_digest: str = "",
    built: Manifest | None = None,
) -> Manifest:
    """Raises RequestProblem when a part has no pick, or one that was not offered."""
    picks = {pick.label: pick for pick in proposal.picks}
    parts: list[Part] = []
    so_far, as_offered = situation, True
    for needs, part_offer in zip(requirements.parts, offer.parts, strict=True):
        if needs.label not in picks:
            raise RequestProblem("A part has no pick.", f"The proposal picks nothing for {needs.label}.", "Pick one candidate a part.")
        pick = picks[needs.label]
        as_offered = as_offered and not pick.settings
        chosen = part_offer if as_offered else _recounted(needs, part_offer, pick, so_far, built)
        part = _composed(needs, chosen, pick, so_far, built)
        as_offered = as_offered and part_offer.candidates[0].id == pick.candidate
        parts.append(part)
        so_far = so_far.beside(part, reserves(part))
    return Manifest(
        requester=requirements.requester,
        made_by=proposal.made_by,
        parts=registering((_told_of(part, parts) for part in watch(parts, situation.monitors, situation.unwatched)), situation.site),
        snapshot_digests=situation.digests,
        parent_digest=parent_digest,
        certificate=certify(parts, situation),
        taken_back=_taken_back(built, parts) if built else (),
    )


def _taken_back(built: Manifest, parts: Sequence[Part]) -> tuple[Part, ...]:
    """What was built and is not wanted any more, after those that needed it and stay."""
    stay = {part.label for part in parts}
    return tuple(
        part.model_copy(update={"let_go_by": tuple(one.label for one in built.parts if part.label in one.after and one.label in stay)})
        for part in built.parts
        if part.label not in stay
    )


def _told_of(part: Part, others: Sequence[Part]) -> Part:
    """After those that it uses, and with their endpoints: each of its machines is told them, and tries whether it reaches them."""
    used = [one for one in others if one.label in part.needs.uses]
    told = [one for one in used if one.endpoints and part.every_machine]
    return (
        PLATFORMS[part.platform]
        .joined(part, told)
        .model_copy(
            update={
                "after": (*part.after, *(one.label for one in used)),
                "uses": tuple(one.label for one in told),
                "commands": (
                    *part.commands,
                    *(reaches(m.name, one.label, end) for one in told for end in one.endpoints[:1] for m in part.every_machine),
                ),
            }
        )
    )


def review(manifest: Manifest, situation: Situation) -> Review:
    findings: list[Finding] = []
    passed: list[str] = []
    for part in manifest.parts:
        found, held = footing(part).review(part, situation)
        findings.extend(found)
        passed.extend(held)
        situation = situation.beside(part, reserves(part))
    order = list(Severity)
    # What is so of a whole cluster is said once, by the part that counts the others too; an error is said of each part that has it.
    whole = {(f.check, f.kind): f for f in findings if f.subject == THE_CLUSTER and f.severity is not Severity.ERROR}
    told = (f for f in findings if whole.get((f.check, f.kind), f) is f)
    return Review(
        manifest_digest=manifest.digest,
        findings=tuple(sorted(told, key=lambda f: (order.index(f.severity), f.part, f.check, f.subject))),
        passed=tuple(sorted(passed)),
    )


def reserves(part: Part) -> Reserved:
    """What a part will take of its platform until a snapshot shows it."""
    return PLATFORMS[part.platform].reserves(part)


def made(part: Part) -> Reserved:
    """What exists of it, and whose load no history knows yet. A template does not run."""
    if becomes_template(part):
        return Reserved()
    return Reserved(machines=tuple(one.model_copy(update={"made": True}) for one in reserves(part).machines))


def together(several: Iterable[Reserved]) -> Reserved:
    total = Reserved()
    for one in several:
        total = total.plus(one)
    return total


def _offer_part(needs: Needs, situation: Situation, built: Manifest | None) -> PartOffer:
    able, old = footing(needs), _built(built, needs, situation)
    return able.stay(old, needs, situation) if old is not None and able.stay is not None else able.offer(needs, situation)


def _built(built: Manifest | None, needs: Needs, situation: Situation) -> Part | None:
    """The part that the item has been already, where it is now; another kind of thing of the same label is none."""
    item = (needs.label, needs.capability, needs.platform)
    part = next((p for p in built.parts if (p.label, p.capability, p.platform) == item), None) if built else None
    return where_now(part, situation.cluster) if part is not None and part.machines else part
