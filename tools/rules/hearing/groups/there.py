"""Which item of the request is meant where a message names a thing: by its service, by what was said of it, or as the only one there is."""

from __future__ import annotations

import re

from tools.rules.hearing.groups.head import Head
from tools.rules.hearing.groups.pointing import of_pairs
from tools.rules.hearing.groups.standing import only_counts, says_no_more
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import same
from tools.values.request import Item, Request


def kind_of(scene: Scene, capability: str, head: Head) -> str:
    """The machines of one kind that it counts, where the capability has several: `workers`; else empty."""
    able, within = scene.words.able[capability], range(head.first, head.last)
    counted = {name.removesuffix(f"_{COUNT}") for name in able.parts}
    named = {name.removesuffix(f"_{COUNT}") for i in within for name in scene.at(i).facts(capability)}
    said = named | {one for one in counted for i in within if same(scene.said[i].text) == same(one)}
    return next((one for one in sorted(counted & said) if f"{one}_memory" in able.kinds), "")


def is_portion_of_ours(scene: Scene, request: Request, head: Head) -> bool:
    """`the servers need 8 GB`, of a cluster: machines of one of its kinds, and nothing new."""
    only = request.items[0].capability if len(request.items) == 1 else ""
    opens = head.intro == "ref" or (head.intro == "bare" and scene.stops(head.start - 1))  # `servers 2 cores 4 GB`
    return bool(only) and opens and head.lead.number is None and kind_of(scene, only, head) != ""


def is_fact_of_ours(scene: Scene, request: Request, head: Head) -> bool:
    """`open port 8080 too`, of a web server: no Azure firewall, but its port."""
    valued = scene.kind(head.last) in ("number", "port")
    if head.intro == "new" or head.label or scene.marks_of("platform") or not valued:
        return False
    lists = {one.name for one in scene.catalogue[head.capability].WANTED if one.several}
    said = lists & {name for i in range(head.first, head.last) for name in scene.at(i).names("fact")}
    able = scene.words.able
    return any(item.capability != head.capability and said & able[item.capability].by_name.keys() for item in request.items)


def is_subject(scene: Scene, request: Request, head: Head) -> bool:
    """`resolver with 2 cores`, where there is one: it, and no setting of another thing."""
    opens = scene.stops(head.start - 1) and (scene.does(head.last, "with") or scene.is_listed(head.last, "needing"))
    return opens and any(item.capability == head.capability for item in request.items)


def is_recount(scene: Scene, head: Head) -> bool:
    """`two web servers` alone, where there is one: so many of it."""
    if scene.any_does(scene.sentence(head.first)[0], head.start, "only"):
        return only_counts(scene, head, "another")  # `we need only one machine`
    return head.lead.number != 1 and only_counts(scene, head, "ask_for", "join", "another")


def item_meant(scene: Scene, request: Request, head: Head) -> Item | None:
    """The item that another word than its own stands for: `the database` of a database cluster."""
    there = {item.capability for item in request.items}
    more = head.lead.more and says_no_more(scene, head)  # `one more web server`
    counts = more or is_recount(scene, head)  # `make it 4 web servers`
    if head.capability in there or head.body or head.label or head.names or (head.intro == "new" and not counts):
        return None
    if scene.is_listed(head.first - 1, "bare"):
        return None  # `plain PostgreSQL`: and no cluster
    like = [one for one in request.items if one.capability in scene.words.instead.get(head.capability, ())]
    mention = scene.mention_at(head.first)
    categories = {*mention.names("category")} if mention and head.intro != "new" else set[str]()
    like = like or [one for one in request.items if categories & of_pairs(tuple(scene.catalogue[one.capability].WORDS))]
    return like[0] if len(like) == 1 else None  # `la base de datos`, of a MariaDB


def is_recount_of_one(scene: Scene, request: Request, head: Head) -> bool:
    """`only two machines`, of several things: of which nobody said, and it is none of its own."""
    own = any(scene.is_listed(i, "own_machine") for i in range(head.first, head.last))
    if not head.body or own or head.lead.number is None or len(request.items) < 2:
        return False
    begin = scene.sentence(head.first)[0]
    return scene.any_does(begin, head.start, "only", "mends", "prefer") and only_counts(scene, head, "ask_for", "another")


def is_it(scene: Scene, request: Request, head: Head) -> bool:
    """`make it 5 machines`: so many of the one item there is."""
    if not head.body or head.lead.number is None or len(request.items) != 1:
        return False
    able = scene.words.able[request.items[0].capability]
    begin = scene.sentence(head.first)[0]
    points = scene.any_does(begin, head.start, "them", "prefer", "mends")
    own = any(scene.is_listed(i, "own_machine") for i in range(head.first, head.last))
    points = points or (begin == head.start and not own and says_no_more(scene, head))  # `5 machines`, and no more
    return "count" in able.kinds and points and only_counts(scene, head, "ask_for", "another")


_SMALL = ("instead", "prefer", "mends", "change", "them", "to", "for", "lean", "affirm", "polite", "article", "owned", "deny")
"""What words do that may stand beside a service that takes another's place."""


def replaced(scene: Scene, request: Request, head: Head) -> Item | None:
    """The item whose place a service takes of which nothing else is said: `make it a MariaDB`, `rather MariaDB`, `swap postgres for
    MariaDB`. What runs is not replaced by a word."""
    begin, end = scene.sentence(head.first)
    counted = head.label or head.names or head.lead.number is not None or head.lead.more
    if (
        counted
        or head.intro == "ref"
        or scene.denied[head.first]
        or scene.known.built
        or any(item.capability == head.capability for item in request.items)
    ):
        return None
    marks = [one for one in scene.mentions if begin <= one.first and one.last <= end and one.first != head.first]
    named = [item for one in marks for item in request.items if item.capability in one.names("service")]
    latest = [item for item in request.items if item.label in scene.latest]
    items = named or (latest if len(latest) == 1 else request.items)
    if len(items) != 1 or len(named) != len(marks):
        return None
    own = {*range(head.first, head.last), *(i for one in marks for i in range(one.first, one.last))}
    beside = [i for i in range(begin, end) if i not in own]
    swaps = [i for i in beside if scene.is_listed(i, "swapping")]
    if any(scene.does(i, "join", "too", "another", "more", "with") for i in beside):
        return None  # `wait, and a mariadb`, `better with monitoring`
    if scene.is_text(end, "?") and not scene.does(begin, "polite"):
        return None
    if not all(i in swaps or scene.fills(i) or scene.is_text(i, ",") or scene.does(i, *_SMALL) for i in beside):
        return None
    ends = scene.breaks(scene.skip(head.last, end, "polite", "instead"))  # not `actually monitoring would be good`
    says = any(scene.does(i, "instead") or (i < head.first and ends and scene.does(i, "prefer", "mends")) for i in beside)
    says = says or (ends and scene.does(begin, "deny"))
    points = bool(named) or scene.any_does(begin, head.start, "them", "to") or head.intro == "bare"
    says = says or (points and (bool(swaps) or scene.any_does(begin, head.start, "change")))
    return items[0] if says else None


def ours(scene: Scene, request: Request, head: Head) -> str:
    """The item that is meant: `the payroll vm` is none that is called otherwise."""
    items = [item for item in reversed(request.items) if item.capability == head.capability]
    told = [item for item in items if all(any(same(one) in word for word in _words_of(item)) for one in head.adjectives)]
    return next((item.label for item in (told if head.intro == "ref" else told or items)), "")


def _words_of(item: Item) -> set[str]:
    return {same(item.label), *(same(part) for fact in item.facts for part in re.split(r"[\s,-]+", fact.value.lower()))}
