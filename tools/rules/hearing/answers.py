"""Reads bare answers to the questions that are open: `100, production, 20`. What answers is never heard as a new wish."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from tools.rules.hearing.facts import Found, _names_at, ports_at, read_facts
from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.values import assign, plain
from tools.rules.hearing.words import Catalogue, Mark
from tools.values.request import Edit, Request
from tools.values.wanted import Wanted

_YES = ("yes", "y", "yeah", "yep", "sure", "true", "ja", "oui", "sí", "si", "evet")
_NO = ("no", "n", "nope", "none", "false", "nein", "non", "hayir")
PIECES_MAX = 40
ANSWER_WORDS_MAX = 6


def answer(
    scene: Scene, request: Request, asked: tuple[tuple[str, str], ...], catalogue: Catalogue, today: date, shared: Collection[str]
) -> list[Edit]:
    """The facts that were asked for, as far as this message says them; nothing when a piece of it is no answer to any."""
    edits: list[Edit] = []
    open_facts = [(label, fact) for label, fact in asked if request.item(label)]
    names = {fact for _, fact in open_facts}
    if any(mark.names("fact") and not names & set(mark.names("fact")) and _is_labelled(scene, mark) for mark in scene.marks):
        return []  # `only 500 users`, when something else was asked
    wanted = [(label, one) for label, fact in open_facts for one in _wanted(request, label, fact, catalogue)]
    labelled: dict[str, Found] = {}
    for label in dict.fromkeys(label for label, _ in wanted):
        facts = [one for name, one in wanted if name == label]
        found = Found()
        read_facts(scene, 0, len(scene.said), [one for one in facts if one.kind not in ("text",)], found, today)
        matches, _ = assign(scene, 0, len(scene.said), facts, _capability(request, label))
        for match in matches:
            value = match.amount.text if match.amount.kind != "number" or match.facts[0] != "cpu_count" else plain(match.amount.worth)
            found.say(
                match.facts[0], plain(match.amount.worth) if match.amount.kind == "number" else value, scene.quote(match.first, match.last)
            )
            scene.use(match.first, match.last)
        labelled[label] = found
        edits += [_set(label, fact.name, fact.value, fact.quote, shared) for fact in found.facts.values()]
    left = [(label, one) for label, one in wanted if one.name not in labelled[label].facts]
    pieces = _pieces(scene)
    for first, last in pieces:
        said = next(((label, one, value) for label, one in left if (value := _bare(scene, first, last, one))), None)
        if said is None:
            if not edits or not all(scene.words.fills(scene.said[i]) for i in range(first, last)):
                return edits if edits and last - first <= 2 else []
            continue
        label, one, value = said
        quote = scene.quote(first, last)
        edits.append(_set(label, one.name, value, quote, shared))
        scene.use(first, last)
        left = [pair for pair in left if pair != (label, one) and not (one.name in shared and pair[1].name == one.name)]
    return list(dict.fromkeys(edits))


def _is_labelled(scene: Scene, mark: Mark) -> bool:
    """An amount stands right beside it."""
    beside = [scene.token(mark.first - 1) if mark.first else None, scene.token(mark.last)]
    return any(token is not None and token.kind in ("number", "size") for token in beside)


def _set(label: str, name: str, value: str, quote: str, shared: Collection[str]) -> Edit:
    """What is said once for all is an answer for all."""
    return Edit(do="set", item="" if name in shared else label, name=name, value=value, quote=quote)


def _capability(request: Request, label: str) -> str:
    item = request.item(label)
    return item.capability if item else ""


def _wanted(request: Request, label: str, fact: str, catalogue: Catalogue) -> list[Wanted]:
    item = request.item(label)
    return [one for one in catalogue[item.capability].WANTED if one.name == fact] if item else []


def _pieces(scene: Scene) -> list[tuple[int, int]]:
    """The parts of the message that nothing was found in."""
    found: list[tuple[int, int]] = []
    first: int | None = None
    for i in range(len(scene.said) + 1):
        ends = i == len(scene.said) or scene.said[i].text in STOPS or scene.is_text(i, ",") or scene.used[i] or scene.at(i).does("join")
        if not ends and first is None:
            first = i
        if ends and first is not None:
            found.append((first, i))
            first = None
    return found[:PIECES_MAX]


def _bare(scene: Scene, first: int, last: int, one: Wanted) -> str:
    """The value, when these words can be one; empty when they cannot."""
    while first < last - 1 and (
        scene.at(first).does("lean", "owned", "article", "change", "link", "bound") or scene.is_text(first, "number", "#", "it", "i", "we")
    ):
        first += 1
    token = scene.said[first]
    text = scene.quote(first, last)
    if last - first > ANSWER_WORDS_MAX or scene.is_text(last, "?"):
        return ""
    match one.kind:
        case "count":
            return plain(token.value) if token.kind == "number" else ""
        case "memory" | "disk" | "volume" | "disks":
            return text if token.kind == "size" else (f"{plain(token.value)} GB" if token.kind == "number" and last - first == 1 else "")
        case "money":
            return text if token.kind in ("money", "number") else ""
        case "network" | "node":
            if token.kind in ("name", "number", "address", "quoted"):
                return scene.quote(first, first + 1).strip("\"'`")
            plain_word = token.kind == "word" and last - first <= 2 and not scene.at(first).does("ask", "deny", "ask_for", "remove", "any")
            return (
                scene.quote(first, first + 1)
                if (plain_word and not scene.words.fills(token)) or (plain_word and scene.at(first + 1).names("fact"))
                else ""
            )
        case "name" | "names":
            _, said = _names_at(scene, first, last)
            return ", ".join(said) if last - first <= 2 or token.kind == "name" else ""
        case "ports":
            _, ports = ports_at(scene, first, last)
            return ", ".join(ports)
        case "yes_no":
            return "yes" if token.text in _YES else "no" if token.text in _NO else ""
        case "public_key":
            return "no key" if token.text in ("no", "none") else ""
        case "addresses":
            return text if token.kind == "address" or token.text in ("anywhere", "everywhere") else ""
        case "region":
            return text if last - first <= 3 else ""
        case "text":
            return text if any(c.isalpha() for c in text) and not scene.words.fills(token) else ""
        case _:
            return ""
