"""Looks up what a question is about: runs and approvals in the ledger, the cluster as it is now, and what something would cost. What is
said of it is tools.rules.words.answering's; nothing is planned, promised or kept."""

from __future__ import annotations

from datetime import date
from typing import cast

from tools.capabilities import catalogue, chain, summary
from tools.ledger.plans import Kept
from tools.pipeline import carry_out
from tools.pipeline.drafting import scan_all, situation
from tools.pipeline.platforms import connected, scan
from tools.pipeline.platforms.proxmox.firewalls import firewalls
from tools.pipeline.spending import spending
from tools.pipeline.world import World
from tools.platforms import estimate
from tools.rules.hearing import reading
from tools.rules.hearing.layout.cleaning import clean, spaced
from tools.rules.hearing.scene import Scene
from tools.rules.machines.capacity import Room
from tools.rules.plans.difference import difference
from tools.rules.plans.picking import pick_by_rule
from tools.rules.request.editing import apply
from tools.rules.words import answering, telling
from tools.rules.words.answering import Priced
from tools.rules.words.drafts import ungranted
from tools.values.conversation import Conversation, Phase
from tools.values.effects import Answer, Tell
from tools.values.manifest import Manifest
from tools.values.offer import Offer
from tools.values.request import Edit, Edits, Request
from tools.values.requirements import Field, Needs, Requirements
from tools.values.shapes import Unreadable
from tools.values.snapshot import ClusterSnapshot, PlatformName
from tools.values.trouble import RequestProblem, Trouble

PAST_MAX = 200
"""Runs that an answer looks back on."""
SUPPOSED = ("choice", "network", "public_key", "region")
"""Kinds of facts that may be supposed to price something: sizes are asked for."""


def suppose(text: str, heard: Edits, request: Request, today: date) -> Edits:
    """With what a question of a price supposes of what is asked for so far: `what would 8 GB cost?`"""
    if not heard.asks or heard.edits or heard.doubts or not request.items or answering.topic_of(text) != "cost":
        return heard
    rest = answering.without_question(text, "cost")
    meant = reading.read(f"make it {rest}", request, catalogue(), (), today) if rest else heard
    return heard.model_copy(update={"edits": meant.edits, "doubts": meant.doubts})


def _counted(fields: tuple[Field, ...], count: int) -> tuple[Field, ...]:
    """So many of it, and none by the name that one has."""
    return tuple(one.model_copy(update={"value": count}) if one.name == "count" else one for one in fields if one.name != "name")


class Answering:
    """Of one question."""

    def __init__(self, world: World, name: str, now: Conversation, question: Answer) -> None:
        self.world = world
        self.name = name
        self.now = now
        self.text = question.text
        self.edits = question.edits
        self.kept = self._kept()

    def answer(self) -> Tell:
        """Raises Trouble when what it needs cannot be seen."""
        match answering.topic_of(self.text):
            case "time":
                return answering.time(answering.alike(carry_out.past(self.world, PAST_MAX), self.manifest))
            case "spend":
                return answering.spend(spending(self.world))
            case "approved":
                return answering.approved(self.text, carry_out.past(self.world, PAST_MAX))
            case "built":
                return answering.built(
                    self.text, carry_out.past(self.world, PAST_MAX), self.name, self.world.settings.operator, self.world.now().date()
                )
            case "where":
                return self._where()
            case "runs_on":
                return answering.runs_on(self.text, self._cluster())
            case "open":
                return self._opened()
            case "left":
                return answering.left(self.text, self._room())
            case "loss":
                return answering.loss(self._room())
            case "room":
                return self._room_for() if self.now.requirements else answering.left(self.text, self._room())
            case "size" if self.kept:
                parts = self.kept.manifest.parts
                return answering.size(self.text, [part.needs for part in parts], parts)
            case "size" if self.now.requirements:
                return answering.size(self.text, self.now.requirements.parts)
            case "approvers" if self.kept and self.now.plan_digest:
                given = self.world.ledger.plans.approvals(self.kept.plan.digest)
                return answering.approvers(self.kept.plan, given)
            case "backup" if self._needed():
                return answering.backup(self._needed())
            case "cheaper" if self._needed():
                return answering.cheaper(self._needed(), self.kept.plan.estimate if self.kept else None)
            case "restart" if self.kept and self.now.plan_digest:
                return answering.restart(self.kept.plan, self.kept.manifest, self.kept.review)
            case "restart" if not self.edits.edits:
                return answering.restart_later()
            case "later":
                return answering.later()
            case "log_in":
                return answering.log_in((self.kept.plan, self.kept.manifest) if self.kept else None, self.now.phase is Phase.DONE)
            case "networks":
                return answering.networks(self._cluster())
            case "more" if self.kept:
                return answering.more(self.text, self.kept.manifest, self.offer)
            case "left_out" if self.kept:
                wishes = (*(wish.text for wish in ungranted(self.now)), *self.now.not_used)
                return answering.left_out(self.kept.plan, self.kept.manifest, self.kept.review, wishes)
            case "place" if self.kept:
                return answering.place(self.kept.manifest, self.offer)
            case "" if answering.asks_what(self.text) and (told := self._what()):
                return told
            case topic:
                return self._priced_or_placed(topic)

    def _needed(self) -> tuple[Needs, ...]:
        """Of what is planned or made; else of what is asked for so far."""
        if self.kept:
            return tuple(part.needs for part in self.kept.manifest.parts)
        return self.now.requirements.parts if self.now.requirements else ()

    @property
    def manifest(self) -> Manifest | None:
        return self.kept.manifest if self.kept else None

    @property
    def offer(self) -> Offer | None:
        return self.now.offer if self.kept and self.now.manifest == self.kept.manifest else None

    def _kept(self) -> Kept | None:
        """The plan on offer; else the one of the conversation's run."""
        ledger = self.world.ledger
        try:
            digest = self.now.plan_digest or (ledger.runs.row(self.now.run_id).plan_digest if self.now.run_id else None)
            return ledger.plans.kept(digest) if digest else None
        except (Unreadable, RequestProblem):
            return None

    def _where(self) -> Tell:
        standing = [one for one in carry_out.past(self.world, PAST_MAX) if one.run.status in ("done", "stopped", "running")]
        mine = [one for one in standing if one.run.id == self.now.run_id]
        if self.kept and self.now.plan_digest:
            return answering.place(self.kept.manifest, self.offer)
        return answering.where(mine or standing)

    def _cluster(self) -> ClusterSnapshot:
        """As it is now."""
        if "proxmox" not in connected(self.world.settings):
            raise RequestProblem("There is no cluster.", "No cluster is connected, so I cannot say what it runs.", "See .env.example.")
        return cast(ClusterSnapshot, scan(self.world, "proxmox"))

    def _opened(self) -> Tell:
        seen = self._cluster()
        ours = [machine.name for part in (self.kept.manifest.parts if self.kept else ()) for machine in part.machines]
        return answering.opened(firewalls(self.world.settings, answering.named_guests(self.text, seen, ours)), seen)

    def _room(self) -> Room:
        at = situation(self.world, {"proxmox": self._cluster()})
        needs = self.now.requirements.parts if self.now.requirements else ()
        return Room.of(at.cluster, at.site.environment(next((one.text("environment") for one in needs), "")), at.reserved)

    def _room_for(self) -> Tell:
        """As many more of what is asked for, beside all that is there and promised."""
        required = self.now.requirements
        assert required is not None
        count = answering.count_in(self.text) if any(part.field("count") for part in required.parts) else 1
        parts = tuple(part.model_copy(update={"fields": _counted(part.fields, count)}) for part in required.parts)
        wanted = required.model_copy(update={"parts": parts})
        return answering.room_for(count, chain.offer(wanted, situation(self.world, scan_all(self.world, wanted))))

    # What something would cost.

    def _priced_or_placed(self, topic: str) -> Tell:
        edits = self.edits
        if topic == "cost" and not edits.edits and any(doubt.readings for doubt in edits.doubts):
            return answering.of_which(edits.doubts)
        if edits.edits and (topic in ("cost", "what_if") or self.kept is None):
            return self._priced(edits)
        if self.kept is None:
            return self._without_plan(topic)
        if topic == "cost":
            return answering.cost(self.kept.manifest, self.kept.plan.estimate)
        return answering.place(self.kept.manifest, self.offer) if topic or self._names_a_node() else answering.cannot_say()

    def _without_plan(self, topic: str) -> Tell:
        """What is asked for is priced as it is so far; else it is told what is still to be said."""
        if not topic:
            return answering.cannot_say()
        if topic == "cost" and self.now.request.items:
            found = self._price(self.now.request, self._built())
            return answering.priced([found]) if isinstance(found, Priced) else found
        needed = self.now.requirements
        return telling.too_little_known(needed) if needed and needed.parts and not needed.complete else telling.NO_PLAN

    def _names_a_node(self) -> bool:
        seen = (self.now.snapshots or {}).get("proxmox")
        return isinstance(seen, ClusterSnapshot) and any(node.name in self.text.lower() for node in seen.nodes)

    def _what(self) -> Tell | None:
        """Of a service, or of a fact that it asks for: `what is a web tier?`, `what is a virtual address?`"""
        able = catalogue()
        scene = Scene.of(self.text, spaced(clean(self.text)), able)
        named = [mark.names("service")[0] for mark in scene.mentions if not mark.names("body")]
        if named:
            one = able[named[0]]
            return answering.what_it_is(one.TITLE, summary(one.NAME), one.EXAMPLES[0])
        ours = [item.capability for item in self.now.request.items]
        for mark in scene.marks:
            for capability in dict.fromkeys((*ours, *able)):
                fact = next((one for one in able[capability].WANTED if one.name in mark.facts(capability)), None)
                if fact:
                    return answering.what_it_means(fact.name, fact.meaning, fact.question)
        return None

    def _priced(self, edits: Edits) -> Tell:
        """What is on the screen with these edits; what is asked about alone, wherever it could stand, when it is new."""
        anew = any(edit.do in ("add", "copy") for edit in edits.edits)
        request, _ = apply(Request() if anew else self.now.request, edits, catalogue())
        if not request.items:
            return telling.NO_PLAN
        said = {fact.name for item in request.items for fact in item.facts} | {fact.name for fact in request.shared}
        able = catalogue()[request.items[0].capability].ON
        platforms = [one for one in able if one in connected(self.world.settings)]
        each: list[Priced] = []
        told: Tell | None = None
        for platform in platforms if anew and len(request.items) == 1 and "platform" not in said else platforms[:1]:
            there = self._on(request, platform) if anew and len(platforms) > 1 and "platform" not in said else request
            found = self._price(there, None if anew else self._built())
            if isinstance(found, Priced):
                each.append(found)
            else:
                told = told or found
        return answering.priced(each) if each else told or telling.NO_PLAN

    def _on(self, request: Request, platform: PlatformName) -> Request:
        edit = Edit(do="set", item=request.items[0].label, name="platform", value=platform, quote=platform)
        return apply(request, Edits(edits=(edit,)), catalogue())[0]

    def _built(self) -> Manifest | None:
        """What this conversation's run has made: its names and its room are its own."""
        run_id = self.now.run_id
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(run_id).plan_digest).manifest if run_id else None

    def _price(self, request: Request, built: Manifest | None) -> Priced | Tell:
        required, supposed = self._suppose(request)
        if not required.complete:
            return telling.too_little_known(required)
        at = situation(self.world, scan_all(self.world, required, built.parts if built else ()), self.now.parent_digest)
        offer = chain.offer(required, at, built)
        proposal = pick_by_rule(offer) if all(part.candidates for part in offer.parts) else None
        if proposal is None:
            return answering.nothing_would_fit(offer)
        manifest = chain.compose(required, offer, proposal, at, built=built)
        would = estimate(manifest.parts, at)
        before = self.now.manifest
        same = before is not None and [part.label for part in before.parts] == [part.label for part in manifest.parts]
        turns = difference(before, manifest, (estimate(before.parts, at), would)) if before is not None and same else ()
        return Priced(manifest, would, turns, supposed)

    def _suppose(self, request: Request) -> tuple[Requirements, tuple[str, ...]]:
        """With what has to be said before a plan, but does not change what it costs by much: as suggested, or as a cluster has it."""
        world, supposed = self.world, []
        required = chain.understand(request, world.site, world.settings.operator)
        wanted = {one.name: one for item in request.items for one in catalogue()[item.capability].WANTED}
        for part in required.parts:
            for missing in part.missing:
                kind = wanted[missing.name].kind if missing.name in wanted else ""
                if kind not in SUPPOSED or not missing.suggestions:
                    continue
                value = self._network() if kind == "network" else missing.suggestions[-1 if kind == "public_key" else 0]
                heard = reading.read(value, request, catalogue(), ((part.label, missing.name),), world.now().date())
                answers = tuple(edit for edit in heard.edits if edit.name == missing.name)
                request = apply(request, Edits(edits=answers), catalogue())[0]
                if answers and kind != "public_key":
                    supposed.append(value)
        return chain.understand(request, world.site, world.settings.operator), tuple(dict.fromkeys(supposed))

    def _network(self) -> str:
        try:
            networks = self._cluster().networks
        except Trouble:
            networks = ()
        tagged = next((one for one in networks if one.vlan_tag is not None), None) or next(iter(networks), None)
        return f"network {tagged.vlan_tag if tagged.vlan_tag is not None else tagged.bridge}" if tagged else "network vmbr0"
