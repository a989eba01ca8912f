"""Machines that a message asks for without a word for them: by what they do, by an application, by their names or a title with a size; and
places that are asked for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.rules.hearing.groups.head import ROLE_COUNT_MAX, TIMES, Head, Lead, free, is_whole, says_machine_size
from tools.rules.hearing.groups.naming import is_tagged, names_at
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import Mark, same
from tools.values.request import Request

TITLE_WORDS_MAX = 3
ROLE_WORDS_MAX = 3
ID_MIN = 100
COUNTED_MAX = 2
"""Tokens between a title and the machines that it counts: `Web: 2 VMs`."""


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


def roles(scene: Scene, first: int, last: int, mentioned: Sequence[Head], request: Request) -> list[Head]:
    """`3 masters with 4 cores`, `a head node with 8 cores`, `one web and one indexer machine`: machines called by what they do."""
    taken = {i for head in mentioned for i in range(head.start, head.last)}
    found = []
    articles = (mark.first for mark in scene.marks_in(first, last - 1, "article"))
    for i in sorted({*scene.of_kind(first, last - 1, "number"), *articles}):
        counts = (is_whole(scene, i, ROLE_COUNT_MAX) and id_at(scene, i) == i) or scene.does(i, "article")
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
    counts = at < mark.first - 1 and is_whole(scene, at, ROLE_COUNT_MAX) and opens
    return Lead(at, "new", int(scene.said[at].value), (at, mark.first)) if counts else Lead(mark.first, "new")


def _is_sized(scene: Scene, mark: Mark) -> bool:
    """`Jellyfin (4 cores, 8 GB)`."""
    close = scene.find(mark.last, scene.sentence(mark.last)[1], ")") if scene.is_text(mark.last, "(") else None
    return close is not None and says_machine_size(scene, mark.last + 1, close, fully=True)


def _is_for_many(scene: Scene, mark: Mark, fact: str, floor: int) -> bool:
    counts = scene.does(mark.last, "for") and scene.has(mark.last, mark.last + 4, "number")
    end = scene.skip(mark.last, floor, "join", texts=(",",))
    each = scene.any_does(mark.last, mark.last + 3, "each") or (end > mark.last and {*scene.at(end).names("choice")} & {fact})
    opens = scene.breaks(mark.first - 1, "article", "ask_for", "join")
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
            ends = scene.breaks(after + 1) or scene.at(after + 1).meanings
            told = told or (scene.kind(after) == "word" and not scene.is_body(after) and bool(ends))  # `a vnet dmz in zone z1`
            if mark.names("fact") and opens and told and not scene.denied[mark.first]:
                return [Head(capability, Lead(article, "new"), article, mark.first)]
    return []


def titles(scene: Scene, spans: Sequence[tuple[int, int, bool]]) -> dict[int, int]:
    """`jellyfin - 4 cores, 8 GB` above `pihole: 1 core, 1 GB`: words that begin lines of a list, or sentences, each with the size of a
    machine: (where they begin, the token behind)."""
    lines = [(i, scene.sentence(i)[1]) for first, last, _ in spans for i in range(first, last) if i == first or scene.stops(i - 1)]
    begun = {i for i, _ in lines if i == 0 or scene.is_text(i - 1, "\n", "")} | {first for first, _, _ in spans}
    listed = {id_at(scene, first) for first, _, is_listed in spans if is_listed}
    found: dict[int, int] = {}
    for line, last in lines:
        first = id_at(scene, line)
        end = first + 1
        while end < first + TITLE_WORDS_MAX and scene.kind(end) == "word" and not scene.facts(end) - {COUNT}:
            end += 1
        if end > first + 1 and not scene.is_text(end, ":") and not _names_application(scene, first):
            end = first + 1  # `lark two cores`
        if _names_application(scene, first) and not scene.is_text(end, *":(=-–—,"):
            end = scene.at(first).last  # `Nextcloud for the family, 4 cores`
        plain = scene.is_plain_word(first) or (end > first + 1 and scene.is_plain_word(end - 1))
        named = plain or same(scene.token(first).text) in scene.words.roles or _names_application(scene, first)
        if (
            (first in listed or first > line or scene.is_text(end, ":"))
            and not any(
                mark.first - end <= (COUNTED_MAX if line in begun else last - end) for mark in scene.mentions if end <= mark.first < last
            )
            and named
            and not scene.is_listed(first, "no_role", "preferred")
            and scene.is_text(end, *":(=-–—", *([",", "for"] if _names_application(scene, first) else []))
            and says_machine_size(scene, end + 1, last, fully=True)
        ):
            found[first] = end
    services = (m for m in scene.mentions if scene.stops(m.first - 1) and scene.is_text(m.last, ":"))  # `Database machine: 8 cores, 64 GB`
    beside = any(says_machine_size(scene, m.last, scene.sentence(m.first)[1], fully=True) for m in services)
    return found if len(found) + beside > 1 else {}


def id_at(scene: Scene, first: int) -> int:
    """`101 adguard - 1 core, 512 MB`, `vmid 210: nextcloud`: the token behind the number of a guest, which begins at a hundred, where a
    line begins with that; else the line's own beginning."""
    number = first + ("vm_id" in scene.at(first).names("fact") or scene.is_listed(first, "identifiers"))
    begins = scene.stops(first - 1) or (scene.is_text(first - 1, "-", "*", "•") and scene.stops(first - 2))
    end = scene.skip(number + 1, number + 2, texts=(":", "-"))
    counts = scene.kind(number) == "number" and scene.token(number).value >= ID_MIN
    return end if begins and counts and scene.kind(end) in ("word", "name") else first


def _titled(scene: Scene, first: int, last: int) -> Head:
    """A word of its own is its name; `unifi controller` is none, nor is `Front ends`, of which `two front ends` were said before."""
    words = [same(scene.token(i).text) for i in range(first, last)]
    for i in scene.of_kind(0, first - len(words), "number"):
        if [same(scene.token(i + 1 + n).text) for n in range(len(words))] == words and is_whole(scene, i, ROLE_COUNT_MAX):
            scene.use(i, i + 1 + len(words))
            return Head(scene.words.plain, Lead(first, "new", int(scene.said[i].value), (i, i + 1)), first, last)
    names = (scene.quote(first, last),) if last - first == 1 else ()
    return Head(scene.words.plain, Lead(first, "new"), first, last, names=names)


def _names_application(scene: Scene, number: int) -> bool:
    return not scene.words.alone.keys().isdisjoint(scene.at(number).names("choice"))


def called(scene: Scene, first: int, last: int, named: Sequence[Head], titles: Mapping[int, int]) -> list[Head]:
    """`ord-fe-01: 2 cores, 4 GB`, `k8w-1 and k8w-2 (8 cores, 32 GB)`, `db-2 same as db-1`: names with figures of their own."""
    taken = {i for head in named for i in range(head.start, head.last)}
    begins = [i for i in range(first, last) if i in titles and i not in taken and scene.is_left(i)]
    found, end = [_titled(scene, i, titles[i]) for i in begins], first
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
        return Head(scene.words.plain, lead, start, i, label=free(role, request), role=role)
    first = end = scene.skip(i + 1, last, texts=TIMES)
    close = scene.find(first, scene.sentence(i)[1], ")") if counts and first > i + 1 and scene.is_text(first, "(") else None
    if close and says_machine_size(scene, first, close, fully=True):  # `2x (4 cores, 8 GB) for the app`
        return Head(scene.words.plain, Lead(i, "new", int(scene.said[i].value), (i, first)), i, first, body=True)
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
    return Head(scene.words.plain, lead, first, end, not words, free(role, request) if role else "", role)
