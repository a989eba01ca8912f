"""Where a message names things: services and machines by the words that capabilities declare, and items by what they are
called. What becomes of each is told in tools.rules.hearing.groups.grouping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tools.rules.hearing.groups.head import ROLE_COUNT_MAX, TIMES, Head, Lead, free, is_whole, says_machine_size
from tools.rules.hearing.groups.pointing import pointed
from tools.rules.hearing.groups.roles import called, roles
from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.meanings import Mark, same
from tools.rules.names.naming import numbered
from tools.values.request import Item, Request

COUNT_MAX = 10_000
YEAR_MIN = 1900
ADJECTIVES_MAX = 10
NO_TITLES: Mapping[int, int] = {}
STARTING = (
    "lean", "for", "with", "join", "deny", "ask_for", "change", "link", "remove", "copy", "or", "each", "affirm", "polite", "ask",
    "touch", "keep",
)  # fmt: skip
"""What words do that no thing's own words begin before."""


def heads(scene: Scene, first: int, last: int, request: Request, titles: Mapping[int, int] = NO_TITLES) -> list[Head]:
    """`titles` are words that begin lines of a list as its names do."""
    found = [_head(scene, mark, first, request) for mark in scene.mentions if first <= mark.first and mark.last <= last]
    found += _items(scene, first, last, request)
    taken = {i for head in found for i in range(head.first, head.last)}
    everywhere = next((fact.value for fact in request.shared if fact.name == SECTION), "")
    for item, begin, end in pointed(scene, first, last, request.items, everywhere):
        if not taken & {*range(begin, end)} or scene.is_body(end - 1):
            lead = _lead(scene, begin, first)
            found.append(Head(item.capability, lead if lead.number else Lead(begin, "ref"), begin, end, label=item.label))
    found += roles(scene, first, last, found, request)
    found += called(scene, first, last, found, titles)
    for mark in scene.marks_in(first, last, "remove"):
        if any(scene.is_listed(i, "ours") for i in range(mark.first, mark.last)):  # `we can use the central one, leave ours out`
            services = {name for one in scene.mentions if one.first < mark.first for name in one.names("service")}
            found += [_meant(item, mark) for item in request.items if item.capability in services][-1:]
    for i in range(first, last):
        ones = scene.is_listed(i, "ones") and scene.kind(i) == "word"
        if not ones and not _are_more(scene, i):
            continue
        named = [one for one in scene.mentions if one.first < i and (ones or scene.denied[one.first])]
        lead = _lead(scene, i, first)
        if named and lead.number:
            found.append(Head(named[-1].names("service")[0], lead, i, i + 1))
    return found


def _are_more(scene: Scene, number: int) -> bool:
    """`two more with 4 cores`, of what there is already."""
    return scene.does(number, "more") and scene.kind(number - 1) == "number" and scene.does(number + 1, "with", "for")


def _meant(item: Item, mark: Mark) -> Head:
    return Head(item.capability, Lead(mark.first, "ref"), mark.first, mark.last, label=item.label)


def _head(scene: Scene, mark: Mark, floor: int, request: Request) -> Head:
    services, known = mark.names("service"), {item.capability for item in request.items}
    lead, body = _lead(scene, mark.first, floor), bool(mark.names("body"))
    capability = next((one for one in services if one in known), services[0])
    if counted := _count_behind(scene, mark.first, mark.last):
        lead = lead._replace(number=counted[0], counted=(mark.last, counted[1]))
    words = [i for i in range(lead.start, mark.first) if scene.kind(i) in ("word", "name")]
    before = [i for i in words if not scene.at(i).meanings or (body and same(scene.said[i].text) in scene.words.roles)]
    adjectives = tuple(scene.said[i].text for i in before if not scene.fills(i))
    opens = scene.is_text(mark.last, "(") or scene.does(mark.last, "with")
    sized = lead.intro == "new" or (lead.intro == "bare" and opens and says_machine_size(scene, mark.last, scene.sentence(mark.last)[1]))
    is_role = body and sized and len(adjectives) == 1 and scene.is_text(mark.first - 1, *adjectives)
    is_role = is_role and adjectives[0] not in scene.words.ordinals
    role = adjectives[0] if is_role and adjectives[0].isalpha() else ""
    label = free(role, request) if role else ""
    return Head(capability, lead, mark.first, mark.last, body, label, role, adjectives)


def _count_behind(scene: Scene, first: int, last: int) -> tuple[int, int] | None:
    """(how many, the token behind) of `web server x 3`, `web server (3)`, `web server x3`."""
    number = scene.token(last + 1)
    if number.kind == "number" and scene.is_text(last, "x", "×"):
        return int(number.value), last + 2
    if number.kind == "number" and scene.is_text(last, "(") and scene.is_text(last + 2, ")"):
        return int(number.value), last + 3
    counts = scene.recent and is_whole(scene, last, ROLE_COUNT_MAX) and not scene.token(last).text[0].isdecimal()
    if counts and scene.stops(last + 1) and scene.token(last - 1).text.endswith("s"):
        return int(scene.token(last).value), last + 1  # `app servers three`
    ends = scene.breaks(last + 2) and not any(scene.facts(i) for i in range(scene.clause(last - 1), first))  # `disk of the web server: 100`
    if number.kind == "number" and scene.is_text(last, ":") and ends and is_whole(scene, last + 1, ROLE_COUNT_MAX):
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
        elif scene.words.language != ENGLISH and scene.is_listed(i, "single") and scene.does(i - 1, "only"):
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
    return not counts_label and not version and not made and is_whole(scene, number, COUNT_MAX) and value > 0


def _items(scene: Scene, first: int, last: int, request: Request) -> Iterator[Head]:
    """Items of the request by what they are called: `the masters`, `db`, `app-01`, `the production one`, `the second one`."""

    def head(item: Item, i: int, last: int) -> Head:
        text, several = scene.said[i].text, machines[item.label]
        return Head(item.capability, Lead(i, "ref"), i, last, label=item.label, only=text if text in several[:-1] + several[1:] else "")

    machines = {item.label: tuple(dict.fromkeys((*machines_of(item), *_built(scene, item)))) for item in request.items}
    for item in request.items:
        called = ",".join(fact.value for name in ("name", "role") if (fact := item.fact(name)))
        words = {same(word.strip()) for word in (item.label, *called.split(","), *machines[item.label]) if word.strip()}
        alone = (fact for fact in request.shared if [one for one in request.items if one.fact(fact.name) is None] == [item])
        values = {fact.value.lower() for fact in (*item.facts, *(alone if len(request.items) > 1 else ()))}
        for i in range(first, last):
            chosen = {scene.said[i].text, *(one.value for one in scene.at(i).meanings if one.kind == "choice")}
            if scene.does(i - 1, "copy"):
                continue
            if scene.is_listed(i + 1, "one_of") and chosen & values:
                yield head(item, i, i + 2)
            if scene.kind(i) in ("word", "name", "quoted") and same(scene.said[i].text.strip("\"'`")) in words:
                yield head(item, i, i + 1)
    latest = [item for item in request.items if item.label in scene.latest] if len(request.items) > 1 else []
    for i in range(first, last - 1) if len(latest) == 1 else ():
        one = scene.is_listed(i, "that") and scene.is_listed(i + 1, "one_of")  # `that one with 32 GB`
        if one or scene.is_listed(i, "theirs"):
            yield head(latest[0], i, i + 1 + one)
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
