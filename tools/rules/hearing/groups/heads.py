"""Where a message names things: services and machines by the words that capabilities declare, items by what they are called, and machines
by what they do. What becomes of each is told in tools.rules.hearing.groups.grouping."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal, NamedTuple

from tools.rules.hearing.groups.naming import is_tagged, names_at
from tools.rules.hearing.groups.pointing import pointed
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import Mark, same
from tools.rules.names.naming import numbered, repair
from tools.values.request import Item, Request

COUNT_MAX = 10_000
YEAR_MIN = 1900
ROLE_COUNT_MAX = 500
ADJECTIVES_MAX = 10
TITLE_WORDS_MAX = 3
NO_TITLES: Mapping[int, int] = {}
ROLE_WORDS_MAX = 3
SMALL_SIZE_TOKENS_MAX = 8

Intro = Literal["new", "ref", "bare"]
"""`a database`, `the database`, `database`."""
TIMES = ("x", "×", "*")
STARTING = (
    "lean", "for", "with", "join", "deny", "ask_for", "change", "link", "remove", "copy", "or", "each", "affirm", "polite", "ask",
    "touch", "keep",
)  # fmt: skip
"""What words do that no thing's own words begin before."""


class Lead(NamedTuple):
    """The words before a thing's noun."""

    start: int
    intro: Intro = "bare"
    number: int | None = None
    counted: tuple[int, int] = (0, 0)
    """Where that is said."""
    another: bool = False
    more: bool = False
    """So many more of what there is."""


@dataclass(frozen=True)
class Head:
    """A thing where it is named, by tokens `first` up to `last`."""

    capability: str
    lead: Lead
    first: int
    last: int
    body: bool = False
    """It names nothing but what services run on."""
    label: str = ""
    """Of the item that is meant, or a word that tells a new one from others of its kind."""
    role: str = ""
    adjectives: tuple[str, ...] = ()
    """Words before its noun that nothing is known of: `the payroll vm`."""
    again: bool = False
    """As the one before it, but for what is said of it."""
    only: str = ""
    """The name of the one of an item's machines that is meant."""
    names: tuple[str, ...] = ()
    """Of machines that nothing but their names stands for: `db-2 with 4 cores`."""

    @property
    def start(self) -> int:
        return self.lead.start

    @property
    def intro(self) -> Intro:
        return self.lead.intro


def heads(scene: Scene, first: int, last: int, request: Request, titles: Mapping[int, int] = NO_TITLES) -> list[Head]:
    """`titles` are words that begin lines of a list as its names do."""
    found = [_head(scene, mark, first, request) for mark in scene.mentions if first <= mark.first and mark.last <= last]
    found += _items(scene, first, last, request)
    taken = {i for head in found for i in range(head.first, head.last)}
    for item, begin, end in pointed(scene, first, last, request.items):
        if not taken & {*range(begin, end)} or scene.is_body(end - 1):
            lead = _lead(scene, begin, first)
            found.append(Head(item.capability, lead if lead.number else Lead(begin, "ref"), begin, end, label=item.label))
    found += _roles(scene, first, last, found, request)
    found += _called(scene, first, last, found, titles)
    for mark in scene.marks_in(first, last, "remove"):
        if any(scene.is_listed(i, "ours") for i in range(mark.first, mark.last)):  # `we can use the central one, leave ours out`
            services = {name for one in scene.mentions if one.first < mark.first for name in one.names("service")}
            found += [_meant(item, mark) for item in request.items if item.capability in services][-1:]
    for i in range(first, last):
        named = [one for one in scene.mentions if one.first < i] if scene.is_listed(i, "ones") and scene.kind(i) == "word" else []
        lead = _lead(scene, i, first)
        if named and lead.number:
            found.append(Head(named[-1].names("service")[0], lead, i, i + 1))
    for mark in scene.marks_in(first, last, "same_again"):
        told = scene.does(mark.last, "for", "lean", "with", "affirm") or scene.at(mark.last).choices("environment")
        if found and told:
            found.append(Head(found[0].capability, Lead(mark.first), mark.first, mark.last, again=True))
    return found


def _meant(item: Item, mark: Mark) -> Head:
    return Head(item.capability, Lead(mark.first, "ref"), mark.first, mark.last, label=item.label)


def _head(scene: Scene, mark: Mark, floor: int, request: Request) -> Head:
    services, known = mark.names("service"), {item.capability for item in request.items}
    capability, body = next((one for one in services if one in known), services[0]), bool(mark.names("body"))
    lead = _lead(scene, mark.first, floor)
    if counted := _count_behind(scene, mark.last):
        lead = lead._replace(number=counted[0], counted=(mark.last, counted[1]))
    words = [i for i in range(lead.start, mark.first) if scene.kind(i) in ("word", "name")]
    before = [i for i in words if not scene.at(i).meanings or (body and same(scene.said[i].text) in scene.words.roles)]
    adjectives = tuple(scene.said[i].text for i in before if not scene.fills(i))
    opens = scene.is_text(mark.last, "(") or scene.does(mark.last, "with")
    sized = lead.intro == "new" or (lead.intro == "bare" and opens and says_machine_size(scene, mark.last, scene.sentence(mark.last)[1]))
    is_role = body and sized and len(adjectives) == 1 and scene.is_text(mark.first - 1, *adjectives)
    is_role = is_role and adjectives[0] not in scene.words.ordinals
    role = adjectives[0] if is_role and adjectives[0].isalpha() else ""
    if role and scene.any_does(scene.sentence(mark.first)[0], lead.start, "mends"):  # `sorry, 3 app servers`
        there = next((item for item in request.items if same(item.label) == same(role)), None)
        return Head(capability, lead, mark.first, mark.last, body, there.label if there else "", "", adjectives)
    label = _free(role, request) if role else ""
    return Head(capability, lead, mark.first, mark.last, body, label, role, adjectives)


def _count_behind(scene: Scene, last: int) -> tuple[int, int] | None:
    """(how many, the token behind) of `web server x 3`, `web server (3)`, `web server x3`."""
    number = scene.token(last + 1)
    if number.kind == "number" and scene.is_text(last, "x", "×"):
        return int(number.value), last + 2
    if number.kind == "number" and scene.is_text(last, "(") and scene.is_text(last + 2, ")"):
        return int(number.value), last + 3
    if scene.lately and _is_whole(scene, last, ROLE_COUNT_MAX) and scene.stops(last + 1) and scene.token(last - 1).text.endswith("s"):
        return int(scene.token(last).value), last + 1  # `app servers three`
    ends = scene.stops(last + 2) or scene.is_text(last + 2, ",")
    if number.kind == "number" and scene.is_text(last, ":") and ends and _is_whole(scene, last + 1, ROLE_COUNT_MAX):
        return int(number.value), last + 2  # `ci runners: 4, 8 cores each`
    at = last + scene.is_text(last, "(")
    times = re.fullmatch(r"x(\d{1,3})", scene.token(at).text)
    return (int(times[1]), at + 1) if times else None


def _lead(scene: Scene, first: int, floor: int) -> Lead:
    found = Lead(first)
    for i in range(first - 1, max(floor, first - ADJECTIVES_MAX) - 1, -1):
        mark = scene.at(i)
        if mark.does("another"):
            return Lead(mark.first, "new", 1, (mark.first, mark.last), another=True, more=True)
        if mark.does("more"):
            found = found._replace(more=True, start=i)
        elif scene.kind(i) == "number" and not mark.names("fact"):
            if _is_count(scene, i, first, floor):
                return found._replace(start=i, intro="new", number=int(scene.said[i].value), counted=(i, i + 1))
            found = found._replace(start=i)
        elif mark.does("article") and scene.kind(mark.first - 1) == "number" and mark.first - 1 >= floor:
            found = found._replace(start=mark.first, intro="new")  # `3 new VMs`
        elif scene.is_listed(i, "single") and scene.does(i - 1, "only") and scene.words.language != ENGLISH:
            return found._replace(start=mark.first, intro="new", number=1, counted=(i, i + 1))  # `nur noch ein Webserver`
        elif mark.does("article", "owned"):
            return found._replace(start=mark.first, intro="new" if mark.does("article") else "ref")
        elif (
            scene.used[i]
            or scene.stops(i)
            or mark.does(*STARTING)
            or mark.names("relation")
            or (scene.kind(i) == "mark" and not scene.is_text(i, *TIMES, "/", "-"))
        ):
            break
        else:
            found = found._replace(start=i)
    return found


def _is_count(scene: Scene, number: int, first: int, floor: int) -> bool:
    """Not a version (`Debian 12 server`), and not what a label behind it counts (`4 cores server`)."""
    value, after, behind = scene.said[number].value, scene.at(number + 1), scene.at(number - 1)
    is_role = same(scene.token(number + 1).text) in scene.words.roles and scene.is_body(number + 2)  # `3 worker VMs`
    counts_label = not is_role and bool(scene.facts(number + 1) & scene.words.counting) and not after.has("body") and number + 1 < first
    named = scene.mention_before(number)
    of_it = (
        named is not None and scene.does(named.first - 1, "owned") and scene.token(first).text.endswith("s")
    )  # `the postgres 5 machines`
    version = number > floor and not of_it and (behind.has("choice") or bool(set(behind.names("fact")) & scene.words.placing))
    version = version or (value > YEAR_MIN and is_day_word(scene.token(number - 1).text))  # `1 February 2027`
    made = number - 1 > floor and scene.kind(number - 1) == "word" and not behind.meanings and scene.does(number - 2, "article")
    return not counts_label and not version and not made and _is_whole(scene, number, COUNT_MAX) and value > 0


def _is_whole(scene: Scene, number: int, most: int) -> bool:
    token = scene.token(number)
    return token.kind == "number" and 1 <= token.value <= most and token.value == int(token.value)


def _items(scene: Scene, first: int, last: int, request: Request) -> Iterator[Head]:
    """Items of the request by what they are called: `the masters`, `db`, `app-01`, `the production one`, `the second one`."""

    def head(item: Item, i: int, last: int) -> Head:
        text, several = scene.said[i].text, machines[item.label]
        return Head(item.capability, Lead(i, "ref"), i, last, label=item.label, only=text if text in several[:-1] + several[1:] else "")

    machines = {item.label: tuple(dict.fromkeys((*machines_of(item), *_built(scene, item)))) for item in request.items}
    for item in request.items:
        called = ",".join(fact.value for name in ("name", "role") if (fact := item.fact(name)))
        words = {same(word.strip()) for word in (item.label, *called.split(","), *machines[item.label]) if word.strip()}
        values = {fact.value.lower() for fact in item.facts}
        for i in range(first, last):
            chosen = {scene.said[i].text, *(one.value for one in scene.at(i).meanings if one.kind == "choice")}
            if scene.does(i - 1, "copy"):
                continue
            if scene.is_listed(i + 1, "one_of") and chosen & values:
                yield head(item, i, i + 2)
            if scene.kind(i) in ("word", "name", "quoted") and same(scene.said[i].text.strip("\"'`")) in words:
                yield head(item, i, i + 1)
    for i in range(first, last - 1) if len(request.items) > 1 else ():
        ordinal = scene.words.ordinals.get(scene.said[i].text, len(request.items))
        if len(request.items) > ordinal and (scene.is_body(i + 1) or scene.is_listed(i + 1, "one_of")):
            yield head(request.items[ordinal], i, i + 2)


def _built(scene: Scene, item: Item) -> tuple[str, ...]:
    return tuple(name.lower() for names in scene.known.built.get(item.label, {}).values() for name in names)


def machines_of(item: Item) -> tuple[str, ...]:
    """What its machines are called, when it was said."""
    name, count = item.fact("name"), item.fact("count")
    several = quantities.count(count.value) if count else None
    return tuple(one.lower() for one in numbered(name.value, min(several or 1, ROLE_COUNT_MAX))) if name else ()


def _may_be_role(scene: Scene, number: int) -> bool:
    """A word that has no part in building the sentence, and is no label of an amount."""
    token, mark = scene.token(number), scene.at(number)
    if token.kind != "word" or len(token.text) < 2 or scene.used[number] or scene.is_listed(number, "no_role"):
        return False
    if mark.has("does", "wish") or scene.fills(number) or mark.choices("environment") or is_day_word(token.text):
        return False
    ours = scene.words.able[scene.words.plain].by_name.keys()
    means = scene.facts(number) or not ours.isdisjoint(mark.names("choice"))
    return not means or mark.has("part") or same(token.text) in scene.words.roles


def _roles(scene: Scene, first: int, last: int, mentioned: Sequence[Head], request: Request) -> list[Head]:
    """`3 masters with 4 cores`, `a head node with 8 cores`, `one web and one indexer machine`: machines called by what they do."""
    taken = {i for head in mentioned for i in range(head.start, head.last)}
    found = []
    articles = (mark.first for mark in scene.marks_in(first, last - 1, "article"))
    for i in sorted({*scene.of_kind(first, last - 1, "number"), *articles}):
        counts = _is_whole(scene, i, ROLE_COUNT_MAX) or scene.does(i, "article")
        head = _role_at(scene, i, last, mentioned, request) if counts and scene.is_left(i) and i not in taken else None
        if head and not taken & set(range(head.first, head.last)):
            found.append(head)
    return found


def applications(scene: Scene, named: Sequence[Head]) -> list[Head]:
    """What asks for a machine by itself, where it is one of several things: `GitLab for 200 developers, and two runner VMs`, `1x MySQL`,
    `Jellyfin (4 cores, 8 GB), Vaultwarden (1 core, 1 GB)`."""
    floor = min((head.start for head in named), default=len(scene.said))
    marks = [
        (mark, fact) for fact in scene.words.alone for mark in scene.marks_of(fact) if mark.choices(fact) and not scene.denied[mark.first]
    ]
    sized = [mark for mark, _ in marks if _is_sized(scene, mark)]
    if any(head.body and head.lead.number == 1 and scene.does(head.start - 1, "lean") for head in named):
        floor = 0  # `WordPress and MySQL on one VM`
    found = []
    for mark, fact in marks:
        lead = _counted(scene, mark)
        if lead.number or (mark in sized and len(sized) > 1) or (mark.last <= floor and _is_for_many(scene, mark, fact, floor)):
            found.append(Head(scene.words.alone[fact], lead, mark.first, mark.last))
    return found


def _counted(scene: Scene, mark: Mark) -> Lead:
    """`1x MySQL`, `and 2 Grafana` in a list."""
    at = mark.first - 1
    while scene.is_text(at, *TIMES):
        at -= 1
    opens = scene.stops(at - 1) or scene.is_text(at - 1, ",", "-", "*") or scene.does(at - 1, "join", "ask_for")
    counts = at < mark.first - 1 and _is_whole(scene, at, ROLE_COUNT_MAX) and opens
    return Lead(at, "new", int(scene.said[at].value), (at, mark.first)) if counts else Lead(mark.first, "new")


def _is_sized(scene: Scene, mark: Mark) -> bool:
    """`Jellyfin (4 cores, 8 GB)`."""
    close = scene.find(mark.last, scene.sentence(mark.last)[1], ")") if scene.is_text(mark.last, "(") else None
    return close is not None and says_machine_size(scene, mark.last + 1, close, fully=True)


def _is_for_many(scene: Scene, mark: Mark, fact: str, floor: int) -> bool:
    counts = scene.does(mark.last, "for") and scene.has(mark.last, mark.last + 4, "number")
    end = scene.skip(mark.last, floor, "join", texts=(",",))
    each = scene.any_does(mark.last, mark.last + 3, "each") or (end > mark.last and {*scene.at(end).names("choice")} & {fact})
    opens = scene.stops(mark.first - 1) or scene.is_text(mark.first - 1, ",") or scene.does(mark.first - 1, "article", "ask_for", "join")
    before = mark.first - 1
    while scene.is_text(before, ",") or scene.does(before, "join"):
        before -= 1
    each = each or (before < mark.first - 1 and bool({*scene.at(before).names("choice")} & {fact}))
    return opens and bool(counts or each)  # `Gitea and Grafana, each on a VM of its own`


def new_places(scene: Scene, named: Sequence[Head]) -> list[Head]:
    """`make a VLAN 60 network for the lab`: the place itself is asked for, where nothing is that could be there."""
    for fact, capability in scene.words.alone.items() if not named else ():
        for mark in scene.marks_of(fact):
            article, after = mark.first - 1, mark.last
            opens = scene.does(article, "article") and (scene.stops(article - 1) or scene.does(article - 1, "ask_for", "article"))
            told = (
                scene.stops(after) or scene.kind(after) in ("number", "name", "mark") or scene.does(after, "for", "with", "called", "lean")
            )
            ends = scene.stops(after + 1) or scene.is_text(after + 1, ",") or scene.at(after + 1).meanings
            told = told or (scene.kind(after) == "word" and not scene.is_body(after) and bool(ends))  # `a vnet dmz in zone z1`
            if mark.names("fact") and opens and told and not scene.denied[mark.first]:
                return [Head(capability, Lead(article, "new"), article, mark.first)]
    return []


def titles(scene: Scene, spans: Sequence[tuple[int, int, bool]]) -> dict[int, int]:
    """`jellyfin - 4 cores, 8 GB` above `pihole: 1 core, 1 GB`: words that begin lines of a list, each with the size of a machine:
    (where they begin, the token behind)."""
    lines = [(i, scene.sentence(i)[1]) for first, last, _ in spans for i in range(first, last) if i == first or scene.is_text(i - 1, "\n")]
    listed = {first for first, _, is_listed in spans if is_listed}
    found: dict[int, int] = {}
    for first, last in lines:
        end = first + 1
        while end < first + TITLE_WORDS_MAX and scene.kind(end) == "word" and not scene.facts(end) - {COUNT}:
            end += 1
        if end > first + 1 and not scene.is_text(end, ":") and not _names_application(scene, first):
            end = first + 1  # `lark two cores`
        plain = scene.is_plain_word(first) or (end > first + 1 and scene.is_plain_word(end - 1))
        named = plain or same(scene.token(first).text) in scene.words.roles or _names_application(scene, first)
        if (
            (first in listed or scene.is_text(end, ":"))
            and named
            and not scene.is_listed(first, "no_role", "preferred")
            and scene.is_text(end, *":(=-–—", *([","] if _names_application(scene, first) else []))
            and says_machine_size(scene, end + 1, last, fully=True)
        ):
            found[first] = end
    return found if len(found) > 1 else {}


def _titled(scene: Scene, first: int, last: int) -> Head:
    """A word of its own is its name; `unifi controller` is none."""
    names = (scene.quote(first, last),) if last - first == 1 else ()
    return Head(scene.words.plain, Lead(first, "new"), first, last, names=names)


def _names_application(scene: Scene, number: int) -> bool:
    return not scene.words.alone.keys().isdisjoint(scene.at(number).names("choice"))


def _called(scene: Scene, first: int, last: int, named: Sequence[Head], titles: Mapping[int, int]) -> list[Head]:
    """`ord-fe-01: 2 cores, 4 GB`, `k8w-1 and k8w-2 (8 cores, 32 GB)`, `db-2 same as db-1`: names with figures of their own."""
    taken = {i for head in named for i in range(head.start, head.last)}
    begins = [i for i in range(first, last) if i in titles and i not in taken and scene.is_left(i)]
    found, end = [_titled(scene, i, titles[i]) for i in begins], first
    if begins:
        return found
    for i in scene.of_kind(first, last, "name"):
        lead = scene.at(i - 1)
        of_another = lead.does("called", "copy", "change", "lean", "for", "owned") or lead.has("relation")
        of_another = of_another or scene.mention_before(i) is not None or (lead.does("article") and "." in scene.said[i].text)
        of_another = of_another or (lead.has("fact") and same(scene.token(i - 1).text) not in scene.words.roles)
        if i < end or i in taken or not scene.is_left(i) or scene.at(i).meanings or of_another:
            continue
        end, names = names_at(scene, i, last, sure=False)
        opens = scene.does(end, "with", "each") or scene.is_text(end, *":(=-")
        close = scene.find(end, last, ")") if scene.is_text(end, "(") else None
        opens_line = scene.stops(i - 1) or (scene.is_text(i - 1, "-", "*", "•") and scene.stops(i - 2))
        lined = opens_line and scene.kind(end) == "number"  # `web-a 2c 4g 20g`
        goes_on = scene.is_text(end, ",") and not {*lead.names("fact")} & scene.words.placing  # not `node pve2, 2 cores, 4 GB`
        sized = says_machine_size(scene, end, close or last, fully=not opens) and (opens or lined or goes_on)
        scaled = opens and scene.any_does(end, end + 3, "half", "double")
        placed = opens_line and "address" in scene.at(end).names("fact") and scene.is_text(end + 1, "=")  # `web1 ansible_host=10.2.0.4`
        placed = placed or (opens_line and scene.kind(end) == "address" and scene.stops(end + 1))
        if names and (scene.does(end, "copy") or sized or scaled or placed or is_tagged(scene, end)):
            found.append(Head(scene.words.plain, Lead(i, "new"), i, end, names=names))
    return found


def _role_at(scene: Scene, i: int, last: int, mentioned: Sequence[Head], request: Request) -> Head | None:
    counts = scene.kind(i) == "number"
    if counts and scene.is_text(i + 1, *TIMES) and _may_be_role(scene, i - 1) and says_machine_size(scene, i + 2, last):
        start = i - 1 - _may_be_role(scene, i - 2)
        role = same("-".join(scene.said[k].text for k in range(start, i)))  # `data nodes 3 x 2 cores / 8 GB`
        lead = Lead(start, "new", int(scene.said[i].value), (i, i + 2))
        return Head(scene.words.plain, lead, start, i, label=_free(role, request), role=role)
    first = end = scene.skip(i + 1, last, texts=TIMES)
    while end < min(first + ROLE_WORDS_MAX, last) and _may_be_role(scene, end) and not scene.is_body(end):
        end += 1
    words, noun = end - first, end < last and scene.is_body(end)
    shares_noun = any(head.first > end and head.body and head.start - end <= 1 for head in mentioned)
    elliptic = counts and 1 <= words <= 2 and scene.does(end, "join") and shares_noun
    end += noun
    opens = scene.does(end, "with", "each", "for", "lean") or scene.is_text(end, ":", "(", "-", "@", *([","] if words else []))
    if not (noun or counts) or not (words or (noun and counts)):
        return None
    lined = counts and words == 1 and not noun and scene.stops(end) and (scene.stops(i - 1) or scene.is_text(i - 1, "-", "*", "•"))
    beside = lined and same(scene.token(first).text) in scene.words.roles and any(mark.names("body") for mark in scene.mentions)
    asked = counts and noun and not words and scene.does(i - 1, "ask_for") and scene.said[end - 1].text.endswith("s")  # `provision 3 hosts`
    if (
        not elliptic
        and not beside
        and not asked
        and not (says_machine_size(scene, end, last) and (opens or (noun and not scene.denied[end - 1])))
    ):
        return None
    role = "-".join(scene.said[k].text for k in range(first, first + max(words, 1)) if not scene.is_body(k))
    role = same(role) if noun or elliptic or beside else role
    lead = Lead(i, "new", int(scene.said[i].value) if counts else None, (i, first) if counts else (0, 0))
    return Head(scene.words.plain, lead, first, end, not words, _free(role, request) if role else "", role)


def _free(text: str, request: Request) -> str:
    return free_label(repair(text) or "item", {item.label for item in request.items})


def free_label(text: str, taken: Container[str]) -> str:
    """`web_server`, `web_server-2`, …"""
    return next(one for one in chain([text], (f"{text}-{number}" for number in count(2))) if one not in taken)


def says_machine_size(scene: Scene, first: int, last: int, *, fully: bool = False) -> bool:
    """Whether the words that follow say how large a machine is; `fully`: in more than one figure."""
    end = min(max(scene.sentence(first)[1], first), last)
    sizes = sum(scene.kind(i) == "size" or "cpu_count" in scene.at(i).names("fact") for i in range(first, end))
    return sizes >= 2 or (sizes == 1 and not fully and end - first <= SMALL_SIZE_TOKENS_MAX)
