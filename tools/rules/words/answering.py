"""Questions and their answers: what a question is about, by words that are data (texts/questions.toml), and what the values at hand say to
it, in a few lines (texts/answers.md.j2). Nothing is looked up here, and no answer is a plan."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from tools.rules.machines.capacity import Room, cpu_sum, memory_sum, storage_sum
from tools.rules.machines.firewall import Firewall, spell_seen
from tools.rules.machines.losing import losses
from tools.rules.machines.watching import is_reached
from tools.rules.names.text import fold
from tools.rules.plans.card import card_of
from tools.rules.plans.difference import Turn
from tools.values.effects import Tell
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer, Sum
from tools.values.plan import Approval, Estimate, Plan
from tools.values.request import Doubt
from tools.values.requirements import Needs, Origin
from tools.values.review import Review
from tools.values.run import Run
from tools.values.snapshot import ClusterSnapshot, Guest, Node
from tools.values.spending import Spending

Topic = Literal[
    "cost",
    "spend",
    "time",
    "approved",
    "built",
    "runs_on",
    "open",
    "room",
    "left",
    "where",
    "size",
    "place",
    "more",
    "left_out",
    "loss",
    "what_if",
    "log_in",
    "networks",
    "approvers",
    "backup",
    "cheaper",
    "later",
    "restart",
    "",
]
SHOWN_MAX = 4
"""Of many things, those that an answer names; the rest are counted."""


@dataclass(frozen=True)
class Past:
    """A run with all that is known of it."""

    run: Run
    plan: Plan
    manifest: Manifest
    approvals: tuple[Approval, ...] = ()

    @property
    def began(self) -> datetime:
        return min((step.started_at for step in self.run.steps if step.started_at), default=self.plan.made_at)

    @property
    def seconds(self) -> float:
        """From its first step to the end of its last; 0 when it was never at an end."""
        ended = [step.ended_at for step in self.run.steps if step.ended_at]
        return (max(ended) - self.began).total_seconds() if ended and self.run.status in ("done", "removed") else 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Of its machines; of what else it made where it made none."""
        parts = self.manifest.parts
        return tuple(machine.name for part in parts for machine in part.machines) or tuple(part.resources[0].name for part in parts)

    @property
    def addresses(self) -> dict[str, str]:
        """Of its machines, by name, as they answered."""
        parts = self.run.receipt.parts if self.run.receipt else ()
        return {machine.name: machine.address for part in parts for machine in part.machines}

    @property
    def places(self) -> tuple[str, ...]:
        parts = self.manifest.parts
        on = [machine.node for part in parts for machine in part.machines] + [part.cloud.region for part in parts if part.cloud]
        return tuple(dict.fromkeys(on))


@dataclass(frozen=True)
class Priced:
    """What is asked about, as it would be: never kept, and never a plan."""

    manifest: Manifest
    estimate: Estimate
    turns: tuple[Turn, ...] = ()
    """What would be different from what is on the screen."""
    supposed: tuple[str, ...] = ()
    """What was not said and had to be supposed to price it."""


def topic_of(text: str) -> Topic:
    """Empty: no word of it says."""
    folded = fold(text)
    found = [(len(phrase), topic) for topic, phrase, pattern in _phrases() if pattern.search(folded)]
    return cast(Topic, max(found, key=lambda one: one[0])[1]) if found else ""


def without_question(text: str, topic: Topic) -> str:
    """What a question is about, without the words that ask: `8 GB` of `what would 8 GB cost?`."""
    rest = fold(text)
    for one, _, pattern in _phrases():
        rest = pattern.sub(" ", rest) if one == topic else rest
    return " ".join(re.sub(r"[?!.]|\b(?:what|how|much|would|will|does|do|did|is|it|that|this|be)\b", " ", rest).split())


@cache
def _phrases() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    text = files("tools.rules.words").joinpath("texts", "questions.toml").read_text("utf-8")
    return tuple(
        (topic, phrase, re.compile(rf"\b{re.escape(fold(phrase)).replace('…', '.{0,60}?')}\b"))
        for topic, languages in tomllib.loads(text).items()
        for phrases in languages.values()
        for phrase in phrases
    )


# Answers from what is asked for.


def cost(manifest: Manifest, plan_estimate: Estimate) -> Tell:
    return Tell("answers.cost", (manifest, plan_estimate))


def spend(found: Spending) -> Tell:
    return Tell("answers.spend", (found,))


def priced(each: Sequence[Priced]) -> Tell:
    return Tell("answers.priced", (each,))


def nothing_would_fit(offer: Offer) -> Tell:
    return Tell("answers.nothing_would_fit", (offer,))


def place(manifest: Manifest, offer: Offer | None) -> Tell:
    """With the next best of each part."""
    parts = {part.label: part for part in offer.parts} if offer else {}
    others = [
        next((one for one in parts[part.label].candidates if one.id != part.candidate), None) if part.label in parts else None
        for part in manifest.parts
    ]
    return Tell("answers.place", (tuple(zip(manifest.parts, others, strict=True)),))


def size(text: str, needed: Sequence[Needs], parts: Sequence[Part] = ()) -> Tell:
    """Where each figure comes from, those that the question names first. Without parts nothing is planned yet."""
    asked, made = set(re.findall(r"\w{3,}", fold(text))), {part.label: part for part in parts}
    told = []
    for needs in needed:
        figures = [one for one in needs.fields if _is_figure(one.value, one.origin)]
        figures.sort(key=lambda one: -len(asked & set(one.name.split("_"))))
        told.append((needs, made.get(needs.label), tuple(figures)))
    return Tell("answers.size", (tuple(told),))


def _is_figure(value: object, origin: Origin) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and origin is not Origin.DEFAULT


def left_out(plan: Plan, manifest: Manifest, review: Review, not_included: Iterable[str]) -> Tell:
    return Tell("answers.left_out", (card_of(plan, manifest, review, not_included),))


def more(text: str, manifest: Manifest, offer: Offer | None) -> Tell:
    """What was not taken, and why; what the question names comes first."""
    asked = set(re.findall(r"\w{3,}", fold(text)))
    parts = offer.parts if offer else ()
    excluded = [one for part in parts for one in part.exclusions]
    excluded.sort(key=lambda one: -len(asked & _words(f"{one.subject} {one.reason}")))
    return Tell("answers.more", (manifest, excluded[:SHOWN_MAX]))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", fold(text)))


def approvers(plan: Plan, given: Sequence[Approval]) -> Tell:
    """`given`: by whom it is approved already."""
    return Tell("answers.approvers", (plan, tuple(one.role for one in given)))


def backup(needed: Sequence[Needs]) -> Tell:
    """Of each part the folder that it is told to keep backups in, if it makes any."""
    return Tell("answers.backup", (tuple((needs.label, needs.text("backup_folder")) for needs in needed),))


def cheaper(needed: Sequence[Needs], saved: Estimate | None) -> Tell:
    """What is assumed and may be less, with its range; and what the prices themselves would save."""
    assumed = [(needs, field) for needs in needed for field in needs.fields if field.origin is Origin.ASSUMED]
    figures = [(needs, field) for needs, field in assumed if _is_figure(field.value, field.origin) and field.low is not None]
    less = [(needs, field) for needs, field in figures if (field.low or 0) < needs.number(field.name)]
    return Tell("answers.cheaper", (tuple(less), saved.savings if saved else ()))


def later() -> Tell:
    """How what is made is changed or removed."""
    return Tell("answers.later", ())


def restart(plan: Plan, manifest: Manifest, review: Review) -> Tell:
    """Which machines the plan on offer restarts."""
    return Tell("answers.restart", (card_of(plan, manifest, review, ()).restarted,))


def of_which(doubts: Sequence[Doubt]) -> Tell:
    """What the question is about may be one thing or another."""
    return Tell("answers.of_which", (tuple(one.text for doubt in doubts for one in doubt.readings),))


def restart_later() -> Tell:
    """Where no plan is on offer."""
    return Tell("answers.restart_later", ())


def cannot_say() -> Tell:
    """With questions that would be answered."""
    return Tell("answers.cannot_say", ())


def log_in(kept: tuple[Plan, Manifest] | None, stands: bool) -> Tell:
    """`stands`: what was planned is made."""
    names = [machine.name for part in kept[1].parts if is_reached(part) for machine in part.every_machine] if kept else []
    return Tell("answers.log_in", (kept[0].run_id if kept else "", names[:SHOWN_MAX], stands))


def what_it_is(title: str, summary: str, example: str) -> Tell:
    """Of a service, as its folder tells it."""
    return Tell("answers.what_it_is", (title, summary, example))


def what_it_means(name: str, meaning: str, question: str) -> Tell:
    """Of a fact that may be asked for."""
    return Tell("answers.what_it_means", (name, meaning, question))


def asks_what(text: str) -> bool:
    """`what is a web tier?`"""
    return bool(re.match(r"\W*(?:what(?:'s| is| are| does| do)|what s|explain|was ist|was sind|qu'est|qué es|nedir)\b", fold(text)))


# Answers from what was done.


def time(like: Sequence[Past]) -> Tell:
    """`like`: runs of the same kinds of parts."""
    return Tell("answers.time", (sorted(past.seconds for past in like if past.seconds),))


def alike(past: Sequence[Past], manifest: Manifest | None) -> tuple[Past, ...]:
    """Runs of the same kinds of things; of anything, where nothing is asked for."""
    kinds = {part.capability for part in manifest.parts} if manifest else set()
    return tuple(one for one in past if not kinds or {part.capability for part in one.manifest.parts} == kinds)


def approved(text: str, past: Sequence[Past]) -> Tell:
    """Of the run or machine that the question names; else of the last one."""
    named = [one for one in past if any(name in fold(text) for name in (one.run.id, *map(fold, one.names)))]
    return Tell("answers.approved", ((named or list(past))[-1:],))


def built(text: str, past: Sequence[Past], conversation: str, requester: str, today: date) -> Tell:
    """Of the days and the people that the question names."""
    folded = fold(text)
    first, last = _days(folded, today)
    chosen = [one for one in past if first <= one.began.date() <= last]
    if re.search(r"\b(?:here|this conversation)\b", folded):
        chosen = [one for one in chosen if one.plan.conversation == conversation]
    elif re.search(r"\b(?:i|me|my|mine)\b", folded):
        chosen = [one for one in chosen if one.plan.requester == requester]
    return Tell("answers.built", (chosen[-SHOWN_MAX:], max(0, len(chosen) - SHOWN_MAX)))


def _days(folded: str, today: date) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    for words, first, last in (
        (r"yesterday|gestern|hier|ayer|dün", yesterday, yesterday),
        (r"today|heute|aujourd'hui|hoy|bugün", today, today),
        (r"week|woche|semaine|semana|hafta", today - timedelta(days=7), today),
        (r"month|monat|mois|mes|ay", today - timedelta(days=31), today),
    ):
        if re.search(rf"\b(?:{words})\b", folded):
            return first, last
    return date.min, date.max


def where(standing: Sequence[Past]) -> Tell:
    return Tell("answers.where", (standing[-SHOWN_MAX:],))


# Answers from what a cluster shows.


def runs_on(text: str, seen: ClusterSnapshot) -> Tell:
    nodes = named_nodes(text, seen)
    told = tuple((node, tuple(guest for guest in seen.guests if guest.node == node.name and guest.running)) for node in nodes)
    return Tell("answers.runs_on", (told,))


def named_guests(text: str, seen: ClusterSnapshot, ours: Iterable[str]) -> tuple[Guest, ...]:
    """Those that the question names; else `ours`."""
    folded, mine = fold(text), frozenset(ours)
    named = tuple(one for one in seen.guests if re.search(rf"(?<![\w-]){re.escape(fold(one.name))}(?![\w-])", folded))
    return (named or tuple(one for one in seen.guests if one.name in mine))[:SHOWN_MAX]


def opened(found: Sequence[tuple[Guest, Firewall]], seen: ClusterSnapshot) -> Tell:
    """What comes in by their firewalls, as they are now."""
    return Tell("answers.opened", (tuple((guest, firewall, spell_seen(firewall)) for guest, firewall in found), seen.firewall_on))


def left(text: str, room: Room) -> Tell:
    """What may still be taken of each node that the question names, or of each that is online."""
    told = []
    for node in named_nodes(text, room.snapshot):
        stores = [s for s in room.snapshot.storages if s.node == node.name and s.active and "images" in s.content]
        sums = (memory_sum(room, node), cpu_sum(room, node), *(storage_sum(room, one) for one in stores))
        told.append((node, tuple((_what(one, node), one.scaled.unit, max(0.0, one.scaled.limit - one.scaled.total)) for one in sums)))
    return Tell("answers.left", (tuple(told),))


def _what(one: Sum, node: Node) -> str:
    """`memory` of `memory of pve2`."""
    return re.sub(rf" (?:of|on) {re.escape(node.name)}$", "", one.subject)


def loss(room: Room) -> Tell:
    """Of each node, who would find no place; nothing where there is one node only."""
    return Tell("answers.loss", (losses(room),))


def networks(seen: ClusterSnapshot) -> Tell:
    return Tell("answers.networks", (tuple(dict.fromkeys(one.name for one in seen.networks)),))


def room_for(count: int, offer: Offer) -> Tell:
    return Tell("answers.room_for", (count, offer))


def named_nodes(text: str, seen: ClusterSnapshot) -> tuple[Node, ...]:
    """All that are online, where none is named."""
    folded = fold(text)
    named = tuple(node for node in seen.nodes if re.search(rf"\b{re.escape(fold(node.name))}\b", folded))
    return named or tuple(node for node in seen.nodes if node.online)


_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "another": 1}


def count_in(text: str) -> int:
    """`two more`; one where the question names no number."""
    words = re.findall(r"\w+", fold(text))
    return next((int(word) if word.isdecimal() else _COUNTS[word] for word in words if word.isdecimal() or word in _COUNTS), 1)
