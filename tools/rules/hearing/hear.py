"""Hears what a message asks for: capabilities, and facts with the very words that say so. It understands nothing and asks nothing.

It is the offline model's brain. It knows only the words that
capabilities declare (WORDS and WANTED), so a new capability is heard without a change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tools.rules.hearing import quantities, readers
from tools.rules.hearing.readers.answers import bare, pieces
from tools.rules.hearing.readers.choices import NO, YES, own_choice
from tools.rules.hearing.readers.keys import take_keys
from tools.rules.hearing.readers.names import take_names
from tools.rules.hearing.readers.numbers import plain, take_relative
from tools.rules.hearing.readers.stretch import QUANTITIES_MAX, Stretch
from tools.rules.hearing.wording import Span, find, has, negated
from tools.rules.names import regions as azure_regions
from tools.rules.names.text import fold
from tools.values.request import Fact, Item, Request
from tools.values.wanted import Listed, Wanted

TEXT_LENGTH_MAX = 16_384
"""Characters of a message that are listened to. A request for infrastructure is a few sentences."""
BODY_WORDS = ("vm", "virtual machine", "machine", "server", "box", "host")
"""Words for what a service runs on: `a database on a VM` asks for a database, not for two things."""
SHARED_KINDS = ("choice", "network", "public_key", "region")
"""Said once, meant for everything asked for in the same message."""
SHARED_NAMES = ("team",)
"""As well, whatever their kind."""
FAR_KINDS = ("count", "yes_no")
"""Request also among the words about another thing, when that one wants nothing of the name: `Databricks and Azure OpenAI, 1-4 workers`."""


class Mention(NamedTuple):
    capability: str
    span: Span
    body: bool
    """By a word for what it runs on."""


def hear(text: str, wanted: Mapping[str, Listed], so_far: Request, asked: tuple[tuple[str, str], ...] = ()) -> Request:
    """What this message says. Without a capability in it, it is about what was asked for so far; `asked` are the (capability, fact)
    that the operator was just asked for, so that `100` is an answer."""
    whole = Stretch(text[:TEXT_LENGTH_MAX])
    groups = _asked_for(whole, wanted, so_far)
    if groups:
        before = {item.capability: item.facts for item in so_far.items}
        heard = [(name, _read(stretch, wanted[name], before.get(name, ()))) for name, stretch in groups]
        facts = _share(heard, wanted)
        _hear_afar(groups, facts, wanted)
    else:
        known = [item for item in so_far.items if item.capability in wanted]
        facts = {item.capability: _read(Stretch(whole.text), wanted[item.capability], item.facts) for item in known}
        facts = _only_asked(facts, asked)
    new = {name for name, _ in groups} - {item.capability for item in so_far.items}
    if not new:
        _answer(whole, facts, wanted, asked)
    return _as_request({name: found for name, found in facts.items() if found or groups})


def merge(so_far: Request, new: Request) -> Request:
    """Later facts win over earlier ones of the same name; what is asked for anew is added."""
    asks = {item.capability: {fact.name: fact for fact in item.facts} for item in so_far.items}
    for item in new.items:
        asks.setdefault(item.capability, {}).update({fact.name: fact for fact in item.facts})
    return _as_request(asks)


def _as_request(facts: Mapping[str, Mapping[str, Fact]]) -> Request:
    """One item a capability, called as it."""
    return Request(items=tuple(Item(capability=name, label=name, facts=tuple(found.values())) for name, found in facts.items()))


def supports(one: Wanted, fact: Fact) -> bool:
    """Whether the quote says the value: the same number or size, a word that means the choice, the name itself."""
    value, quote = fold(fact.value), fold(fact.quote)
    numbers = {n.value for n in quantities.numbers(quote)}
    bare = quantities.count(value)
    match one.kind:
        case "count":
            return bare is not None and bare in numbers if bare is not None else value in quote
        case "memory" | "disk" | "volume":
            size = quantities.size_bytes(value)
            sizes = {s.size_bytes for s in quantities.sizes(quote)}
            return size in sizes if sizes else size is None and bare in numbers
        case "money":
            amount = quantities.money(value)
            return amount in {a.money for a in quantities.sums(quote)} if amount else bare is not None and bare in numbers
        case "choice":
            words = next((words for choice, words in one.choices if choice == fact.value), None)
            return words is not None and any(not negated(quote, span) for span in find({fact.value, *words}, quote))
        case "region":
            regions = azure_regions.named(quote)
            return regions == azure_regions.named(value) if regions else " ".join(value.split()) in " ".join(quote.split())
        case "yes_no":
            return _polarity(one, quote) == value
        case "public_key" if value == "no key":
            return has(("no", "none", "no key", "without", "no ssh key", "no public key"), quote)
        case "public_key":
            return fact.value.split() == fact.quote.split()
        case _:
            return bool(value.strip()) and " ".join(value.split()) in " ".join(quote.split())


def _polarity(one: Wanted, quote: str) -> str:
    stretch = Stretch(quote)
    readers.read(stretch, [one], ())
    if one.name in stretch.found:
        return stretch.found[one.name].value
    return "yes" if has(YES, quote) else "no" if has(NO, quote) else ""


def _asked_for(whole: Stretch, wanted: Mapping[str, Listed], so_far: Request) -> list[tuple[str, Stretch]]:
    """Each capability asked for, with the stretch of the message that is about it."""
    groups: list[tuple[str, int, bool]] = []
    mentions = _mentions(whole, wanted, so_far)
    known = [item.capability for item in so_far.items if item.capability in wanted]
    mentions = [
        mention
        for number, mention in enumerate(mentions)
        if not _is_their_environment(whole.folded, mention, [*known, *(m.capability for m in mentions[:number])], wanted)
    ]
    for number, mention in enumerate(mentions):
        previous = mentions[number - 1].span.end if number else 0
        between = whole.folded[previous : mention.span.start]
        if not groups:
            groups.append((mention.capability, 0, mention.body))
            continue
        _, start, body = groups[-1]
        boundary = _boundary(between, mention.body)
        if mention.capability in {group[0] for group in groups}:
            continue
        if boundary is None:
            # `a VM for PostgreSQL`: the service is what is asked for.
            if body and not mention.body:
                groups[-1] = (mention.capability, start, False)
        else:
            groups.append((mention.capability, previous + boundary, mention.body))
    starts = [start for _, start, _ in groups]
    ends = [*starts[1:], len(whole.text)][: len(groups)]
    return [(group[0], Stretch(whole.text[start:end])) for group, start, end in zip(groups, starts, ends, strict=True)]


_JOINS = re.compile(
    r"(?<![a-z])(?:and|plus|also|as well as|with)(?![a-z])|[,;!?\n&+]|\.(?:\s|$)|(?<![a-z])(?:ve|ile)(?![a-z])|和|与|、|，|。"
)
_LEANS = re.compile(r"(?<![a-z])(?:on|onto|in|inside|into|as|for|behind|to|by|running|from|under|like|of|our|my|this|that|the)(?![a-z])")
_ANOTHER = re.compile(
    r"(?<![a-z])(?:a|an|another|one|two|three|four|five|six|ten|some|extra|separate|additional|\d+)(?:\s+[\w.-]+){0,3}\s*$"
)


_INTRODUCED = re.compile(
    r"(?:(?<![a-z])(?:(?:a|an|another|one|two|three|four|five|six|ten|some|extra|separate|additional|\d{1,4}|bir|iki|üç)"
    r"(?:\s+(?!users?\s)[a-z-]{2,15})?|my|create|make|need|want|add|also|build|set up|deploy|provision|plus|as well as)"
    r"|[一二两三四五六七八九十\d]\s?[个台套])\s*$"
)
_INTRODUCTION_LENGTH = 40


def _is_their_environment(folded: str, mention: Mention, others: Sequence[str], wanted: Mapping[str, Listed]) -> bool:
    """`a database for 50 users, development environment, network 20`: when something else was asked for and no article or number
    makes it another thing, an environment that the other can be in is the one it is in."""
    part = folded[mention.span.start : mention.span.end]
    if not others or mention.capability in others or _names_several(part):
        return False
    if _INTRODUCED.search(folded[max(0, mention.span.start - _INTRODUCTION_LENGTH) : mention.span.start]):
        return False
    for one in (one for name in others for one in wanted[name].WANTED if one.kind == "choice"):
        hits = [(value, span) for value, words in one.choices for span in find({value, *words}, part)]
        for value, span in hits:
            rest = (part[: span.start] + part[span.end :]).strip()
            whole = any(found == Span(0, len(rest)) for found in find({one.name, *one.words}, rest))
            if whole and not _chosen_otherwise(folded[: mention.span.start], one, value):
                return True
    return False


def _chosen_otherwise(before: str, one: Wanted, value: str) -> bool:
    """`a web server for production and development environment`: it is in production already."""
    words = [word for other, several in one.choices if other != value for word in (other, *several)]
    return any(not negated(before, span) for span in find(words, before))


def _names_several(part: str) -> bool:
    """`and development environments` are things; an environment that something is in is one."""
    return part.isascii() and part.endswith("s")


def _boundary(between: str, body: bool) -> int | None:
    """Where the words about the next thing begin, None when it is only what the last one stands on: the nearest joining or
    leaning word before it decides."""
    joins = [match.start() for match in _JOINS.finditer(between)]
    leans = [match.start() for match in _LEANS.finditer(between)]
    if not joins or (leans and leans[-1] > joins[-1]):
        return None
    if body and (between[joins[-1]] in "," or not _ANOTHER.search(between)):
        return None
    return joins[-1]


def _mentions(whole: Stretch, wanted: Mapping[str, Listed], so_far: Request) -> list[Mention]:
    """Where capabilities are named, the longest words first; names and keys hide what they contain."""
    hidden = Stretch(whole.text)
    take_keys(hidden, [])
    take_names(hidden)
    hits = [
        Mention(name, span, has(BODY_WORDS, hidden.free[span.start : span.end]) and _is_only_body(hidden.free, span))
        for name, capability in wanted.items()
        for span in find(capability.WORDS, hidden.free)
    ]
    known = {item.capability for item in so_far.items}
    hits.sort(key=lambda m: (m.span.start - m.span.end, m.capability not in known, m.span.start, m.capability))
    taken: list[Mention] = []
    for hit in hits:
        if all(hit.span.end <= other.span.start or hit.span.start >= other.span.end for other in taken):
            taken.append(hit)
    return _not_denied(hidden.folded, sorted(taken, key=lambda m: m.span.start))


_DENIED_TOO = re.compile(r"\s+(?:(?:or|nor)\s+(?:(?:a|an|any|the)\s+)?)?")
"""Between two things that one `no` denies: `no database server`, `no web servers or databases`."""


def _not_denied(folded: str, mentions: list[Mention]) -> list[Mention]:
    """Judged when each has its place: in `no web servers` the shorter word `servers` asks for nothing either."""
    kept: list[Mention] = []
    denied: Mention | None = None
    for mention in mentions:
        beside = denied is not None and _DENIED_TOO.fullmatch(folded, denied.span.end, mention.span.start)
        if negated(folded, mention.span) or beside:
            denied = mention
        else:
            denied = None
            kept.append(mention)
    return kept


def _is_only_body(folded: str, span: Span) -> bool:
    return any(body == Span(0, span.end - span.start) for body in find(BODY_WORDS, folded[span.start : span.end]))


def _read(stretch: Stretch, capability: Listed, before: tuple[Fact, ...] = ()) -> dict[str, Fact]:
    own = Stretch(stretch.text)
    if before:
        take_relative(own)
    _take_versions(own, capability)
    readers.read(own, capability.WANTED, capability.WORDS)
    _correct(own, capability, before)
    _take_back(own, capability, before)
    return own.found


def _correct(stretch: Stretch, capability: Listed, before: tuple[Fact, ...]) -> None:
    """`not 100, 200` and `200 instead of 100`: the number that is refused says which fact is meant."""
    numbers = list(islice(quantities.numbers(stretch.free), QUANTITIES_MAX))
    refused = [n for n in numbers if negated(stretch.folded, Span(n.start, n.end))]
    instead = [n for n in numbers if n not in refused]
    counts = {one.name for one in capability.WANTED if one.kind == "count"}
    meant = [fact for fact in before if fact.name in counts and refused and quantities.count(fact.value) == refused[0].value]
    if len(refused) == len(instead) == len(meant) == 1 and meant[0].name not in stretch.found:
        stretch.say(meant[0].name, plain(instead[0].value), Span(instead[0].start, instead[0].end))


_VERSION = re.compile(r"\s+v?(\d[\d.]{0,10})(?![\w%-])(?!\s+(?:users|connections|cores|gb|gib|tb|vcpus?))")


def _take_versions(stretch: Stretch, capability: Listed) -> None:
    """`a MySQL 8 database`: the number after the name of another make counts nothing."""
    for one in capability.WANTED:
        if own_choice(one, capability.WORDS):
            for span in find([word for _, words in one.choices for word in words], stretch.free):
                version = _VERSION.match(stretch.free, span.end)
                if version:
                    stretch.take(Span(*version.span(1)))


def _take_back(stretch: Stretch, capability: Listed, before: tuple[Fact, ...]) -> None:
    """`PostgreSQL then`, after MySQL was asked for: what the capability itself is called by is a choice once another was made."""
    chosen = {fact.name for fact in before}
    for one in capability.WANTED:
        ours = own_choice(one, capability.WORDS) if one.name in chosen else ""
        words = next((words for value, words in one.choices if value == ours), ())
        span = next((span for span in find(words, stretch.folded) if not negated(stretch.folded, span)), None)
        if span is not None:
            stretch.say(one.name, ours, span)


def _share(heard: list[tuple[str, dict[str, Fact]]], wanted: Mapping[str, Listed]) -> dict[str, dict[str, Fact]]:
    kinds = {(name, one.name): one.kind for name, _ in heard for one in wanted[name].WANTED}
    choices = {(name, one.name): dict(one.choices) for name, _ in heard for one in wanted[name].WANTED}
    facts = {name: dict(found) for name, found in heard}
    for name, found in heard:
        for fact in found.values():
            for other in facts:
                shared = kinds[name, fact.name] in SHARED_KINDS or fact.name in SHARED_NAMES
                # A make of databases is none of web servers, though both have one.
                fits = kinds[name, fact.name] != "choice" or fact.value in choices.get((other, fact.name), {})
                if shared and fits and kinds.get((other, fact.name)) == kinds[name, fact.name]:
                    facts[other].setdefault(fact.name, fact)
    return facts


def _hear_afar(groups: list[tuple[str, Stretch]], facts: dict[str, dict[str, Fact]], wanted: Mapping[str, Listed]) -> None:
    """What only one of several things wants is meant for it, wherever in the message it stands. The nearer one's own words go first."""
    for name, found in facts.items():
        for other, stretch in groups:
            known = {one.name for one in wanted[other].WANTED} | set(found)
            lacking = [one for one in wanted[name].WANTED if one.kind in FAR_KINDS and one.name not in known]
            if other == name or not lacking:
                continue
            both = Stretch(stretch.text)
            readers.read(both, [*wanted[other].WANTED, *lacking], wanted[other].WORDS)
            found.update({one.name: both.found[one.name] for one in lacking if one.name in both.found})


def _only_asked(facts: dict[str, dict[str, Fact]], asked: tuple[tuple[str, str], ...]) -> dict[str, dict[str, Fact]]:
    """Of several things asked for, an answer is about the one that the question was about."""
    about = {fact: {c for c, f in asked if f == fact} for _, fact in asked}
    return {
        name: {fact: value for fact, value in found.items() if not about.get(fact) or name in about[fact]} for name, found in facts.items()
    }


def _answer(whole: Stretch, facts: dict[str, dict[str, Fact]], wanted: Mapping[str, Listed], asked: tuple[tuple[str, str], ...]) -> None:
    """What is left of the message answers the questions that are still open, in the order they were asked."""
    take_keys(whole, [])
    for found in facts.values():
        for fact in found.values():
            start = whole.text.find(fact.quote)
            whole.take(Span(start, start + len(fact.quote)))
    left = list(pieces(whole))
    for capability, name in asked:
        one = next((w for w in wanted[capability].WANTED if w.name == name), None) if capability in wanted else None
        if one is None or name in facts.get(capability, {}):
            continue
        bare(whole, one, left)
        if name in whole.found:
            fact = whole.found.pop(name)
            for other, other_name in asked:
                if other_name == name:
                    facts.setdefault(other, {})[name] = fact
