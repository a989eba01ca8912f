"""Reads the facts that are no amounts: keys, regions, days, versions, choices, free texts. Those of places and ports are read in places
and ports. Each kind has one function over a stretch of the message; what it makes use of is marked as used. It knows kinds of facts and
no product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from tools.rules.hearing.assignment.listing import named_rows, say_row, takes_away
from tools.rules.hearing.assignment.places import address, folders, networks, nodes, subnet
from tools.rules.hearing.assignment.ports import ports, sources
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.groups.naming import BUILDING, is_host, is_value_word, names_at
from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.tokens.dates import days
from tools.rules.hearing.words.meanings import Mark
from tools.rules.names import regions as azure_regions
from tools.values.wanted import Kind, Wanted

TEXT_LENGTH_MAX = 200
DAY_TOKENS_MAX = 8
"""Of a day that stands before its word."""
NO_KEY = "no key"
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")


def read_facts(at: Stretch) -> None:
    """Everything but amounts, in an order in which the surest kinds come first: an address that needs no label comes after the others."""
    for kind, read in READERS.items() if at.first < at.last else ():
        for one in sorted(at.able.by_kind.get(kind, ()), key=lambda one: (one.unlabelled, one.name == "address")):
            read(at, one)


def _keys(at: Stretch, one: Wanted) -> None:
    """A public key is kept whole; of a private one only its first line is repeated, so that the operator can be warned."""
    scene = at.scene
    private = _PRIVATE_KEY.search(scene.text, scene.said[at.first].start)
    if private:
        at.found.say(one.name, private.group(), private.group())
        scene.use(scene.tokens_between(*private.span())[0], len(scene.said))
        return
    for i in scene.of_kind(at.first, at.last, "key"):
        if not scene.used[i]:
            at.say(one.name, scene.quote(i, i + 1), i, i + 1)
    for mark in at.labels(one):
        if scene.denied[mark.first]:
            at.say(one.name, NO_KEY, scene.denied_from(mark.first), mark.last)


def _regions(at: Stretch, one: Wanted) -> None:
    """`not eastus but westus2` names one; two are both kept, so that somebody is asked; `eastusss` is kept as it was typed."""
    scene = at.scene
    low = scene.said[at.first].start
    part = scene.text[low : scene.said[at.last - 1].end]

    def ours(found: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        spans = [(name, *scene.tokens_between(low + start, low + end)) for name, start, end in found]
        return [(name, a, b) for name, a, b in spans if a < b and scene.free(a, b) and not scene.denied[a]]

    like = [
        one for one in ours(list(azure_regions.lookalikes(part))) if scene.is_plain_word(one[1]) or scene.kind(one[1]) == "name"
    ]  # not `at least 12 workers`
    kept = ours(list(azure_regions.found(part))) or like[:1]
    if kept:
        last = kept[-1] if len({name for name, _, _ in kept}) > 1 else kept[0]
        value = scene.quote(kept[0][1], last[2])
        at.found.say(one.name, value, value)
        for _, a, b in kept:
            scene.use(a, b)


def _dates(at: Stretch, one: Wanted) -> None:
    """`until Friday`, `needed by 1 May`; `a VM for three weeks` is needed until then."""
    scene = at.scene
    if one.name == "until":
        _say_range(at)
    marks = at.marks(one.name)
    if one.name == "until":  # `we'd delete it again at the end of January`
        marks = [*marks, *(mark for mark in at.marks("take_away") if scene.does(mark.last, "them") and mark not in marks)]
    for mark in marks:
        begin = mark.first if mark.does("lean") else mark.last
        end = min(begin + 12, at.last)
        if scene.denied[mark.first] or not scene.free(mark.first, mark.last) or _is_of_a_person(scene, mark):
            continue
        if scene.is_listed(mark.first, "behind"):
            _say_date_before(at, one, mark)
        if begin >= end or scene.is_listed(mark.first, "behind"):
            continue
        start = scene.said[mark.last - 1].start  # `need it in two weeks`
        stretch = scene.text[start : scene.said[end - 1].end]
        day = next(iter(days(stretch, at.today)), None)
        lead = stretch[scene.said[mark.last - 1].end - start : day.start] if day else ""
        if day and len(lead.split()) <= 4 and not re.search(r"[.;!?\n]", lead):
            again = one.name == "needed_by" in at.found.facts and mark.does("until")  # `ab dem 11. Januar bis zum 30. Juli`
            at.say("until" if again else one.name, day.iso, mark.first, scene.tokens_between(start + day.start, start + day.end)[1])
    for first, last, iso in _from_on(at) if one.name == "needed_by" else ():
        at.say(one.name, iso, first, last)
    for i in (mark.first for mark in at.marks("for")) if one.name == "until" else ():
        if (
            scene.is_left(i) and one.name not in at.found.facts and not scene.any_does(scene.clause(i), i, "keep")
        ):  # `keep metrics for 90 days`
            day = next(iter(days(scene.quote(i, min(i + 4, at.last)), at.today)), None)
            if day and day.start == 0:
                at.say(one.name, day.iso, i, scene.chunk(i, day.end))


def _is_of_a_person(scene: Scene, mark: Mark) -> bool:
    """`- Hugo on vacation until 7 December`: a line of a list that names nothing of ours before its day."""
    begin = scene.sentence(mark.first)[0]
    words = [i for i in range(begin, mark.first) if scene.kind(i) == "word" and not scene.does(i, "lean")]
    end = scene.sentence(mark.first)[1]
    named = scene.is_text(begin + 2, ":") and not scene.at(begin + 1).meanings and not scene.has(begin, end, *QUANTITIES)
    others = named and not any(
        begin <= one.first < end and one.names("body") for one in scene.mentions
    )  # `* all: review the rules by Friday`
    return scene.is_text(begin, "-", "*", "•") and len(words) > 1 and (others or all(scene.is_plain_word(i) for i in words))


def _from_on(at: Stretch) -> Iterator[tuple[int, int, str]]:
    """`from Monday on`."""
    scene = at.scene
    for i in scene.of_kind(at.first, at.last, "word"):
        if scene.is_listed(i, "from") and scene.is_left(i):
            start = scene.said[i].end
            day = next(iter(days(scene.text[start : scene.token(min(i + 8, at.last - 1)).end], at.today)), None)
            end = scene.tokens_between(start, start + day.end)[1] if day and day.start <= 1 else 0
            if day and end and scene.is_listed(end, "onwards"):
                yield i, end + 1, day.iso


def _say_date_before(at: Stretch, one: Wanted, mark: Mark) -> None:
    """`18 Aralık'a kadar`: the day stands right before its word."""
    scene, begin = at.scene, max(mark.first - DAY_TOKENS_MAX, at.first)  # `am 11.12. wieder weg`
    start = scene.token(begin).start
    for day in days(scene.quote(begin, mark.first), at.today)[-1:]:
        first, last = scene.tokens_between(start + day.start, start + day.end)
        if mark.first - last <= 3:
            at.say(one.name, day.iso, first, mark.last)


def _say_range(at: Stretch) -> None:
    """`from 7 December to 18 December`: needed by the one, until the other."""
    scene, start = at.scene, at.scene.said[at.first].start
    found = days(scene.quote(at.first, at.last), at.today)
    for day, after in pairwise(found):
        first, last = scene.tokens_between(start + day.start, start + day.end)
        begin, end = scene.tokens_between(start + after.start, start + after.end)
        begin = max(begin, first)
        to = scene.words.joins_days(scene.text[start + day.end : start + after.start])
        if to and day.iso < after.iso and scene.is_left(first) and scene.is_left(begin):
            at.say("needed_by", day.iso, first - scene.is_listed(first - 1, "from"), last)
            at.say("until", after.iso, last, end)


def _choices(at: Stretch, one: Wanted) -> None:
    """What belongs to a thing that is only spoken of (`the production load balancer`) chooses nothing. Of several the last one wins, where
    a word between them corrects the one before; else it is asked."""
    scene, said = at.scene, list[tuple[str, Mark]]()
    for mark in scene.marks_in(at.first, at.last, one.name):
        values = tuple(value for value in mark.choices(one.name) if value in dict(one.choices))  # no make of database is one of web server
        labels = one.name in mark.names("fact") and scene.at(mark.last).choices(one.name)  # `stage production`
        if labels:
            scene.use(mark.first, mark.last)
        if not values or labels or not scene.says_more(mark.first, mark.last) or _is_ordinary(scene, mark):
            continue
        if one.place and not _says_where(scene, mark):
            continue
        lead = mark.first - 1 - scene.does(mark.first - 1, "owned")
        taken_back = scene.does(lead, "remove") and not scene.does(lead, "keep")  # `forget windows, debian 12`
        if scene.denied[mark.first] or taken_back or (one.several and takes_away(scene, mark.first)):
            at.deny(one, values[0], mark.first, mark.last)
            if one.several:
                scene.use(mark.first, mark.last)
        elif one.several:
            say_row(at, one, values[:1], mark.first, mark.last)
        elif not _is_of_another(scene, mark):
            is_glued = scene.token(mark.last).glued and scene.kind(mark.last) == "number"  # `debian12`
            at.found.say(one.name, values[0], scene.quote(mark.first, mark.last + is_glued))
            scene.use(mark.first, mark.last)
            said.append((values[0], mark))
    if one.name == SECTION and not said and any(_is_other_place(scene, i) for i in range(at.first, at.last)):
        at.found.open.add(one.name)
    if len({value for value, _ in said}) > 1 and not scene.corrects(said[0][1].last, said[-1][1].last + 1):
        at.found.either[one.name] = {value: scene.quote(mark.first, mark.last) for value, mark in said}


def _is_other_place(scene: Scene, number: int) -> bool:
    """`one for testing`, `(test)`: a stage that is none of ours."""
    closes = scene.breaks(number + 1, "join", signs=(")",))
    opens = scene.is_text(number - 1, ",", "(") or scene.does(number - 1, "for", "lean")
    return scene.is_listed(number, "other_places") and closes and opens


def _is_ordinary(scene: Scene, mark: Mark) -> bool:
    """`where the data will live`, `at this stage`: an ordinary word."""
    usual = scene.words.ordinary.get(scene.said[mark.first].text, {"before": [], "after": []})
    alone = mark.last - mark.first == 1
    return alone and (scene.is_text(mark.first - 1, *usual["before"]) or scene.is_text(mark.last, *usual["after"]))


def _says_where(scene: Scene, mark: Mark) -> bool:
    """`in Azure`, `an Azure VM`, `deploy it to Azure`; not `Azure AD`, `that talks to Azure`, `a runner for Azure DevOps`."""
    lead = mark.first - 1
    while scene.does(lead, "owned", "article"):
        lead -= 1
    if any(scene.is_listed(i, "within") for i in (lead, mark.first)):
        return True
    if scene.is_text(lead, "to"):
        clause = range(scene.clause(mark.first), lead)
        return any(scene.does(i, "ask_for", "change") for i in clause) and not any(scene.is_listed(i, "relative") for i in clause)
    led = scene.does(lead, "with", "for", "lean") and not scene.at(lead).names("fact")
    return not led and not scene.is_plain_word(mark.last)


def _is_of_another(scene: Scene, mark: Mark) -> bool:
    """`the production load balancer`, `behind our nginx`: the word tells something that is there already."""
    tells = scene.kind(mark.last) == "word" and not scene.at(mark.last).has("part", "choice") and not scene.facts(mark.last)
    noun = tells and not scene.mention_at(mark.last) and not scene.does(mark.last, *BUILDING, "only")
    owned, sign = scene.does(mark.first - 1, "owned"), scene.find(mark.last, scene.sentence(mark.first)[1], "=", ":")
    if sign and "ports" in scene.at(sign + 1).names("fact"):
        return True  # `shared staging postgres = port 5432`
    if any("template" in scene.at(i).names("fact") for i in (mark.last, mark.last + 1)):
        return False  # `from the Debian 12 template`
    before = mark.first - 1 - owned
    leads = scene.is_listed(before, "leads_to_another") and scene.at(before).first == before  # and no `would like`
    leads = leads or (owned and scene.is_listed(before, "as"))  # `the same hardware as the production one`
    return leads or (noun and owned and scene.does(mark.first - 2, "lean"))


def _yes_no(at: Stretch, one: Wanted) -> None:
    scene = at.scene
    for mark in at.labels(one):
        begin = mark.last + scene.is_text(mark.last, ":", "=")
        if begin > mark.last and begin < at.last and scene.is_listed(begin, "yes", "no"):
            at.say(one.name, "yes" if scene.is_listed(begin, "yes") else "no", mark.first, begin + 1)
        elif scene.denied[mark.first]:
            at.say(one.name, "no", scene.denied_from(mark.first), mark.last)
        else:
            at.say(one.name, "yes", mark.first, mark.last)


_MAIL = re.compile(r"(?:\s*[:=])?\s*(?P<mail>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+)", re.ASCII)
"""Right behind a word. Whoever is written to is no thing that is asked for, so an address of mail is no token elsewhere."""


def _texts(at: Stretch, one: Wanted) -> None:
    """What stands after the word or before it: `on storage ceph-vm`, `packages nodejs and npm`, `for our ML team`, `purpose: training`."""
    scene = at.scene
    if one.several:
        _rows(at, one)
        return
    for i in scene.of_kind(at.first, at.last, "name") if one.unlabelled and one.name not in at.found.facts else ():
        if is_host(at.able, scene, i) and scene.is_left(i) and one.name not in at.found.facts:
            _say_text(at, one, i, i, i + 1)
    for i in scene.of_kind(at.first, at.last, "word", "name") if one.name == "storage" else ():
        known = scene.said[i].text in scene.known.storages or scene.is_listed(i, "storages")
        if known and scene.is_left(i) and not scene.denied[i] and scene.does(i - 1, "lean", "change"):
            at.say(one.name, scene.quote(i, i + 1), i, i + 1)  # `use local-lvm`, `put it on tank`
    for mark in at.labels(one):
        if scene.denied[mark.first]:
            continue
        if mail := _MAIL.match(scene.text, scene.token(mark.last - 1).end):
            at.found.say(one.name, mail["mail"], scene.text[scene.token(mark.first).start : mail.end()])
            scene.use(mark.first, mark.last)
            continue
        told = scene.is_text(mark.last, ":", "=") or scene.is_listed(mark.last, "being") or scene.does(mark.last, "called")
        begin = at.skip(mark.last, "called")
        if scene.kind(begin) == "number" and (scene.facts(begin + 1) & scene.words.counting or "vlan" in mark.names("fact")):
            continue  # `metrics storage: 8 cores`, `bridge=vmbr0,tag=20`
        if told and begin < at.last and not scene.stops(begin) and not scene.does(begin, "lean"):  # not `the application is on 10.20.5.7`
            end = next((i for i in range(begin, at.last) if scene.is_text(i, *".,;!?\n") and not scene.token(i + 1).glued), at.last)
            _say_text(at, one, mark.first, begin, end)
            continue
        lead = _lead(at, mark)
        alone = mark.first - lead <= 1 or scene.does(mark.first - 1, "join")
        names = scene.kind(begin) in ("name", "quoted") or (is_value_word(scene, begin) and scene.breaks(begin + 1, "join"))
        alone = alone or (mark.last - mark.first > 1 and names)  # `20 GB on storage ceph-vm`, `10 GB on storage local, …`
        plural = scene.said[mark.last - 1].text.endswith("s")
        naming = any(scene.is_listed(i, "calls") for i in range(mark.first, mark.last))
        closes = scene.breaks(begin + 1, "join")
        verb = begin == mark.last and scene.kind(begin) == "word" and scene.does(begin, "ask_for") and closes  # `cpu type host`
        value = begin < at.last and (scene.kind(begin) in ("name", "quoted") or is_value_word(scene, begin) or verb)
        if value and (alone or naming):
            end, said = names_at(scene, begin, at.last, listed=plural)
            if said:
                _say_text(at, one, mark.first, begin, end)
        elif (
            not alone
            and not scene.has(lead - 1, mark.first, "size")
            and all(is_value_word(scene, i) or scene.kind(i) == "name" for i in range(lead + 1, mark.first))
        ):
            _say_text(at, one, lead + 1, lead + 1, mark.last)


def _storages(at: Stretch, one: Wanted) -> None:
    """Also what a disk is said to be on: `20 GB on ceph-hdd`, `40 GB disk on tank`; not `500 GB on top`."""
    _texts(at, one)
    scene = at.scene
    for i in scene.of_kind(at.first, at.last, "word", "name") if one.name not in at.found.facts else ():
        if not scene.is_listed(i - 1, "within"):
            continue
        behind = scene.kind(i - 2) == "size" or "disk" in scene.at(i - 2).names("fact")
        closes = scene.breaks(i + 1, "join", signs=(")",))
        named = scene.kind(i) == "name" or (scene.is_plain_word(i) and closes and not scene.is_listed(i, "no_storage"))
        if behind and named and scene.is_left(i) and not scene.denied[i]:
            at.say(one.name, scene.quote(i, i + 1), i, i + 1)
            return


def _rows(at: Stretch, one: Wanted) -> None:
    """`containers raw, curated and gold`, `without container gold`."""
    for mark, first, last, said in list(named_rows(at, one)):
        if takes_away(at.scene, mark.first):
            at.deny(one, ", ".join(said), first, last)
            at.scene.use(first, last)
        else:
            say_row(at, one, said, first, last)


def _lead(at: Stretch, mark: Mark) -> int:
    """The small word that a name before its label stands behind; where there is none, the label's own place."""
    scene = at.scene
    for i in range(mark.first - 1, max(at.first, mark.first - 6) - 1, -1):
        if scene.breaks(i, "owned", "article", "for", "lean", "with") or scene.used[i]:
            return i
    return mark.first


def _say_text(at: Stretch, one: Wanted, first: int, begin: int, last: int) -> None:
    text = at.scene.quote(begin, last).strip().strip("\"“”'`").strip().rstrip(".")
    if text and len(text) <= TEXT_LENGTH_MAX:
        at.say(one.name, text, first, last)


def _versions(at: Stretch, one: Wanted) -> None:
    """The number right behind the name of a system, or behind its own word: `Debian 12`, `version 1.35`."""
    scene, subject = at.scene, one.name.removesuffix("_version")
    for mark in scene.marks_in(at.first, at.last, subject):
        number = mark.last + scene.is_listed(mark.last, "versions")  # `Debian version 12`
        is_version = mark.choices(subject) and scene.token(number).text[:1].isdecimal() and not scene.denied[mark.first]
        counts = set(scene.at(number + 1).names("fact")) - {"count"} and scene.token(number).value <= 9
        if is_version and not scene.used[number] and not counts:
            at.found.say(one.name, scene.quote(number, number + 1), scene.quote(mark.first, number + 1))
            scene.use(mark.last, number + 1)
    for mark in at.labels(one):  # `version 1.35`
        begin = at.skip(mark.last, "called")
        if begin < at.last and scene.kind(begin) == "number" and not scene.denied[mark.first] and not scene.used[begin]:
            at.say(one.name, scene.quote(begin, begin + 1), mark.first, begin + 1)


def _named(at: Stretch, one: Wanted) -> None:
    """`resource group rg-x`, `nsg called nsg-shared`: behind its own word."""
    scene = at.scene
    for i in scene.of_kind(at.first, at.last, "name"):
        if scene.is_left(i) and scene.said[i].text.split("-")[0] in one.words:  # `on nsg-shared`
            at.say(one.name, scene.quote(i, i + 1), i, i + 1)
    for mark in at.labels(one):
        begin = at.skip(mark.last, "called")
        if mark.does("called") or scene.denied[mark.first] or begin >= at.last or scene.used[begin]:
            continue
        placed = scene.does(mark.first - 1, "lean", "owned", "change") or scene.does(mark.first - 2, "lean")
        if scene.kind(begin) in ("name", "quoted") or ((begin > mark.last or placed) and is_value_word(scene, begin)):
            end, said = names_at(scene, begin, at.last, listed=False)
            if said:
                at.say(one.name, said[0], mark.first, end)


READERS: dict[Kind, Callable[[Stretch, Wanted], None]] = {
    "public_key": _keys,
    "region": _regions,
    "date": _dates,
    "version": _versions,
    "name": _named,
    "subnet": subnet,
    "network": networks,
    "ports": ports,
    "address": address,
    "addresses": sources,
    "node": nodes,
    "yes_no": _yes_no,
    "choice": _choices,
    "text": _texts,
    "storage": _storages,
    "folder": folders,
}
