"""Which things a message speaks of, and which words are about which: new items with their numbers, items that the request has already, and
things that are only spoken of (`behind the production load balancer`)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tools.rules.hearing.heads import ROLE_COUNT_MAX, Head, for_many, heads, says_machine_size, titles
from tools.rules.hearing.scene import FIGURES, Scene
from tools.rules.hearing.words import Mark, same
from tools.values.request import Item, Request

GROUPS_MAX = 60
"""Things that one message may speak of; what goes beyond is told as unused."""


@dataclass(frozen=True)
class Kind:
    """Machines of one kind among those of a service, by a fact that counts them: `3 masters (4 cores)` of a cluster."""

    name: str
    """What its facts begin with: `workers`."""
    head: Head


@dataclass
class Group:
    """Words that are about one thing: tokens `first` up to `last`."""

    head: Head
    first: int
    last: int
    new: bool
    label: str
    count: int | None
    counted: tuple[int, int]
    of: int | None = None
    """The number of the group that its words are about once more."""
    called: int | None = None
    """The token of a name that nothing introduces."""
    meant_by: str = ""
    """The kind of wish that told what it is, and that it fulfils."""
    thing: int = 0
    kinds: list[Kind] = field(default_factory=list)

    @property
    def capability(self) -> str:
        return self.head.capability


Verdict = Literal["new", "there", "same", "again", "instead", "removed", "spoken of", "kind", "no"]


@dataclass
class Grouping:
    """Walks through the things that are named, from left to right."""

    scene: Scene
    request: Request
    found: list[Group] = field(default_factory=list)
    removed: list[Group] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.named = {item.label for item in self.request.items}

    @property
    def previous(self) -> Group | None:
        return self.found[-1] if self.found else None

    def take(self, head: Head) -> None:
        scene, previous, lead = self.scene, self.previous, head.lead
        if not scene.free(head.first, head.last):
            return
        if meant := self._meant(head):
            head = replace(head, capability=meant.capability, label=meant.label)
        verdict = self._verdict(head)
        match verdict:
            case "new" | "there":
                label = head.label or (self._ours(head) if verdict == "there" else "")
                scene.name_thing(head.first, head.last)
                scene.settle(*lead.counted)
                self.found.append(Group(head, head.start, head.last, verdict == "new", label, lead.number, lead.counted))
            case "again":
                number = next(n for n, one in enumerate(self.found) if one.capability == head.capability)
                scene.use(head.first, head.last)
                self.found.append(replace(self.found[number], head=head, first=head.start, last=head.last, of=number))
            case "instead" if previous:
                previous.head = replace(head, role=previous.head.role)
                previous.count = lead.number if previous.count is None and lead.number else previous.count
                scene.use(head.first, head.last)
            case "removed":
                label = head.label or self._ours(head)
                label = label or scene.quote(head.start + (head.intro == "ref"), head.last)
                self.removed.append(Group(head, head.start, head.last, False, label, None, (0, 0)))
                scene.use(head.first, head.last)
            case "kind":
                if previous is None:
                    [item] = self.request.items
                    previous = Group(replace(head, capability=item.capability), head.start, head.last, False, item.label, None, (0, 0))
                    self.found.append(previous)
                previous.kinds.append(Kind(self._kind(head), head))
                scene.name_thing(head.first, head.last)
                scene.settle(*lead.counted)
            case "spoken of":
                scene.leave(head.start, head.last)
            case "same":
                if previous and lead.number and previous.count is None and lead.counted != (0, 0) and self._counts_machines(head):
                    previous.count, previous.counted = lead.number, lead.counted
                    scene.settle(*lead.counted)
                scene.name_thing(head.first, head.last)

    def _verdict(self, head: Head) -> Verdict:
        """What becomes of a thing that is named."""
        scene, previous = self.scene, self.previous
        if self._kind(head):
            return "kind"
        if previous and head.body and scene.is_listed(head.start - 1, "of") and scene.is_listed(head.first - 1, "bare"):
            return "instead"  # `a Kubernetes cluster of plain VMs`: what runs on them is their own affair
        if self._is_no_thing(head):
            return "no"
        is_unnamed = not head.label and not head.role
        there = head.label in self.named or (is_unnamed and self._ours(head) != "")
        if there and self._tells_list(head):
            return "there"
        if there and scene.at(head.first).does("remove") and scene.is_listed(head.last - 2, "ours"):
            return "removed"
        if scene.denied[head.first]:
            former = scene.any_does(head.start - 1, head.first, "former") or self._governed(head, "except")
            return "removed" if there and not former else "spoken of"
        if self._governed(head, "remove") and not self._governed(head, "keep"):
            return "removed" if there or head.intro == "ref" else "spoken of"
        if head.label in self.named:
            return "there"
        if head.names:
            return "new"
        if scene.does(head.last, "lean", "for") and scene.kind(head.last + 1) == "money":
            return "spoken of"  # `2 servers at 1,850 EUR each`
        if head.again:
            return "new" if previous else "no"
        if head.role:
            return "no" if previous and self.scene.in_brackets(head.first) else "new"
        of_before = any(one.capability == head.capability for one in self.found[:-1])
        told = self._before(head) in ("stop", "join") or _value_of(scene, head) >= 0
        if of_before and head.intro == "ref" and not self._is_like_previous(head) and told:
            return "again"
        if (previous or self.request.items) and self._modifies(head) and head.intro != "new":
            return "spoken of"
        if (previous or self.request.items) and self._is_environment(head):
            return "no"
        if not there and not previous and head.intro != "new" and self._touches(head):
            return "removed"  # `resize the disk of the payroll vm`: none of ours, which is told
        if self._before(head) == "lean":
            return self._leaning(head, there)
        if there and head.intro != "new" and previous and previous.capability != head.capability:
            return "there"
        return self._after_another(head, previous) if previous else self._first(head, there)

    def _leaning(self, head: Head, there: bool) -> Verdict:
        """`on the database server`, `in a virtual machine`."""
        if self.scene.is_listed(head.start - 1, "leads_to_another"):
            return "spoken of"
        if self.previous:
            return "same" if head.body or self.previous.capability == head.capability else "spoken of"
        if there and head.intro != "new":
            related = any(self.scene.at(i).names("relation") for i in range(head.start - 2, head.start))
            return "spoken of" if related else "there"
        before = range(self.scene.sentence(head.first)[0], head.start)
        asked = any(self.scene.does(i, "ask_for") or self.scene.at(i).has("relation", "wish") for i in before)
        return "new" if head.body or (head.intro == "new" and asked) else "spoken of"  # `we move it to a web application in May`

    def _after_another(self, head: Head, previous: Group) -> Verdict:
        before = self._before(head)
        joined, is_new = before in ("join", "stop"), head.intro == "new"
        if previous.capability == head.capability:
            if head.intro != "ref" and joined and self._is_listed_anew(head, previous):
                return "new"
            says = self.scene.has(previous.head.first, head.start, *FIGURES) or previous.count is not None
            is_article = not head.lead.another and head.lead.number is None and head.body
            goes_on = head.body and not says and self.scene.sentence(head.start)[0] > previous.head.last  # `a VM. We need two of 4 cores`
            return "new" if is_new and joined and not is_article and not goes_on else "same"
        if previous.head.body and not head.body and before in ("for", "with", ""):
            sized = self.scene.has(previous.head.last, head.start, "size")
            purpose = before == "for" and (head.intro == "ref" or sized)
            return "spoken of" if self._modifies(head) or purpose else "instead"
        counts = head.lead.number is not None and self.scene.is_text(head.start - 1, ",")
        if head.body and counts and not self._is_listed_anew(head, previous):
            return "same"  # `a database for 20 users, 3 servers`
        if head.body:
            return "new" if is_new and (before == "join" or (before == "stop" and head.lead.number)) else "same"
        if before == "for" or (before == "with" and head.intro == "ref"):
            return "spoken of"
        if before == "with" and any(set(self.scene.at(i).facts(previous.capability)) - {"count"} for i in range(head.first, head.last)):
            return "same"  # `Spark with a data lake`: a word for what it has itself
        return "new" if joined or before == "with" or is_new else "spoken of"

    def _first(self, head: Head, there: bool) -> Verdict:
        """No other thing was named before it."""
        changes = self._governed(head, "change")
        if there:
            adds = head.lead.more and not head.lead.another
            it = self.scene.does(head.start - 1, "link") and not self.scene.does(head.start - 1, "lean")  # `it is two vms, not one`
            is_new = head.intro == "new" and not changes and not it and not adds and not self._is_recount(head)
            return "new" if is_new else "there"
        if self._before(head) == "for" and not head.adjectives:
            return "new"
        more = not self.request.items and self.scene.any_does(head.last, self.scene.sentence(head.first)[1], "more")
        if head.intro == "ref" and (more or (head.adjectives and self.request.items and changes)):
            return "removed"  # `the vm on pve2 needs 4 more cores`
        return "spoken of" if head.intro == "ref" and (changes or (head.adjectives and self.request.items)) else "new"

    def _counts_machines(self, head: Head) -> bool:
        """`a web tier with 3 machines`; 3 databases of one PostgreSQL server are no servers."""
        return head.body or self._before(head) != "with"

    def _kind(self, head: Head) -> str:
        """Of the service before it, or of the only item there is, when that has machines of several kinds and this counts one of them; else
        empty."""
        if head.lead.number is None or head.lead.counted == (0, 0):
            return ""
        if self.previous is not None:
            return self._kind_of(self.previous.capability, head)
        only = self.request.items[0].capability if len(self.request.items) == 1 else ""
        return self._kind_of(only, head) if only and not self._asks(head, "ask_for", "another") else ""

    def _kind_of(self, capability: str, head: Head) -> str:
        kinds, within = self.scene.words.able[capability].kinds, range(head.first, head.last)
        counted = {name.removesuffix("_count") for name in kinds if name.endswith("_count") and name != "cpu_count"}
        named = {name.removesuffix("_count") for i in within for name in self.scene.at(i).facts(capability)}
        said = named | {one for one in counted for i in within if same(self.scene.said[i].text) == same(one)}
        return next((one for one in sorted(counted & said) if f"{one}_memory" in kinds), "")

    # What tells.

    def _touches(self, head: Head) -> bool:
        return self.scene.any_does(self.scene.sentence(head.first)[0], head.start, "touch")

    def _is_no_thing(self, head: Head) -> bool:
        scene, after = self.scene, self.scene.at(head.last)
        if head.intro != "new" and after.first == head.last and set(after.names("fact")) & {"network", "vlan", "bridge"}:
            return True  # `the servers network`
        if scene.is_text(head.last, "=", ":") and (
            "ports" in scene.at(head.last + 1).names("fact") or scene.is_listed(head.last + 1, "no")
        ):
            return True  # `shared postgres = port 5432`, `Database: none`
        begin = scene.skip(scene.sentence(head.first)[0], head.first, texts=("-", "*"))
        if scene.is_listed(begin, "serves") and not scene.is_text(begin + 1, ":", "="):
            return True  # `Services MariaDB, nginx` of a form
        return self._is_wish(head) or (head.body and head.intro == "bare" and self._asks_nothing())

    def _is_wish(self, head: Head) -> bool:
        """`with a firewall`: of a machine that may have such a setting it is that, and no thing of its own."""
        scene, mark = self.scene, self.scene.at(head.first)
        facts = {*mark.names("wish"), *mark.names("fact")} - {"count"}
        if self.scene.words.alone.keys() & {*mark.names("choice")}:
            return False
        if not facts or mark.first != head.first or mark.last < head.last or head.role:
            return False
        others = {name for one in scene.mentions for name in one.names("service")} - {head.capability}
        able = any({"ports", "cpu_count"} <= {one.name for one in scene.catalogue[name].WANTED} for name in others)
        return able or any("cpu_count" in one.names("fact") for one in scene.marks)

    def _tells_list(self, head: Head) -> bool:
        """`no longer open port 443`: a value of a list of it is meant, and not the thing itself."""
        scene = self.scene
        lists = {one.name for one in scene.catalogue[head.capability].WANTED if one.several}
        return bool(lists & set(scene.at(head.last - 1).names("fact"))) and scene.kind(head.last) in ("number", "port", "name", "quoted")

    def _asks_nothing(self) -> bool:
        """`you stupid machine`: nothing is wanted and nothing has a size."""
        scene = self.scene
        wants = any(
            one.does("ask_for", "remove", "polite") or one.has("choice") or set(one.names("fact")) - {"count"} for one in scene.marks
        )
        wants = wants or any(not one.names("body") for one in scene.mentions)
        return len(scene.said) < 12 and not wants and not scene.has(0, len(scene.said), "number", "size", "name", "money")

    def _is_environment(self, head: Head) -> bool:
        """`a database for 50 users, development environment`: where that is, when nothing makes it a thing of its own."""
        inside = [self.scene.at(i) for i in range(head.first, head.last)]
        chosen = any(one.choices("environment") for one in inside) and any("environment" in one.names("fact") for one in inside)
        said = self.scene.said[head.last - 1].text
        return head.intro != "new" and chosen and not (said.isascii() and said.endswith("s"))

    def _is_recount(self, head: Head) -> bool:
        """`two web servers` alone, where there is one: so many of it."""
        return head.lead.number != 1 and self._only_counts(head, "ask_for", "join", "another")

    def _meant(self, head: Head) -> Item | None:
        """The item that another word than its own stands for: `the database` of a database cluster, and what `it` is."""
        if self._is_it(head):
            return self.request.items[0]
        ours = {item.capability for item in self.request.items}
        if head.capability in ours or head.body or head.label or head.names or head.intro == "new":
            return None
        catalogue = self.scene.catalogue
        like = [one for one in self.request.items if any(head.capability in w.instead_of for w in catalogue[one.capability].WANTED)]
        return like[0] if len(like) == 1 else None

    def _is_it(self, head: Head) -> bool:
        """`make it 5 machines`: so many of the one item there is."""
        if not head.body or head.lead.number is None or len(self.request.items) != 1 or self.found:
            return False
        able = self.scene.words.able[self.request.items[0].capability]
        points = any(self.scene.does(i, "them") for i in range(self.scene.sentence(head.first)[0], head.start))
        return "count" in able.kinds and points and self._only_counts(head, "ask_for", "another")

    def _only_counts(self, head: Head, *asking: str) -> bool:
        """Its sentence says a number of it, and neither another quantity nor a word that asks for more."""
        scene, (begin, end) = self.scene, head.lead.counted
        first, last = scene.sentence(head.first)
        others = any(scene.is_left(i) for i in (*scene.quantities(first, begin), *scene.quantities(end, last)))
        return scene.has(begin, end, "number") and not others and not self._asks(head, *asking)

    def _asks(self, head: Head, *asking: str) -> bool:
        """Words before it in its sentence ask for something, and mend nothing that was said."""
        scene, first = self.scene, self.scene.sentence(head.first)[0]
        asks = any(scene.does(i, *asking) and not scene.does(i, "change") for i in range(first, head.start))
        return asks and not scene.any_does(first, head.start, "mends")

    def _ours(self, head: Head) -> str:
        """The item that is meant: `the payroll vm` is none that is called otherwise."""
        items = [item for item in reversed(self.request.items) if item.capability == head.capability]
        told = [item for item in items if all(any(same(one) in word for word in _words_of(item)) for one in head.adjectives)]
        return next((item.label for item in (told if head.intro == "ref" else told or items)), "")

    def _is_listed_anew(self, head: Head, previous: Group) -> bool:
        """`vm with 2 cores and vm with 8 cores`: each goes on with a size of its own."""
        opens = self.scene.does(head.last, "with", "called") or self.scene.is_text(head.last, ":", "(")
        goes_on = opens or self.scene.kind(head.last) in ("number", "size", "name") or self._is_named(head)
        return goes_on and self.scene.has(previous.head.last, head.start, "number", "size")

    def _is_like_previous(self, head: Head) -> bool:
        return self.previous is not None and self.previous.capability == head.capability

    def _modifies(self, head: Head) -> bool:
        """`the redis team`, `the web server course`: it tells what another thing is about."""
        return self.scene.is_plain_word(head.last) and not self.scene.is_body(head.last) and not self._is_named(head)

    def _is_named(self, head: Head) -> bool:
        """`vm stork (4 cores)`, `vm stork with 4 cores`: the word behind it is its name."""
        sized = self.scene.has(head.last, min(head.last + 4, self.scene.sentence(head.first)[1]), "number", "size")
        opens = self.scene.is_text(head.last + 1, "(", ":") or self.scene.does(head.last + 1, "with")
        return head.body and self.scene.is_plain_word(head.last) and opens and sized

    def _before(self, head: Head) -> str:
        """What joins it to the words before: `stop` at the beginning of a sentence or behind a comma."""
        scene, i, points = self.scene, head.start - 1, False
        while not scene.stops(i) and not scene.is_text(i, *",:()+&|-"):
            mark = scene.at(i)
            points = points or mark.does("them")
            if mark.names("relation"):
                return "join" if points and head.intro == "new" else "lean"  # `next to them a database`
            joins = next((name for name in ("join", "for", "with", "lean") if mark.does(name)), "")
            if joins and not mark.does("ask_for"):
                return joins
            if mark.does("ask_for", "change", "affirm", "remove", "polite", "or", "called"):
                return "stop"
            if scene.used[i] and not mark.meanings:
                return ""
            i -= 1
        return "join" if head.intro == "new" and scene.is_text(i, ",", "+", "&") else "stop"

    def _governed(self, head: Head, what: str) -> bool:
        """Whether a verb stands before it in its clause, with nothing but small words, or other things, between."""
        i = head.start - 1
        while not self.scene.stops(i):
            mark = self.scene.at(i)
            if mark.does(what):
                return True
            if mark.does("keep") or (mark.does("ask_for", "change", "with", "lean", "affirm") and not mark.does("join")):
                return False
            i -= 1
        return False


def _words_of(item: Item) -> set[str]:
    return {same(item.label), *(same(part) for fact in item.facts for part in re.split(r"[\s,-]+", fact.value.lower()))}


def groups(scene: Scene, spans: Sequence[tuple[int, int, bool]], request: Request) -> tuple[list[Group], list[Group]]:
    """(things spoken of, things taken back). `spans` are stretches of prose by their tokens."""
    grouping = Grouping(scene, request)
    listed = titles(scene, spans)
    named = [head for first, last, _ in spans for head in heads(scene, first, last, request, listed)]
    named += for_many(scene, named)
    named = _without_reports(scene, named)
    alone = sum(bool(head.names) for head in named) == 1 and any(not head.names and not head.label for head in named)
    for head in sorted(named, key=lambda one: (one.first, -one.last))[:GROUPS_MAX]:
        if not (head.names and alone):  # `a new one: db-2, 4 cores` is called so
            grouping.take(head)
    found = grouping.found
    for one, after in itertools.pairwise(found):
        one.last = after.first = _under_heading(scene, one.head.last, _from_value(scene, one, after))
    if found:
        found[0].first, found[-1].last = 0, len(scene.said)
    for group in found:
        capability, group.meant_by = _instead(scene, group)
        group.head = replace(group.head, capability=capability)
    return [part for group in found for one in _one_by_one(scene, group) for part in _by_sizes(scene, one)], grouping.removed


def _instead(scene: Scene, group: Group) -> tuple[str, str]:
    """(the capability that is meant, the kind of wish that says so): `PostgreSQL with 2 replicas`, `web servers behind a load balancer` is
    one that has them."""
    for name, able in scene.catalogue.items() if group.new else ():
        telling = {one.name: one.kind for one in able.WANTED if group.capability in one.instead_of}
        for mark in scene.marks if telling else ():
            if not group.first <= mark.first < group.last or scene.denied[mark.first]:
                continue
            number = scene.token(mark.first - 1)
            counted = number.kind == "number" and number.value > 1 and scene.is_left(mark.first - 1)
            wished = next((one for one in mark.names("wish") if telling.get(one) == "wish" and _is_new(scene, mark)), "")
            if wished or (counted and telling.keys() & set(mark.facts(name))):
                return name, wished
    return group.capability, ""


def _is_new(scene: Scene, mark: Mark) -> bool:
    """`a load balancer`, and not `the production load balancer` or `load balancer lb-1`."""
    i = mark.first - 1
    while scene.is_plain_word(i):
        i -= 1
    return not scene.does(i, "owned") and scene.kind(mark.last) not in ("name", "quoted")


def _without_reports(scene: Scene, named: list[Head]) -> list[Head]:
    """`Our import peaks at 11 GB. Could we have a VM with 16 GB?`, `our file server (8 GB) is old. Plan a VM with …`: what asks for nothing
    tells why, before the sentence that asks for a machine and says how large it is."""
    sized = [
        head
        for head in named
        if head.intro == "new" and not head.names and says_machine_size(scene, head.last, scene.sentence(head.last)[1], fully=True)
    ]
    first = min((scene.sentence(head.start)[0] for head in sized), default=0)
    at = 0
    while at < first:
        end = scene.sentence(at)[1]
        asks = scene.any_does(at, end, "ask_for", "polite", "change", "copy")
        asks = asks or any(head.intro == "new" and at <= head.start < end for head in named)
        if scene.is_text(end, ".") and scene.has(at, end, "size") and not asks:
            scene.leave(at, end)
            named = [head for head in named if not at <= head.start < end]
        at = end + 1
    return named


def _value_of(scene: Scene, head: Head) -> int:
    """Where its value stands, if that is before it: `8 GB for the database`, `80 users for the database`; else -1."""
    i = head.start - 2
    if not scene.does(i + 1, "for"):
        return -1
    if scene.at(i).names("fact"):
        i = scene.at(i).first - 1
    return i if scene.kind(i) in ("number", "size", "address", "name", "money") else -1


def _from_value(scene: Scene, before: Group, group: Group) -> int:
    """Where the words about a thing begin that its value stands before, as that of the one before it does: `4 GB for the web server and
    8 GB for the database`."""
    first = _value_of(scene, group.head)
    if first <= before.head.last or (group.of is None and _value_of(scene, before.head) < 0):
        return group.first
    while first > before.head.last and not scene.does(first - 1, "join") and not scene.is_text(first - 1, ",", ";", "."):
        first -= 1
    return first


def _under_heading(scene: Scene, floor: int, first: int) -> int:
    """Where the words about a thing begin, when a heading of its own stands above it: `## Staging`."""
    i = first
    while i > floor and scene.is_text(i - 1, "\n", "-", "*"):
        i -= 1
    begin = scene.sentence(i - 1)[0] if i > floor else i
    heading = 0 < i - begin <= 5 and begin > floor and not scene.has(begin, i, "number", "size")
    titled = heading and (scene.is_text(begin, "#") or scene.is_text(begin - 1, "#") or scene.is_text(i - 1, ":"))
    return begin if titled else first


def _one_by_one(scene: Scene, group: Group) -> list[Group]:
    """`two databases, one for 100 users and one for 20 users` are two things, and `2 VMs for staging and 3 for production` two kinds."""
    others = (mark.first for mark in scene.marks_in(group.head.last, group.last, "another"))
    ones = sorted(i for i in {*scene.of_kind(group.head.last, group.last, "number"), *others} if _counts_alone(scene, i))
    counts = [int(scene.said[i].value) or 1 for i in ones]
    if group.count is not None and len(ones) > 1 and sum(counts) == group.count:
        starts = [group.first, *ones[1:]]
    elif ones and (group.count is not None or group.head.role):
        starts, counts = [group.first, *ones], [group.count or 1, *counts]
    else:
        return [group]
    parts = []
    for n, (first, last, count) in enumerate(zip(starts, [*starts[1:], group.last], counts, strict=True)):
        counted = (group.counted if n == 0 else (first, first + 1)) if count != 1 else (0, 0)
        label = group.label if n == 0 else ""
        parts.append(replace(group, first=first, last=last, count=count, counted=counted, new=group.new or n > 0, label=label))
    for i in ones:
        scene.settle(i, i + 1)
    return parts


def _by_sizes(scene: Scene, group: Group) -> list[Group]:
    """`two vms: zebra with 2 cores 4 GB, okapi with 8 cores 16 GB`: whose sizes are said several times over are as many things."""
    if group.kinds:
        return [group]  # each kind has sizes of its own
    labels = [mark for mark in scene.labels_in(group.first, group.last, group.capability) if "cpu_count" in mark.facts(group.capability)]
    sizes = [mark.first - 1 for mark in labels if scene.kind(mark.first - 1) == "number" and scene.is_left(mark.first - 1)]
    sized = all(scene.has(a, b, "size") for a, b in itertools.pairwise([*sizes, group.last]))
    values = {scene.said[i].value for i in sizes}
    if len(sizes) < 2 or not sized or (len(values) < 2 and group.count != len(sizes)) or scene.corrects(sizes[0], sizes[-1]):
        return [group]
    if sizes[0] < group.head.first < sizes[-1] and not any(mark.first > sizes[-1] for mark in scene.mentions):
        return [group]  # `replaces a box with 24 cores: a VM with 12 cores`
    starts = [group.first, *(_opening(scene, i, group.first) for i in sizes[1:])]
    stretches = list(itertools.pairwise([*starts, group.last]))
    names = [_bare_name(scene, max(first, _opening(scene, i, first))) for (first, _), i in zip(stretches, sizes, strict=True)]
    own = [_own_count(scene, first, last) for first, last in stretches]
    counts = own if any(own[1:]) else [1 if group.count == len(sizes) else one for one in (group.count, *own[1:])]
    return [
        replace(
            group,
            first=first,
            last=last,
            count=counts[n],
            counted=(0, 0) if n or counts[n] == 1 else group.counted,
            new=group.new or n > 0,
            label="" if n else group.label,
            called=names[n] if all(names) else None,
        )
        for n, (first, last) in enumerate(stretches)
    ]


def _bare_name(scene: Scene, number: int) -> int | None:
    """The token, when it is the name of what the words behind it are about: `zebra with 2 cores`, `okapi (8 cores)`."""
    named = scene.kind(number) in ("name", "quoted") or scene.is_plain_word(number)
    return number if named and (scene.does(number + 1, "with") or scene.is_text(number + 1, "(", ":")) else None


def _own_count(scene: Scene, first: int, last: int) -> int | None:
    """`one large (8 cores)`, `and two machines with 8 cores`."""
    before = next((mark.first - 1 for mark in scene.mentions if first <= mark.first < last), first)
    if scene.kind(before) == "number" and scene.is_left(before):
        scene.settle(before, before + 1)
        return int(scene.said[before].value)
    return 1 if scene.does(before, "article") else None


def _opening(scene: Scene, number: int, floor: int) -> int:
    """Where the words begin that a size stands among."""
    while number > floor and not scene.stops(number - 1) and not scene.is_text(number - 1, ",", ":") and not scene.does(number - 1, "join"):
        number -= 1
    return number


def _counts_alone(scene: Scene, number: int) -> bool:
    """`one for …`, `and 3 with …`: a number of things that are named no more."""
    token = scene.said[number]
    counts = token.kind == "number" and token.value == int(token.value) and 1 <= token.value <= ROLE_COUNT_MAX
    if not counts and token.text != "another":
        return False
    opens = scene.does(number - 1, "join") or scene.stops(number - 1) or scene.is_text(number - 1, ",", ":", "(")
    goes_on = scene.does(number + 1, "for", "with", "called") or scene.is_listed(number + 1, "within")
    return scene.is_left(number) and opens and goes_on
