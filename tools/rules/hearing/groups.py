"""Which things a message speaks of, and which words are about which: new items with their numbers, items that the request has already, and
things that are only spoken of (`behind the production load balancer`)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from tools.rules.hearing.dates import is_day_word
from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.tokens import spread
from tools.rules.hearing.words import Mark, same
from tools.rules.names.naming import repair
from tools.values.request import Item, Request

COUNT_MAX = 10_000
GROUPS_MAX = 60
"""Things that one message may speak of; what goes beyond is told as unused."""
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
    name: str = ""
    adjectives: tuple[str, ...] = ()
    """Words before its noun that nothing is known of: `the payroll vm`."""
    again: bool = False
    """As the one before it, but for what is said of it."""
    of: int | None = None
    """The number of the group that its words are about once more."""
    thing: int = 0


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
    name: str = ""
    again: bool = False
    adjectives: tuple[str, ...] = ()


def groups(scene: Scene, spans: Sequence[tuple[int, int, bool]], request: Request) -> tuple[list[Group], list[Group]]:
    """(things spoken of, things taken back). `spans` are stretches of prose by their tokens, each with whether it opens a line."""
    heads: list[_Head] = []
    for first, last, begins in spans:
        heads += _heads(scene, first, last, begins, request)
    found: list[Group] = []
    removed: list[Group] = []
    known = {item.capability: item.label for item in request.items}
    named = {item.label for item in request.items}
    for head in islice(sorted(heads, key=lambda one: (one.first, -one.last)), GROUPS_MAX):
        previous = found[-1] if found else None
        if not scene.free(head.first, head.last):
            continue
        verdict = _verdict(scene, head, found, known, named, request)
        if verdict in ("new", "there"):
            label = head.label or (known.get(head.capability, "") if verdict == "there" else "")
            scene.name_thing(head.first, head.last)
            scene.use(*head.counted)
            found.append(
                Group(
                    head.capability, head.start, head.last, verdict == "new", label, head.count, head.first, head.last, head.body,
                    head.counted, head.role, alike=head.alike, more=head.more, name=head.name, again=head.again,
                )
            )  # fmt: skip
        elif verdict == "again":
            number = next(n for n, one in enumerate(found) if one.capability == head.capability)
            scene.use(head.first, head.last)
            found.append(replace(found[number], first=head.start, last=head.last, of=number))
        elif verdict == "instead" and previous:
            previous.capability, previous.body = head.capability, head.body
            previous.said_first, previous.said_last = head.first, head.last
            if head.count and previous.count is None:
                previous.count = head.count
            scene.use(head.first, head.last)
        elif verdict == "removed":
            label = head.label or (known.get(head.capability, "") if _is_ours(head, request) else "")
            label = label or scene.quote(head.start + (head.intro == "ref"), head.last)
            removed.append(Group(head.capability, head.start, head.last, False, label, said_first=head.first, said_last=head.last))
            scene.use(head.first, head.last)
        elif verdict == "spoken of":
            scene.leave(head.start, head.last)
        elif verdict == "same":
            if previous and head.count and previous.count is None and head.counted != (0, 0) and not _after(scene, head, "with"):
                previous.count, previous.counted = head.count, head.counted
                scene.use(*head.counted)
            scene.name_thing(head.first, head.last)
    for one, after in itertools.pairwise(found):
        after.first = _under_heading(scene, one.said_last, after.first)
        one.last = after.first
    if found:
        found[0].first = 0
        found[-1].last = len(scene.said)
    return _one_by_one(scene, found), removed


def _under_heading(scene: Scene, floor: int, first: int) -> int:
    """Where the words about a thing begin, when a heading of its own stands above it: `## Staging`."""
    i = first
    while i > floor and scene.is_text(i - 1, "\n", "-", "*"):
        i -= 1
    begin, _ = scene.sentence(i - 1) if i > floor else (i, i)
    line = range(begin, i)
    heading = 0 < len(line) <= 5 and begin > floor and not any(scene.said[k].kind in ("number", "size") for k in line)
    titled = heading and (scene.is_text(begin, "#") or scene.is_text(begin - 1, "#") or scene.is_text(i - 1, ":"))
    return begin if titled else first


def _one_by_one(scene: Scene, found: list[Group]) -> list[Group]:
    """`two databases, one for 100 users and one for 20 users` are two things, and `2 VMs for staging and 3 for production` two kinds."""
    parted: list[Group] = []
    for group in found:
        ones = [i for i in range(group.said_last, group.last) if _counts_alone(scene, i)]
        total = sum(int(scene.said[i].value) or 1 for i in ones)
        spread = bool(ones) and group.count is not None and total == group.count and len(ones) > 1
        if spread:
            starts = [group.first, *ones[1:]]
            counts: list[int | None] = [int(scene.said[i].value) or 1 for i in ones]
        elif ones and (group.count is not None or group.role):
            starts, counts = [group.first, *ones], [group.count, *(int(scene.said[i].value) or 1 for i in ones)]
        else:
            parted.append(group)
            continue
        ends = [*starts[1:], group.last]
        for n, (first, end, count) in enumerate(zip(starts, ends, counts, strict=True)):
            counted = group.counted if n == 0 else (first, first + 1)
            parted.append(
                replace(
                    group,
                    first=first,
                    last=end,
                    count=count,
                    counted=counted if count != 1 else (0, 0),
                    new=group.new or n > 0,
                    label=group.label if n == 0 else "",
                )
            )
        for i in ones:
            scene.use(i, i + 1)
    return parted


def _counts_alone(scene: Scene, number: int) -> bool:
    """`one for …`, `and 3 with …`: a number of things that are named no more."""
    token, before = scene.said[number], scene.at(number - 1)
    counts = token.kind == "number" and token.value == int(token.value) and 1 <= token.value <= ROLE_COUNT_MAX
    if not (counts or scene.is_text(number, "another")) or scene.used[number] or scene.denied[number]:
        return False
    opens = before.does("join") or scene.said[number - 1].text in STOPS or scene.is_text(number - 1, ",", ":", "(")
    return (bool(opens) and scene.at(number + 1).does("for", "with", "called")) or (bool(opens) and scene.is_text(number + 1, "in", "on"))


Verdict = Literal["new", "there", "same", "again", "instead", "removed", "spoken of", "no"]


def _verdict(scene: Scene, head: _Head, found: Sequence[Group], known: dict[str, str], named: set[str], request: Request) -> Verdict:
    """What becomes of a thing that is named."""
    previous = found[-1] if found else None
    after = scene.at(head.last)
    if after.first == head.last and set(after.names("fact")) & {"network", "vlan", "bridge"} and head.intro != "new":
        return "no"  # `the servers network`
    if scene.is_text(head.last, "=", ":") and "ports" in scene.at(head.last + 1).names("fact"):
        return "no"  # `shared postgres = port 5432`
    if _is_wish(scene, head) or _is_empty(scene, head) or (head.body and head.intro == "bare" and _asks_nothing(scene)):
        return "no"
    there = head.label in named or (head.capability in known and not head.label and not head.role and _is_ours(head, request))
    former = any(scene.at(i).does("former") for i in range(max(head.start - 1, 0), head.first))
    if scene.denied[head.first] and (former or _governed(scene, head, "except")):
        return "spoken of"
    if scene.denied[head.first]:
        return "removed" if there else "spoken of"
    if _governed(scene, head, "remove") and not _governed(scene, head, "keep"):
        return "removed" if there or head.intro == "ref" else "spoken of"
    before = _before(scene, head)
    if head.label in named:
        return "there"
    if head.again:
        return "new" if previous else "no"
    if head.role or head.line:
        return "new" if not (previous and _in_brackets(scene, head.first)) else "no"
    other = previous is not None and head.intro == "ref" and before_is_open(scene, head) and previous.capability != head.capability
    if other and any(one.capability == head.capability for one in found):
        return "again"
    if (previous or request.items) and _modifies(scene, head) and head.intro != "new":
        return "spoken of"
    if _is_their_environment(scene, head, previous, bool(request.items)):
        return "no"
    if before == "lean":
        if previous:
            return "same" if head.body or previous.capability == head.capability else "spoken of"
        if there and head.intro != "new":
            return "spoken of" if _is_related(scene, head) else "there"
        return "new" if head.intro == "new" or head.body else "spoken of"
    joined = before in ("join", "stop")
    if there and head.intro != "new" and head.label == "" and previous and previous.capability != head.capability:
        return "there"
    if previous:
        if previous.capability == head.capability:
            if head.intro != "ref" and joined and _is_listed_anew(scene, head, previous):
                return "new"
            return "new" if head.intro == "new" and joined and not (head.another is False and head.count is None and head.body) else "same"
        if previous.body and not head.body and before in ("for", "with", ""):
            sized = any(scene.said[i].kind == "size" for i in range(previous.said_last, head.start))
            purpose = before == "for" and (head.intro == "ref" or sized)
            return "spoken of" if _modifies(scene, head) or purpose else "instead"
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
    if there and ((head.more and not head.another) or _is_recount(scene, head)):
        return "there"
    if there:
        return "new" if head.intro == "new" and not _governed(scene, head, "change") and not _is_it(scene, head) else "there"
    if before == "for" and not head.adjectives:
        return "new"
    first, _ = scene.sentence(head.first)
    if head.intro != "new" and not there and any(scene.at(i).does("touch") for i in range(first, head.start)):
        return "removed"  # `resize the disk of the payroll vm`: none of ours, which is told
    if head.intro == "ref" and head.adjectives and request.items and _governed(scene, head, "change"):
        return "removed"  # `resize the intranet vm`: none of ours, which is told
    return "spoken of" if head.intro == "ref" and (_governed(scene, head, "change") or (head.adjectives and request.items)) else "new"


def _is_recount(scene: Scene, head: _Head) -> bool:
    """`two web servers` alone, where there is one: so many of it."""
    first, last = scene.sentence(head.first)
    others = [i for i in range(first, last) if scene.said[i].kind in ("number", "size") and not head.counted[0] <= i < head.counted[1]]
    numbered = head.counted != (0, 0) and scene.said[head.counted[0]].kind == "number" and head.count != 1
    asks = any(scene.at(i).does("ask_for", "join", "another") and not scene.at(i).does("change") for i in range(first, head.start))
    return numbered and not others and not asks


def _is_ours(head: _Head, request: Request) -> bool:
    """`the payroll vm` is no item that is called otherwise."""
    if head.intro != "ref" or not head.adjectives:
        return True
    words = {part for item in request.items if item.capability == head.capability for part in _words_of(item)}
    return all(any(same(one) in word for word in words) for one in head.adjectives)


def _words_of(item: Item) -> set[str]:
    return {same(item.label), *(same(part) for fact in item.facts for part in re.split(r"[\s,-]+", fact.value.lower()))}


def _is_it(scene: Scene, head: _Head) -> bool:
    """`it is two vms, not one`: so many of what there is."""
    before = scene.at(head.start - 1)
    return before.does("link") and not before.does("lean")


def _is_listed_anew(scene: Scene, head: _Head, previous: Group) -> bool:
    """`vm with 2 cores and vm with 8 cores`: each goes on with a size of its own."""
    sized = any(scene.said[i].kind in ("number", "size") for i in range(previous.said_last, head.start))
    opens = scene.at(head.last).does("with", "called") or scene.is_text(head.last, ":", "(")
    following = scene.token(head.last)
    return sized and (opens or (following is not None and following.kind in ("number", "size", "name")))


def _is_wish(scene: Scene, head: _Head) -> bool:
    """`with a firewall`: of a machine that may have such a setting it is that, and no thing of its own."""
    mark = scene.at(head.first)
    facts = {*mark.names("wish"), *mark.names("fact")} - {"count"}
    if not facts or mark.first != head.first or mark.last < head.last or head.role or head.line:
        return False
    wanted = {"ports", "cpu_count"}
    others = [name for one in scene.mentions for name in one.names("service") if name != head.capability]
    able = any(wanted <= {one.name for one in scene.catalogue[name].WANTED} for name in others)
    return able or any("cpu_count" in one.names("fact") for one in scene.marks)


def _is_empty(scene: Scene, head: _Head) -> bool:
    """`Database: none`."""
    return scene.is_text(head.last, ":") and scene.is_text(head.last + 1, "no", "none", "n", "nil", "-")


def _asks_nothing(scene: Scene) -> bool:
    """`you stupid machine`: nothing is wanted and nothing has a size."""
    return (
        len(scene.said) < 12
        and not any(t.kind in ("number", "size", "name", "money") for t in scene.said)
        and not any(
            one.does("ask_for", "remove", "polite") or any(m.kind in ("choice", "fact") and m.name != "count" for m in one.meanings)
            for one in scene.marks
        )
    )


def _is_their_environment(scene: Scene, head: _Head, previous: Group | None, known: bool) -> bool:
    """`a database for 50 users, development environment`: the environment that it is in, when nothing makes it a thing of its own."""
    if not (previous or known) or head.intro == "new":
        return False
    inside = [scene.at(i) for i in range(head.first, head.last)]
    choice = any(one.choices("environment") for one in inside)
    said = scene.said[head.last - 1].text
    return choice and any("environment" in one.names("fact") for one in inside) and not (said.isascii() and said.endswith("s"))


def _is_related(scene: Scene, head: _Head) -> bool:
    """`near the database`: it tells where something else stands."""
    return any(scene.at(i).names("relation") for i in range(max(head.start - 2, 0), head.start))


def _in_brackets(scene: Scene, number: int) -> bool:
    first, _ = scene.sentence(number)
    texts = [scene.said[i].text for i in range(first, number)]
    return texts.count("(") > texts.count(")")


def _modifies(scene: Scene, head: _Head) -> bool:
    """`the redis team`, `the web server course`: it tells what another thing is about."""
    after = scene.token(head.last)
    if after is None or after.kind not in ("word", "mark") or (after.kind == "mark" and after.text != "-"):
        return False
    return after.kind == "word" and not scene.at(head.last).meanings and not scene.words.fills(after) and not _is_body(scene, head.last)


def before_is_open(scene: Scene, head: _Head) -> bool:
    return _before(scene, head) in ("stop", "join")


def _before(scene: Scene, head: _Head) -> str:
    """What joins it to the words before: `stop` at the beginning of a sentence or behind a comma."""
    i = head.start - 1
    while i >= 0:
        token, mark = scene.said[i], scene.at(i)
        if token.text in STOPS or token.text in ",:()+&|" or token.text == "-":
            joined = token.text in ",+&"
            return "join" if joined and head.intro == "new" else "stop"
        if mark.names("relation"):
            return "lean"
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
        if mark.does("keep") or (mark.does("ask_for", "change", "with", "lean", "affirm") and not mark.does("join")):
            return False
        i -= 1
    return False


def _heads(scene: Scene, first: int, last: int, begins: bool, request: Request) -> list[_Head]:
    found = [_head(scene, mark, first, request) for mark in scene.mentions if first <= mark.first and mark.last <= last]
    found += _labels(scene, first, last, request)
    found += _roles(scene, first, last, found, request)
    for mark in scene.marks:
        after = scene.at(mark.last)
        if (
            mark.does("same_again")
            and first <= mark.first < last
            and found
            and (after.does("for", "lean", "with", "affirm") or after.choices("environment"))
        ):
            found.append(_Head(found[0].capability, mark.first, mark.first, mark.last, "new", False, again=True))
    return found


def _head(scene: Scene, mark: Mark, floor: int, request: Request) -> _Head:
    services = mark.names("service")
    known = {item.capability for item in request.items}
    capability = next((one for one in services if one in known), services[0])
    body = bool(mark.names("body"))
    start, intro, count, counted, another, more = _lead(scene, mark.first, floor)
    before = [i for i in range(start, mark.first) if scene.said[i].kind in ("word", "name") and not scene.at(i).meanings]
    adjectives = tuple(scene.said[i].text for i in before if not scene.words.fills(scene.said[i]))
    if scene.is_text(mark.last, "x", "×") and scene.token(mark.last + 1) and scene.said[mark.last + 1].kind == "number":
        count, counted = int(scene.said[mark.last + 1].value), (mark.last, mark.last + 2)
    following = scene.token(mark.last + 1)
    if scene.is_text(mark.last, "(") and following and following.kind == "number" and scene.is_text(mark.last + 2, ")"):
        count, counted = int(following.value), (mark.last, mark.last + 3)
    for at in (mark.last, mark.last + 1):
        token = scene.token(at)
        if token and token.kind == "name" and re.fullmatch(r"x\d{1,3}", token.text) and (at == mark.last or scene.is_text(mark.last, "(")):
            count, counted = int(token.text[1:]), (mark.last, at + 1)
    role = adjectives[0] if body and intro == "new" and len(adjectives) == 1 and scene.said[mark.first - 1].text == adjectives[0] else ""
    label = _label(role, {item.label for item in request.items}) if role and role.isalpha() else ""
    return _Head(
        capability,
        start,
        mark.first,
        mark.last,
        intro,
        body,
        count,
        counted,
        label,
        role if label else "",
        another,
        more=more,
        adjectives=adjectives,
    )


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
            behind = scene.at(i - 1)
            version = i > floor and (
                any(one.kind == "choice" for one in behind.meanings) or bool(set(behind.names("fact")) & scene.words.placing)
            )
            version = version or (
                i - 1 > floor and scene.said[i - 1].kind == "word" and not behind.meanings and scene.at(i - 2).does("article")
            )
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
            if scene.at(i - 1).does("copy"):
                continue
            if scene.is_text(i + 1, "one") and any(fact.value.lower() in (token.text, *_chosen(scene, i)) for fact in item.facts):
                found.append(_Head(item.capability, i, i, i + 2, "ref", False, label=item.label))
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


def _chosen(scene: Scene, number: int) -> tuple[str, ...]:
    return tuple(one.value for one in scene.at(number).meanings if one.kind == "choice")


_NO_ROLE = re.compile(
    r"specs?|specifications?|requirements?|hardware|resources?|config|configuration|sizes?|sizing|total|minimum|recommended|each|option"
    r"|notes?|thanks|hi|hello|we|i|all|both|following|summary|details|request|subject"
)


def _is_body(scene: Scene, number: int) -> bool:
    token = scene.token(number)
    return token is not None and token.kind == "word" and same(token.text) in scene.words.bodies


def _may_be_role(scene: Scene, number: int) -> bool:
    """A word that has no part in building the sentence, and is no label of an amount."""
    token, mark = scene.token(number), scene.at(number)
    if token is None or token.kind != "word" or len(token.text) < 2 or scene.used[number] or _NO_ROLE.fullmatch(token.text):
        return False
    if any(one.kind in ("does", "wish") for one in mark.meanings) or scene.words.fills(token) or mark.choices("environment"):
        return False
    return not is_day_word(token.text) and (
        not any(one.kind in ("fact", "choice") for one in mark.meanings)
        or bool(mark.names("part"))
        or same(token.text) in scene.words.roles
    )


def _roles(scene: Scene, first: int, last: int, mentioned: list[_Head], request: Request) -> list[_Head]:
    """`3 masters with 4 cores`, `a head node with 8 cores`, `one web and one indexer machine`: machines called by what they do."""
    plain = scene.words.plain
    taken = {i for head in mentioned for i in range(head.start, head.last)}
    found: list[_Head] = []
    labels = {item.label for item in request.items}
    for i in range(first, last - 1):
        token = scene.said[i]
        number = token.kind == "number" and 1 <= token.value <= ROLE_COUNT_MAX and token.value == int(token.value)
        if i in taken or scene.used[i] or scene.denied[i] or not (number or scene.at(i).does("article")):
            continue
        j = i + 1
        while scene.is_text(j, "x", "×", "*"):
            j += 1
        end = j
        while end < min(j + 3, last) and _may_be_role(scene, end) and not _is_body(scene, end):
            end += 1
        words = end - j
        noun = _is_body(scene, end) and end < last and end not in taken
        elliptic = (
            number
            and 1 <= words <= 2
            and scene.at(end).does("join")
            and any(h.first > end and h.body and h.start - end <= 1 for h in mentioned)
        )
        end += noun
        opens = (
            scene.at(end).does("with", "each", "for", "lean")
            or scene.is_text(end, ":", "(", "-", "@")
            or (scene.is_text(end, ",") and words)
        )
        named = words or (noun and number)
        if not named or (not noun and not number) or any(k in taken for k in range(j, end)):
            continue
        if elliptic or (_is_machine_size(scene, end, last) and (opens or (noun and not scene.denied[end - 1]))):
            role = "-".join(scene.said[k].text for k in range(j, j + max(words, 1)) if not _is_body(scene, k))
            role = same(role) if noun or elliptic else role
            count = int(token.value) if number else None
            counted = (i, j) if number else (0, 0)
            found.append(
                _Head(
                    plain,
                    i,
                    j,
                    end,
                    "new",
                    not words,
                    count,
                    counted,
                    label=_label(role, labels) if role else "",
                    role=role,
                    alike=elliptic,
                )
            )
    found += _environments(scene, first, last, plain, taken)
    for head in mentioned:  # the last of `one web and one indexer machine` has its word before the noun
        if head.body and head.count and head.intro == "new" and any(one.alike for one in found) and head.counted[1] == head.first - 1:
            role = scene.said[head.first - 1].text
            found.append(replace(head, first=head.first - 1, label=_label(role, labels), role=role))
    return found + _lines(scene, first, last, plain, labels)


def _environments(scene: Scene, first: int, last: int, plain: str, taken: set[int]) -> list[_Head]:
    """`test with 2 cores, production with 4 cores`: a machine in each."""
    found = []
    for mark in scene.marks_in(first, last):
        opens = scene.at(mark.last).does("with") or scene.is_text(mark.last, ":", "(")
        of_a_thing = scene.at(mark.first - 1).does("for", "lean")
        if (
            mark.choices("environment")
            and opens
            and not of_a_thing
            and mark.first not in taken
            and _is_machine_size(scene, mark.last, last)
        ):
            found.append(
                _Head(plain, mark.first, mark.first, mark.first, "new", False, line=True, label=repair(mark.choices("environment")[0]))
            )
    return found if len(found) > 1 else []


ROLE_COUNT_MAX = 500


def _label(text: str, taken: set[str]) -> str:
    base = repair(text) or "item"
    return next(one for one in (base, *(f"{base}-{n}" for n in range(2, 100))) if one not in taken)


def _is_machine_size(scene: Scene, first: int, last: int) -> bool:
    """Whether the words that follow say how large a machine is."""
    end = next((i for i in range(first, last) if scene.said[i].text in STOPS), last)
    sizes = sum(scene.said[i].kind == "size" for i in range(first, end))
    cores = sum("cpu_count" in scene.at(i).names("fact") for i in range(first, end))
    return sizes + cores >= 2 or (sizes + cores >= 1 and end - first <= 8)


def _lines(scene: Scene, first: int, last: int, plain: str, labels: set[str]) -> list[_Head]:
    """A line or sentence that opens with a word or a name, and goes on with a machine's size: `Master nodes: 3 x 4 vCPU, 8 GB`."""
    found = []
    for i in range(first, last):
        if i > first and scene.said[i - 1].text not in STOPS:
            continue
        end = next((k for k in range(i, last) if scene.said[k].text in STOPS), last)
        colon = next((k for k in range(i, min(i + 6, end)) if scene.is_text(k, ":", "-", "(", "=", "–")), 0)
        if not colon or colon == i or not scene.free(i, colon) or not _is_machine_size(scene, colon, end):
            continue
        words = range(i, colon)
        count, counted = None, (0, 0)
        if scene.said[i].kind == "number":
            count, counted, words = int(scene.said[i].value), (i, i + 1), range(i + 1, colon)
        roles = [k for k in words if not _is_body(scene, k)]
        if not roles or len(roles) > 3 or not all(scene.said[k].kind == "name" or _may_be_role(scene, k) for k in roles):
            continue
        after = scene.token(colon + 1)
        last_of = colon
        if after and after.kind == "number" and (scene.is_text(colon + 2, "x", "×", "*", ")") or _is_body(scene, colon + 2)):
            count, counted = int(after.value), (colon + 1, colon + 3)
            last_of = colon + 3 if _is_body(scene, colon + 2) else colon
        if any(colon < m.first < colon + 4 and not m.names("body") for m in scene.mentions):
            continue  # `web: 2 web servers`
        name = scene.quote(roles[0], roles[0] + 1) if scene.said[roles[0]].kind == "name" else ""
        role = "" if name else "-".join(scene.said[k].text for k in roles)
        label = _label(spread(name)[0] if name else role, labels)
        found.append(_Head(plain, i, i, last_of, "new", False, count, counted, label=label, role=role, line=True, name=name))
    return found
