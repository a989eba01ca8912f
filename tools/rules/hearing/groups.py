"""Which things a message speaks of, and which words are about which: new items with their numbers, items that the request has already, and
things that are only spoken of (`behind the production load balancer`)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.words import Catalogue, Mark, same
from tools.rules.names.naming import repair
from tools.values.request import Request

COUNT_MAX = 10_000
ADJECTIVES_MAX = 10

Intro = Literal["new", "ref", "bare"]


@dataclass
class Group:
    """Words that are about one thing."""

    capability: str
    first: int
    last: int
    """The tokens from where its words begin up to where those of the next begin."""
    new: bool = True
    label: str = ""
    """Of the item that is meant, or a word that tells the new one from others of its kind."""
    count: int | None = None
    said_first: int = 0
    said_last: int = 0
    """Where it is named."""
    body: bool = False
    counted: tuple[int, int] = (0, 0)
    role: str = ""
    removed: bool = False
    alike: bool = False
    """What is said of the next one is said of it too: `one web and one indexer machine`."""
    more: bool = False
    """So many more of what there is."""


@dataclass(frozen=True)
class _Head:
    capability: str
    start: int
    first: int
    last: int
    intro: Intro
    body: bool
    count: int | None = None
    counted: tuple[int, int] = (0, 0)
    label: str = ""
    role: str = ""
    another: bool = False
    alike: bool = False
    more: bool = False
    line: bool = False
    """It opens a line of a list."""


def plain_service(catalogue: Catalogue, scene: Scene) -> str:
    """The capability that is nothing but what the others stand on: most of its words are words for that."""
    bodies = scene.words.bodies
    return max(catalogue, key=lambda name: sum(same(w) in bodies for w in catalogue[name].WORDS))


def groups(scene: Scene, spans: Sequence[tuple[int, int, bool]], request: Request) -> tuple[list[Group], list[Group]]:
    """(things spoken of, things taken back). `spans` are stretches of prose by their tokens, each with whether it opens a line."""
    heads: list[_Head] = []
    for first, last, begins in spans:
        heads += _heads(scene, first, last, begins, request)
    found: list[Group] = []
    removed: list[Group] = []
    known = {item.capability: item.label for item in request.items}
    named = {item.label for item in request.items}
    for head in sorted(heads, key=lambda one: one.first):
        previous = found[-1] if found else None
        if not scene.free(head.first, head.last):
            continue
        verdict = _verdict(scene, head, previous, known, named, request)
        if verdict in ("new", "there"):
            label = head.label or (known.get(head.capability, "") if verdict == "there" else "")
            scene.use(head.first, head.last)
            scene.use(*head.counted)
            found.append(
                Group(
                    head.capability, head.start, head.last, verdict == "new", label, head.count, head.first, head.last, head.body,
                    head.counted, head.role, alike=head.alike, more=head.more,
                )
            )  # fmt: skip
        elif verdict == "instead" and previous:
            previous.capability, previous.body = head.capability, head.body
            previous.said_first, previous.said_last = head.first, head.last
            if head.count and previous.count is None:
                previous.count = head.count
            scene.use(head.first, head.last)
        elif verdict == "removed":
            label = head.label or known.get(head.capability, "")
            removed.append(Group(head.capability, head.start, head.last, False, label, said_first=head.first, said_last=head.last))
            scene.use(head.first, head.last)
        elif verdict == "same":
            if previous and head.count and previous.count is None and head.counted != (0, 0) and not _after(scene, head, "with"):
                previous.count, previous.counted = head.count, head.counted
                scene.use(*head.counted)
            scene.use(head.first, head.last)
    for one, after in itertools.pairwise(found):
        one.last = after.first
    if found:
        found[0].first = 0
        found[-1].last = len(scene.said)
    return _one_by_one(scene, found), removed


def _one_by_one(scene: Scene, found: list[Group]) -> list[Group]:
    """`two databases, one for 100 users and one for 20 users` are two things."""
    parted: list[Group] = []
    for group in found:
        ones = [
            i
            for i in range(group.said_last, group.last)
            if scene.is_text(i, "one", "another", "other", "first", "second", "third")
            and scene.at(i + 1).does("for", "with", "lean", "called")
            and not scene.used[i]
        ]
        if group.count and 2 <= group.count == len(ones):
            ends = [*ones[1:], group.last]
            starts = [group.first, *ones[1:]]
            parted += [replace(group, first=a, last=b, count=1, counted=(0, 0)) for a, b in zip(starts, ends, strict=True)]
            for i in ones:
                scene.use(i, i + 1)
        else:
            parted.append(group)
    return parted


Verdict = Literal["new", "there", "same", "instead", "removed", "spoken of", "no"]


def _verdict(scene: Scene, head: _Head, previous: Group | None, known: dict[str, str], named: set[str], request: Request) -> Verdict:
    """What becomes of a thing that is named."""
    there = head.label in named or (head.capability in known and not head.label and not head.role)
    if scene.denied[head.first]:
        return "removed" if there else "spoken of"
    if _governed(scene, head, "remove") and not _governed(scene, head, "keep"):
        return "removed" if there else "spoken of"
    before = _before(scene, head)
    if head.label in named:
        return "there"
    if head.role or head.line:
        return "new"
    if _is_their_environment(scene, head, previous, bool(request.items)):
        return "no"
    if before == "lean":
        if previous or (head.capability in known and head.intro != "new"):
            return "same" if previous and (head.body or previous.capability == head.capability) else "spoken of"
        return "there" if there and head.intro != "new" else ("new" if head.intro == "new" or head.body else "spoken of")
    joined = before in ("join", "stop")
    if previous:
        if previous.capability == head.capability:
            return "new" if head.intro == "new" and joined and not (head.another is False and head.count is None and head.body) else "same"
        if previous.body and not head.body and before in ("for", "with", ""):
            return "instead"
        if head.body:
            return (
                "new" if (head.intro == "new" and before == "join") or (before == "stop" and head.count and head.intro == "new") else "same"
            )
        if before == "for":
            return "spoken of"
        if before == "with" and head.intro == "ref":
            return "spoken of"
        if joined or before == "with" or head.intro == "new":
            return "new"
        return "spoken of"
    if there:
        return "new" if head.intro == "new" and not _governed(scene, head, "change") else "there"
    return "new"


def _is_their_environment(scene: Scene, head: _Head, previous: Group | None, known: bool) -> bool:
    """`a database for 50 users, development environment`: the environment that it is in, when nothing makes it a thing of its own."""
    if not (previous or known) or head.intro == "new":
        return False
    inside = [scene.at(i) for i in range(head.first, head.last)]
    choice = any(one.choices("environment") for one in inside)
    said = scene.said[head.last - 1].text
    return (
        choice
        and any(same(scene.said[i].text) == "environment" or said == "env" for i in range(head.first, head.last))
        and not said.endswith("s")
    )


def _before(scene: Scene, head: _Head) -> str:
    """What joins it to the words before: `stop` at the beginning of a sentence or behind a comma."""
    i = head.start - 1
    while i >= 0:
        token, mark = scene.said[i], scene.at(i)
        if token.text in STOPS or token.text in ",:()+&|" or token.text == "-":
            joined = token.text in ",+&"
            return "join" if joined and head.intro == "new" else "stop"
        for name in ("join", "for", "with", "lean"):
            if mark.does(name) and not mark.does("ask_for"):
                return name
        if mark.does("ask_for", "change", "affirm", "remove", "polite", "or", "called"):
            return "stop"
        if scene.used[i] and not mark.meanings:
            return ""
        i -= 1
    return "stop"


def _after(scene: Scene, head: _Head, what: str) -> bool:
    return _before(scene, head) == what


def _governed(scene: Scene, head: _Head, what: str) -> bool:
    """Whether a verb stands before it in its clause, with nothing but small words, or other things, between."""
    i = head.start - 1
    while i >= 0 and scene.said[i].text not in STOPS:
        mark = scene.at(i)
        if mark.does(what):
            return True
        if mark.does("ask_for", "change", "with", "lean", "affirm") and not mark.does("join"):
            return False
        i -= 1
    return False


def _heads(scene: Scene, first: int, last: int, begins: bool, request: Request) -> list[_Head]:
    found = [_head(scene, mark, first, request) for mark in scene.mentions if first <= mark.first and mark.last <= last]
    found += _labels(scene, first, last, request)
    found += _roles(scene, first, last, found, request)
    return found


def _head(scene: Scene, mark: Mark, floor: int, request: Request) -> _Head:
    services = mark.names("service")
    known = {item.capability for item in request.items}
    capability = next((one for one in services if one in known), services[0])
    body = bool(mark.names("body"))
    start, intro, count, counted, another, more = _lead(scene, mark.first, floor)
    if scene.is_text(mark.last, "x", "×") and scene.token(mark.last + 1) and scene.said[mark.last + 1].kind == "number":
        count, counted = int(scene.said[mark.last + 1].value), (mark.last, mark.last + 2)
    following = scene.token(mark.last + 1)
    if scene.is_text(mark.last, "(") and following and following.kind == "number" and scene.is_text(mark.last + 2, ")"):
        count, counted = int(following.value), (mark.last, mark.last + 3)
    return _Head(capability, start, mark.first, mark.last, intro, body, count, counted, another=another, more=more)


def _lead(scene: Scene, first: int, floor: int) -> tuple[int, Intro, int | None, tuple[int, int], bool, bool]:
    """(where it begins, how it is introduced, how many, where that is said, whether it is another, whether so many more)."""
    start, another, more = first, False, False
    for i in range(first - 1, max(floor, first - ADJECTIVES_MAX) - 1, -1):
        token, mark = scene.said[i], scene.at(i)
        if mark.does("another"):
            return mark.first, "new", 1, (mark.first, mark.last), True, True
        if mark.does("more"):
            more, start = True, i
            continue
        if token.kind == "number" and not mark.names("fact"):
            after = scene.at(i + 1)
            counts_label = any(one.kind == "fact" for one in after.meanings) and not after.names("body") and i + 1 < first
            version = any(one.kind == "choice" for one in scene.at(i - 1).meanings) and i > floor
            if counts_label or version or not 1 <= token.value <= COUNT_MAX or token.value != int(token.value):
                start = i
                continue
            return i, "new", int(token.value), (i, i + 1), another, more
        if mark.does("article"):
            return mark.first, "new", None, (0, 0), another, more
        if mark.does("owned"):
            return mark.first, "ref", None, (0, 0), another, more
        if scene.used[i] or token.text in STOPS or (token.kind == "mark" and token.text not in ("x", "×", "*", "/", "-")):
            break
        if mark.does(
            "lean", "for", "with", "join", "deny", "ask_for", "change", "link", "remove", "copy", "or", "each", "affirm", "polite", "ask"
        ):
            break
        start = i
    return start, "bare", None, (0, 0), another, more


def _labels(scene: Scene, first: int, last: int, request: Request) -> list[_Head]:
    """Items of the request by what they are called: `the masters`, `db`, `app-01`, `the second one`."""
    found = []
    for _number, item in enumerate(request.items):
        words = {item.label, *(part.strip() for name in ("name", "role") if (fact := item.fact(name)) for part in fact.value.split(","))}
        for i in range(first, last):
            token = scene.said[i]
            if token.kind in ("word", "name", "quoted") and any(same(token.text.strip("\"'`")) == same(word) for word in words if word):
                found.append(_Head(item.capability, i, i, i + 1, "ref", False, label=item.label))
    ordinals = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
    for i in range(first, last - 1):
        if (
            scene.said[i].text in ordinals
            and scene.said[i + 1].text in ("one", "item", "machine", "vm", "group")
            and len(request.items) > 1
        ):
            place = ordinals[scene.said[i].text]
            if place < len(request.items):
                item = request.items[place]
                found.append(_Head(item.capability, i, i, i + 2, "ref", False, label=item.label))
    return found


_NO_ROLE = re.compile(
    r"^(?:specs?|specifications?|requirements?|hardware|resources?|config|configuration|sizes?|sizing|total|minimum|recommended|each|option|server|vm|machine|notes?|thanks|hi|hello|we|i)$"
)


def _roles(scene: Scene, first: int, last: int, mentioned: list[_Head], request: Request) -> list[_Head]:
    """`3 masters with 4 cores`, `Master: 3 x 4 vCPU`, `one web and one indexer machine`, `- api-1: 2 cores, 4 GB`: machines called by what
    they do."""
    plain = plain_service(scene.catalogue, scene)
    taken = {i for head in mentioned for i in range(head.start, head.last)}
    found: list[_Head] = []
    labelled = {item.label for item in request.items}
    for i in range(first, last - 1):
        token = scene.said[i]
        if i in taken or scene.used[i] or scene.denied[i]:
            continue
        if token.kind == "number" and 1 <= token.value <= 500 and token.value == int(token.value):
            j = i + 1
            while scene.is_text(j, "x", "×", "*"):
                j += 1
            word = scene.token(j)
            if word is None or j >= last or word.kind != "word" or len(word.text) < 2:
                continue
            mark, end = scene.at(j), j + 1
            ours = {one.name for one in mark.meanings if one.kind == "fact"}
            if mark.does("with", "lean", "for", "join", "more", "each", "or") or ours & {
                "cpu_count",
                "memory",
                "disk",
                "count",
                "data_disks",
                "vlan",
                "network",
            }:
                continue
            following = scene.token(end)
            if (following and following.kind == "word" and same(following.text) in scene.words.bodies and end < last) or (
                following
                and following.kind == "word"
                and not scene.at(end).meanings
                and end + 1 < last
                and not scene.words.fills(following)
            ):
                end += 1
            elliptic = scene.at(end).does("join") and any(head.first > end and head.body and head.first - end <= 4 for head in mentioned)
            if elliptic or (
                _is_machine_size(scene, end, last)
                and (scene.at(end).does("with", "each") or scene.is_text(end, ":", "(", ",", "-", "@") or end != j + 1)
            ):
                role = same(word.text) if elliptic or end != j + 1 else word.text
                found.append(
                    _Head(
                        plain,
                        i,
                        j,
                        end,
                        "new",
                        False,
                        int(token.value),
                        (i, j),
                        label=_label(word.text, labelled),
                        role=role,
                        alike=elliptic,
                    )
                )
    for head in mentioned:  # `one web and one indexer machine`: the last of them has its word before the noun
        if found and head.body and head.count and head.intro == "new" and any(one.alike for one in found):
            word = scene.said[head.first - 1]
            if word.kind == "word" and head.counted[1] == head.first - 1:
                found.append(replace(head, first=head.first - 1, label=_label(word.text, labelled), role=word.text))
    found += _lines(scene, first, last, plain, labelled)
    return found


def _label(text: str, taken: set[str]) -> str:
    base = repair(text) or "item"
    return next(one for one in (base, *(f"{base}-{n}" for n in range(2, 100))) if one not in taken)


def _is_machine_size(scene: Scene, first: int, last: int) -> bool:
    """Whether the words that follow say how large a machine is."""
    end = next((i for i in range(first, last) if scene.said[i].text in STOPS), last)
    sizes = sum(scene.said[i].kind == "size" for i in range(first, end))
    cores = sum("cpu_count" in scene.at(i).names("fact") for i in range(first, end))
    return sizes + cores >= 2 or (sizes + cores >= 1 and end - first <= 8)


def _lines(scene: Scene, first: int, last: int, plain: str, labelled: set[str]) -> list[_Head]:
    """A line that opens with a word or a name, and goes on with a machine's size: `Master nodes: 3 x 4 vCPU, 8 GB`."""
    found = []
    starts = [i for i in range(first, last) if i == first or scene.said[i - 1].text in ("\n", ";")]
    for i in starts:
        end = next((k for k in range(i, last) if scene.said[k].text in ("\n", ";")), last)
        colon = next((k for k in range(i, min(i + 6, end)) if scene.is_text(k, ":", "-", "(", "=", "–")), 0)
        if not colon or colon == i or not _is_machine_size(scene, colon, end):
            continue
        words = [scene.said[k] for k in range(i, colon)]
        if any(t.kind not in ("word", "name", "number") for t in words) or not scene.free(i, colon):
            continue
        if any(
            scene.at(k).names("fact")
            and not scene.at(k).names("body")
            and scene.said[k].kind == "word"
            and not set(scene.at(k).names("fact")) <= {"count", "node", "workers", "agents", "clients", "role"}
            for k in range(i, colon)
        ):
            continue
        if (
            any(mark.first < colon and mark.last > i for mark in scene.mentions)
            and words[0].kind != "name"
            and not any(
                t.kind == "word" and same(t.text) not in scene.words.bodies and not scene.at(i + n).meanings for n, t in enumerate(words)
            )
        ):
            continue
        said = [t for t in words if t.kind != "number" and same(t.text) not in scene.words.bodies and not scene.words.fills(t)]
        if not said or any(_NO_ROLE.match(t.text) for t in said) or len(said) > 3:
            continue
        count, counted = None, (0, 0)
        if words[0].kind == "number":
            count, counted = int(words[0].value), (i, i + 1)
        after = scene.token(colon + 1)
        if after and after.kind == "number" and (scene.is_text(colon + 2, "x", "×", "*", ")") or scene.at(colon + 2).names("body")):
            count, counted = int(after.value), (colon + 1, colon + 3)
        name = said[0].kind == "name"
        text = said[0].text if name else "-".join(t.text for t in said)
        found.append(
            _Head(
                plain,
                i,
                i + (1 if counted[0] == i and counted != (0, 0) else 0),
                colon,
                "new",
                False,
                count,
                counted,
                label=_label(text, labelled),
                role="" if name else same(said[-1].text) if len(said) == 1 else text,
                line=True,
            )
        )
    return found


__all__ = ["Group", "field", "groups", "plain_service"]
