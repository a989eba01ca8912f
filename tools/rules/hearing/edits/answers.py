"""Reads bare answers to the questions that are open: `100, production, 20`. What answers is never heard as a new wish."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date

from tools.rules.hearing.assignment.facts import NO_KEY, read_facts
from tools.rules.hearing.assignment.mounting import add_places, places_of
from tools.rules.hearing.assignment.places import SUBNET, addresses_at
from tools.rules.hearing.assignment.ports import ports_at
from tools.rules.hearing.assignment.stretch import Found, Stretch
from tools.rules.hearing.assignment.thing import SHARED
from tools.rules.hearing.assignment.values import SIZES, assign, plain
from tools.rules.hearing.groups.naming import names_at
from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.dates import days
from tools.rules.hearing.words.able import Able
from tools.rules.hearing.words.dictionary import Catalogue
from tools.values.request import Edit, Request
from tools.values.wanted import Wanted

Asked = tuple[tuple[str, str], ...]
"""(label of an item, fact) of the questions that are open."""
PIECES_MAX = 40
NUMBERED = ("network", "count", "money", *SIZES)
"""Kinds that a bare number answers."""
ANSWER_WORDS_MAX = 6


def answer(scene: Scene, request: Request, asked: Asked, catalogue: Catalogue, today: date) -> list[Edit]:
    """The facts that were asked for, as far as this message says them; nothing when a piece of it is no answer to any."""
    items = {item.label: item for item in request.items}
    open_ = [
        (label, one) for label, fact in asked if label in items for one in catalogue[items[label].capability].WANTED if one.name == fact
    ]
    if _speaks_of_others(scene, {one.name for _, one in open_}):
        return []  # `only 500 users`, when something else was asked
    for_one = {one.name for _, one in open_ if one.place and {label for label, other in open_ if other.name == one.name} != set(items)}
    sizes = sum(one.kind in SIZES for _, one in open_)
    if sizes and len(scene.of_kind(0, len(scene.said), "size")) > sizes and not any(one.kind == "disks" for _, one in open_):
        return []  # `4 cores 8 GB 40 GB`, when no disk was asked for
    edits, left = list[Edit](), list[tuple[str, Wanted]]()
    for label in dict.fromkeys(label for label, _ in open_):
        wanted = [one for other, one in open_ if other == label]
        besides = [one for one in _addressed(scene, catalogue[items[label].capability].WANTED) if len(items) == 1 or one.name in SHARED]
        found = _labelled(scene, [*wanted, *(one for one in besides if one not in wanted)], items[label].capability, today)
        edits += [_set(label, fact.name, fact.value, fact.quote, for_one) for fact in found.facts.values()]
        left += [(label, one) for one in wanted if one.name not in found.facts]
    pieces = _pieces(scene, {one.kind for _, one in left})
    bare = [first for first, last in pieces if last - first == 1 and scene.kind(first) == "number"]
    if len(bare) > 1 and len(bare) < len({one.name for _, one in left if one.kind in NUMBERED}):
        return edits  # `4 and 8`, of more questions: nothing says which
    for first, last in pieces:
        said = next(((label, one, value) for label, one in left if (value := _bare(scene, first, last, one, today))), None)
        if said is None:
            if edits and all(scene.fills(i) for i in range(first, last)):
                continue
            return edits if last - first <= 2 else []
        label, one, value = said
        edits.append(_set(label, one.name, value, scene.quote(first, last), for_one))
        scene.use(first, last)
        if one.name == "network" and value.isdecimal() and any(other.name == "vlan" for _, other in left):  # `which VLAN?`
            edits.append(_set(label, "vlan", value, scene.quote(first, last), for_one))
        left = [pair for pair in left if pair != (label, one) and not (one.name in SHARED and pair[1].name == one.name)]
    return list(dict.fromkeys(edits))


def _speaks_of_others(scene: Scene, names: set[str]) -> bool:
    """An amount stands right beside the label of a fact that was not asked for."""
    labels = (mark for mark in scene.marks if mark.names("fact") and not names & set(mark.names("fact")))
    return any(scene.kind(i) in ("number", "size") for mark in labels for i in (mark.first - 1, mark.last))


def _addressed(scene: Scene, wanted: Iterable[Wanted]) -> list[Wanted]:
    """`network 20, address 10.20.0.90/24, gateway 10.20.0.1`: what was not asked for and says its name beside an address; `30, prod`: or
    needs none."""
    told = {name for mark in scene.marks if scene.kind(mark.last) == "address" for name in mark.names("fact")}
    return [one for one in wanted if (one.kind == "address" and one.name in told) or (one.name == SECTION and scene.marks_of(SECTION))]


def _labelled(scene: Scene, wanted: list[Wanted], capability: str, today: date) -> Found:
    able = Able([one for one in wanted if one.kind != "text" or scene.marks_of(one.name)])
    at = Stretch(scene, 0, len(scene.said), capability, able, Found(), today)
    disks = places_of(at)
    read_facts(at)
    for match in assign(at)[0]:
        value = plain(match.amount.worth) if match.amount.kind == "number" else match.amount.text
        at.say(match.facts[0], value, match.first, match.last)
    add_places(at, disks, None)
    return at.found


def _set(label: str, name: str, value: str, quote: str, for_one: Container[str]) -> Edit:
    """What is said once for all is an answer for all; where one of several cannot stand in a place, another place is for that one."""
    return Edit(do="set", item=label if name in for_one or name not in SHARED else "", name=name, value=value, quote=quote)


def _pieces(scene: Scene, kinds: Container[str]) -> list[tuple[int, int]]:
    """The parts of the message that nothing was found in. Where names are asked for, or disks, several are one answer."""
    end = len(scene.said)
    sized = all(scene.kind(i) == "size" or scene.is_text(i, ",") or scene.does(i, "join") for i in range(end))
    if ("names" in kinds and names_at(scene, 0, end)[0] == end) or ("disks" in kinds and sized):
        return [(0, end)]
    found, first = list[tuple[int, int]](), 0
    for i in range(len(scene.said) + 1):
        if scene.breaks(i, "join") or scene.used[i]:
            found += [(first, i)] if i > first else []
            first = i + 1
    return found[:PIECES_MAX]


def _ends_there(scene: Scene, first: int, last: int) -> bool:
    """A name is one word, or a word and what it is the name of: `servers`, `servers network`; not `ship it`."""
    return last - first == 1 or (last - first == 2 and bool(scene.at(first + 1).names("fact")))


def _bare(scene: Scene, first: int, last: int, one: Wanted, today: date) -> str:
    """The value, when these words can be one; empty when they cannot."""
    first = scene.skip(first, last - 1, "lean", "owned", "article", "change", "link", "bound", texts=("number", "#", "it", "i", "we"))
    token, text, length = scene.said[first], scene.quote(first, last), last - first
    if (length > ANSWER_WORDS_MAX and one.kind != "names") or scene.is_text(last, "?"):
        return ""
    if scene.any_does(first, last, "more", "less"):
        return ""  # `8 GB more` starts from what there is
    if one.kind in SIZES:
        return text if token.kind == "size" else f"{plain(token.value)} GB" if token.kind == "number" and length == 1 else ""
    match one.kind:
        case "count":
            return plain(token.value) if token.kind == "number" else ""
        case "money":
            return text if token.kind in ("money", "number") else ""
        case "network" | "node":
            is_word = token.kind == "word" and _ends_there(scene, first, last) and not scene.at(first).has("does", "choice")
            is_word = is_word and not (scene.at(first).has("fact") and not scene.at(first + 1).has("fact"))  # `packages nodejs`
            named = token.kind in ("name", "number", "quoted") or (one.kind == "network" and bool(SUBNET.fullmatch(token.text)))
            told = named or scene.at(first + 1).names("fact") or not scene.fills(first)
            is_word = is_word and len(token.text) > 1
            if token.kind == "number" and not all(scene.fills(i) or scene.at(i).names("fact") for i in range(first + 1, last)):
                return ""  # `16 is enough, I told him`
            return scene.unquoted(first) if told and (is_word or named) else ""
        case "name" | "names":
            taken = scene.any_does(first, last, "remove", "deny", "denied_after", "goes", "change")
            return ", ".join(names_at(scene, first, last)[1]) if not taken and (length <= 2 or token.kind == "name") else ""
        case "address" | "subnet":
            return ", ".join(addresses_at(scene, first, last)[1])
        case "choice":
            return next((value for value, _ in one.choices if value.lower() == text.lower()), "")
        case "date":
            return next((day.iso for day in days(text, today)), "")
        case "folder":
            return text if "/" in text else ""
        case "ports":
            return ", ".join(ports_at(scene, first, last)[1])
        case "yes_no":
            return next((said for said in ("yes", "no") if scene.is_listed(first, said)), "")
        case "public_key":
            return NO_KEY if scene.is_listed(first, "no") else ""
        case "addresses":
            return text if token.kind == "address" or scene.is_listed(first, "anywhere") else ""
        case "region":
            return text if length <= 3 else ""
        case "text" | "storage":
            named = (token.kind == "name" or any(c.isalpha() for c in text)) and not scene.any_does(
                first, last, "deny", "denied_after", "goes"
            )
            named = named and not any(scene.denied[first:last])
            return text if named and not scene.does(first, "remove", "deny") and not scene.fills(first) else ""
        case _:
            return ""
