"""Which things a message speaks of, and which words are about which: new items with their numbers, items that the request has already, and
things that are only spoken of (`behind the production load balancer`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeGuard

from tools.rules.hearing.groups.head import Head, says_machine_size
from tools.rules.hearing.groups.standing import (
    asks_before,
    elaborates,
    goes_on_about,
    governed,
    has_address,
    is_described,
    is_environment,
    is_named,
    is_no_thing,
    is_told_of,
    modifies,
    says_what,
    tells_list,
    touches,
    value_of,
    what_joins,
)
from tools.rules.hearing.groups.there import (
    is_fact_of_ours,
    is_it,
    is_portion_of_ours,
    is_recount,
    is_recount_of_one,
    is_subject,
    item_meant,
    kind_of,
    ours,
    replaced,
)
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import ASKED, FIGURES
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import same
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
    beside: tuple[str, int, int] | None = None
    """The fact that counts what it has one of, and the tokens that say so: `with a replica`."""
    gone: Item | None = None
    """What it takes the place of."""
    times: int = 1
    """As many of it, each with all that is said of it."""
    thing: int = 0
    also: tuple[int, ...] = ()
    """The numbers of the groups that its sizes are said of too: `App servers and worker: 2 cores, 4 GB`."""
    again_from: int = 0
    """What is said of the group before it, up to this token, is said of it too; 0: nothing."""
    kinds: list[Kind] = field(default_factory=list)

    @property
    def capability(self) -> str:
        return self.head.capability


Verdict = Literal["new", "there", "same", "recount", "again", "instead", "removed", "spoken of", "kind", "no"]


@dataclass
class Grouping:
    """Walks through the things that are named, from left to right."""

    scene: Scene
    request: Request
    found: list[Group] = field(default_factory=list)
    removed: list[Group] = field(default_factory=list)
    passed: set[int] = field(default_factory=set)
    """The tokens of what is only spoken of."""
    lines: frozenset[int] = frozenset()
    """The tokens that lines of a list begin with."""
    heading: Head | None = None
    """What the names of a list stand below."""

    def __post_init__(self) -> None:
        self.named = {item.label for item in self.request.items}
        self.services = {name for one in self.scene.mentions for name in one.names("service")}
        self.unwanted = {name for one in self.scene.mentions if self.scene.takes_back(one) for name in one.names("service")}

    @property
    def previous(self) -> Group | None:
        return self.found[-1] if self.found else None

    def take(self, head: Head) -> None:
        scene, previous, lead = self.scene, self.previous, head.lead
        if not scene.free(head.first, head.last) or self.passed & {*range(head.first, head.last)}:
            return  # what is only spoken of is not taken away by another word for it
        if self._is_unwanted(head):  # `Database host (no managed postgres)`
            if not any(scene.is_body(i) for i in range(head.first, head.last + 1)):
                return scene.leave(head.start, head.last)
            head = replace(head, capability=scene.words.plain, body=True)
        one = self.request.items[0] if not self.found and is_it(scene, self.request, head) else item_meant(scene, self.request, head)
        if one:
            head = replace(head, capability=one.capability, label=one.label)
        if (
            head.names
            and head.start in self.lines
            and self._opens_list(self.heading)
            and self.heading.capability not in scene.words.systems
        ):
            head = replace(head, capability=self.heading.capability)
        elif not head.names:
            self.heading = head
        gone = replaced(scene, self.request, head)
        verdict = "new" if gone else self._verdict(head)
        match verdict:
            case "new" | "there":
                label = head.label or (ours(self.scene, self.request, head) if verdict == "there" else "")
                scene.name_thing(head.first, head.last)
                scene.settle(*lead.counted)
                self.found.append(Group(head, head.start, head.last, verdict == "new", label, lead.number, lead.counted, gone=gone))
            case "again":
                told = self._titled_before(head)
                number = told if told >= 0 else next(n for n, one in enumerate(self.found) if one.capability == head.capability)
                scene.use(head.first, head.last)
                close = scene.find(head.last, scene.sentence(head.first)[1], ":") or head.last
                words = {same(scene.token(i).text) for i in range(head.last, close)}
                also = tuple(n for n, one in enumerate(self.found) if n != number and one.head.role and same(one.head.role) in words)
                self.found.append(replace(self.found[number], head=head, first=head.start, last=head.last, of=number, also=also))
            case "instead" if previous:
                previous.head = replace(head, role=previous.head.role)
                previous.count = lead.number if previous.count is None and lead.number else previous.count
                scene.use(head.first, head.last)
            case "removed":
                label = head.label or ours(self.scene, self.request, head)
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
                self.passed.update(range(head.first, head.last))
                scene.leave(head.start, head.last)
            case "recount" if previous:  # `2 VMs, sorry, 3 VMs`
                previous.count, previous.counted = lead.number, lead.counted
                scene.settle(*lead.counted)
                scene.name_thing(head.first, head.last)
            case "same":
                if previous and lead.number and previous.count is None and lead.counted != (0, 0) and self._counts_machines(head):
                    previous.count, previous.counted = lead.number, lead.counted
                    scene.settle(*lead.counted)
                if not (previous and lead.number and what_joins(scene, head) == "for"):  # `monitoring for 40 machines`
                    scene.name_thing(head.first, head.last)

    def _verdict(self, head: Head) -> Verdict:
        """What becomes of a thing that is named."""
        scene, previous = self.scene, self.previous
        if self._kind(head):
            return "kind"
        if previous and head.body and scene.is_listed(head.start - 1, "of") and scene.is_listed(head.first - 1, "bare"):
            return "instead"  # `a Kubernetes cluster of plain VMs`: what runs on them is their own affair
        if is_fact_of_ours(scene, self.request, head) or (is_no_thing(scene, head) and not is_subject(scene, self.request, head)):
            return "no"
        if not self.found and (is_portion_of_ours(scene, self.request, head) or is_recount_of_one(scene, self.request, head)):
            return "no"
        is_unnamed = not head.label and not head.role
        there = head.label in self.named or (is_unnamed and ours(self.scene, self.request, head) != "")
        if there and tells_list(self.scene, head):
            return "there"
        runs = there and (head.label or ours(scene, self.request, head)) in scene.known.built
        if runs and (scene.denied[head.first] or governed(scene, head, "remove")):
            return "no" if scene.denied[head.first] else "there"  # what runs goes as tools.rules.hearing.edits.taking hears it
        if there and scene.at(head.first).does("remove") and scene.is_listed(head.last - 2, "ours"):
            return "removed"
        if scene.denied[head.first] == ASKED or (head.only and (scene.denied[head.first] or governed(scene, head, "remove"))):
            return "spoken of"  # one machine of several goes as tools.rules.hearing.edits.taking hears it, or not at all
        if scene.denied[head.first]:
            instead = (
                governed(self.scene, head, "except")
                and previous is not None
                and previous.new
                and scene.is_listed(head.start - 1, "instead_of", "of", "than")
            )
            if instead and there and previous and previous.capability != head.capability:
                return "removed"  # `postgres instead of mariadb`
            former = scene.any_does(head.start - 1, head.first, "former") or governed(self.scene, head, "except")
            return "removed" if there and not former else "spoken of"
        if governed(self.scene, head, "remove") and not governed(self.scene, head, "keep"):
            return "removed" if there or head.intro == "ref" else "spoken of"
        if head.label in self.named:
            return "there"
        if head.names:
            return "no" if scene.kind(head.last) == "address" and not self._opens_list(self.heading) else "new"
        if head.intro == "ref" and not there and scene.any_does(head.start, head.first, "former"):
            return "spoken of"  # `we move off our old 8-core 32 GB server`
        if scene.does(head.last, "lean", "for") and scene.kind(head.last + 1) == "money":
            return "spoken of"  # `2 servers at 1,850 EUR each`
        if previous and self._is_counted_by_another(previous, head):
            return "same"
        if self._titled_before(head) >= 0:
            return "again"
        if previous and self._is_like_previous(head) and head.lead.number and scene.any_does(head.start - 3, head.start, "mends"):
            return "recount"
        if head.role and previous and not previous.head.body and what_joins(scene, head) == "for":
            return "spoken of"  # `a postgres for 3 app servers`
        if head.role:
            return "no" if previous and self.scene.in_brackets(head.first) else "new"
        of_before = any(one.capability == head.capability for one in self.found[:-1])
        told = what_joins(self.scene, head) in ("stop", "join") or value_of(scene, head) >= 0
        if self._is_elaborated(head):
            return "again"
        if of_before and head.intro == "ref" and not self._is_like_previous(head) and told:
            return "again"
        if (previous or self.request.items) and modifies(self.scene, head) and head.intro != "new":
            return "spoken of"
        if (previous or self.request.items) and is_environment(self.scene, head):
            return "no"
        if not there and not previous and head.intro != "new" and touches(self.scene, head):
            return "removed"  # `resize the disk of the payroll vm`: none of ours, which is told
        if not there and ((not previous and is_told_of(self.scene, head)) or is_described(self.scene, head)):
            return "spoken of"
        if what_joins(self.scene, head) == "lean":
            return self._leaning(head, there)
        if there and head.intro != "new" and previous and previous.capability != head.capability:
            return "there"
        return self._after_another(head, previous) if previous else self._first(head, there)

    def _opens_list(self, head: Head | None) -> TypeGuard[Head]:
        """`2 web servers:`, `k3s cluster of 3 nodes:` at the end of its line; not `the bastion:`."""
        if head is None or not (self.scene.is_text(end := self.scene.sentence(head.first)[1], "\n") and self.scene.is_text(end - 1, ":")):
            return False
        several = head.lead.number is not None or self.scene.said[head.last - 1].text.endswith("s")
        return (several and end - 1 == head.last) or head.capability in self.scene.words.systems

    def _is_elaborated(self, head: Head) -> bool:
        """`a postgres and a mariadb. pg for 80 users`: it was named before, and nothing was said of it."""
        like = [n for n, one in enumerate(self.found) if one.capability == head.capability and one.new]
        if len(like) != 1 or head.start in self.lines:
            return False
        after = self.found[like[0] + 1].head.start if like[0] + 1 < len(self.found) else head.start
        return elaborates(self.scene, head, self.found[like[0]].head.last, after)

    def _stands_elsewhere(self, head: Head, previous: Group) -> bool:
        """It has an address, and what is asked for before it has none."""
        return has_address(self.scene, head) and not self.scene.has(previous.head.first, head.start, "address")

    def _makes_sure(self, previous: Group, head: Head) -> bool:
        """`A new database server: MariaDB for 80 connections`: which make of it is meant, where no size stands between."""
        one = previous.head
        alike = {fact for fact, _ in self.scene.words.makes[previous.capability] if self.scene.at(head.first).choices(fact)}
        named = any(self.scene.at(i).choices(fact) for fact in alike for i in range(one.first, one.last))
        return bool(alike) and not named and not self.scene.has(one.last, head.start, "number", "size")

    def _titled_before(self, head: Head) -> int:
        """`2 application servers + 1 database`, then `Application servers: 4 cores`: the number of what a title is about; else -1."""
        joins = self.scene.does(head.last, "join") and any(self.scene.is_text(i, ":") for i in range(head.last, head.last + 4))
        opens = head.intro == "bare" and (joins or self.scene.is_text(head.last, ":"))
        if not opens or not self.scene.stops(head.start - 1):
            return -1
        like = (one for one in self.found if one.of is None and one.capability == head.capability and one.head.intro == "new")
        return next((self.found.index(one) for one in like if one.head.adjectives == head.adjectives and one.head.start < head.start), -1)

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
        return "new" if head.body or (head.intro == "new" and (asked or says_what(self.scene, head))) else "spoken of"

    def _after_another(self, head: Head, previous: Group) -> Verdict:
        before = what_joins(self.scene, head)
        joined, is_new = before in ("join", "stop"), head.intro == "new"
        end = self.scene.sentence(head.last)[1]
        sized = self.scene.has(previous.head.last, head.start, *FIGURES)
        lined = sized and head.body and head.start in self.lines and says_machine_size(self.scene, head.last, end, fully=True)
        if lined or self._is_title(head):
            return "new"  # `- Ubuntu VM for docker, 6 cores, 24 GB`
        if head.body and previous.head.last == head.start - 1 and self.scene.is_text(head.start - 1, ":"):
            return "same"  # `DB: 1 VM`
        if head.body and head.intro == "ref" and self.scene.does(head.start - 1, "only"):
            return "instead"  # `we install it ourselves, so just the VM`
        if previous.capability == head.capability:
            if head.intro != "ref" and joined and self._is_listed_anew(head, previous):
                return "new"
            says = self.scene.has(previous.head.first, head.start, *FIGURES) or previous.count is not None
            is_article = not head.lead.another and head.lead.number is None and head.body and not (before == "join" and says)
            repeats = head.lead.number == 1 and self.scene.is_listed(head.start - 1, "opening")  # `…, so one PostgreSQL for 40 users`
            goes_on = head.body and not says and self.scene.sentence(head.start)[0] > previous.head.last  # `a VM. We need two of 4 cores`
            return "new" if is_new and joined and not (is_article or goes_on or repeats) else "same"
        hosted = previous.head.body and self.scene.is_listed(head.start - 1, "hosting") and self.scene.does(head.start - 2, "to")
        if head.intro == "bare" and (hosted or self._makes_sure(previous, head)):
            return "instead"  # `two VMs to host Redis`
        if not (is_new or head.body or head.lead.counted != (0, 0)) and self._stands_elsewhere(head, previous):
            return "spoken of"  # `a VM with 2 cores, nfs server 10.20.0.9`
        if goes_on_about(self.scene, previous.head.last) and not head.body and previous.head.body:
            return "spoken of"  # `a VM which hosts a web app`
        if previous.head.body and not head.body and before in ("for", "with", ""):
            sized = self.scene.has(previous.head.last, head.start, "size")
            purpose = before == "for" and (head.intro == "ref" or sized)
            return "spoken of" if modifies(self.scene, head) or purpose else "instead"
        counts = head.lead.number is not None and self.scene.is_text(head.start - 1, ",")
        if head.body and counts and not self._is_listed_anew(head, previous):
            return "same"  # `a database for 20 users, 3 servers`
        if head.body:
            apart = (
                head.lead.number
                or head.start in self.lines
                or (self.scene.is_text(head.start - 1, ";") and self.scene.does(head.last, "called"))
            )
            listed = is_new and (before == "join" or (before == "stop" and apart))
            return "new" if listed else "same"
        if before == "for" and value_of(self.scene, head) >= 0:
            return "new"
        if before == "for" or (before == "with" and head.intro == "ref"):
            return "spoken of"
        if before == "with" and any(set(self.scene.at(i).facts(previous.capability)) - {"count"} for i in range(head.first, head.last)):
            return "same"  # `Spark with a data lake`: a word for what it has itself
        return "new" if joined or before == "with" or is_new else "spoken of"

    def _first(self, head: Head, there: bool) -> Verdict:
        """No other thing was named before it."""
        changes = governed(self.scene, head, "change")
        if there:
            adds = head.lead.more and not head.lead.another
            it = self.scene.does(head.start - 1, "link") and not self.scene.does(head.start - 1, "lean")  # `it is two vms, not one`
            is_new = head.intro == "new" and not changes and not it and not adds and not is_recount(self.scene, head)
            return "new" if is_new else "there"
        if what_joins(self.scene, head) == "for" and not head.adjectives:
            return "new"
        more = not self.request.items and self.scene.any_does(head.last, self.scene.sentence(head.first)[1], "more")
        if head.intro == "ref" and (more or (head.adjectives and self.request.items and changes)):
            return "removed"  # `the vm on pve2 needs 4 more cores`
        return "spoken of" if head.intro == "ref" and (changes or (head.adjectives and self.request.items)) else "new"

    def _is_title(self, head: Head) -> bool:
        """`Application server`, on a line of its own above its sizes."""
        scene, end = self.scene, self.scene.sentence(head.first)[1]
        alone = scene.is_text(end, "\n") and end == head.last and scene.stops(head.start - 1)
        return alone and head.lead.number is None and says_machine_size(scene, end + 1, scene.sentence(end + 1)[1], fully=True)

    def _counts_machines(self, head: Head) -> bool:
        """`a web tier with 3 machines`; 3 databases of one PostgreSQL server are no servers, nor are those that it is `for`."""
        joins = what_joins(self.scene, head)
        return joins != "for" and (head.body or joins != "with")

    def _is_counted_by_another(self, previous: Group, head: Head) -> bool:
        """`a load balanced web app: 4 app servers`: machines of the service that the one before is meant to be."""
        if head.lead.number is None or not previous.new:
            return False
        for name, telling in self.scene.words.instead.get(previous.capability, {}).items():
            counted = {one.name for one in self.scene.words.able[name].wanted if one.same_as == COUNT}
            said = {fact for i in range(head.first, head.last) for fact in self.scene.at(i).facts(name)}
            if counted & said and any(telling.get(wish) == "wish" for mark in self.scene.marks for wish in mark.names("wish")):
                return True
        return False

    def _kind(self, head: Head) -> str:
        """Of the service before it, or of the only item there is, when that has machines of several kinds and this counts one of them; else
        empty."""
        if head.lead.number is None or head.lead.counted == (0, 0):
            return ""
        if self.previous is not None:
            return kind_of(self.scene, self.previous.capability, head)
        only = self.request.items[0].capability if len(self.request.items) == 1 else ""
        return kind_of(self.scene, only, head) if only and not asks_before(self.scene, head, "ask_for", "another") else ""

    # What tells.

    def _is_unwanted(self, head: Head) -> bool:
        """`A VM for the database course (no database needed)`: it is taken back, and another thing, or a machine, is named."""
        scene = self.scene
        if head.body or scene.denied[head.first] or head.capability in {item.capability for item in self.request.items}:
            return False
        apart = len(self.services) > 1 or any(scene.is_body(i) for i in range(head.first, head.last + 1))
        return apart and head.capability in self.unwanted

    def _is_listed_anew(self, head: Head, previous: Group) -> bool:
        """`vm with 2 cores and vm with 8 cores`: each goes on with a size of its own."""
        named = self.scene.does(head.last, "called") and self.scene.has(head.last, self.scene.sentence(head.last)[1], "number", "size")
        opens = named or self.scene.does(head.last, "with") or self.scene.is_text(head.last, ":", "(")  # `The server name is lark-1.`
        goes_on = opens or self.scene.kind(head.last) in ("number", "size", "name") or is_named(self.scene, head)
        return goes_on and self.scene.has(previous.head.last, head.start, "number", "size")

    def _is_like_previous(self, head: Head) -> bool:
        return self.previous is not None and self.previous.capability == head.capability
