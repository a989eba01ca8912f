"""How a thing that is named stands in its sentence: what it comes after, what governs it, what its other words say."""

from __future__ import annotations

from tools.rules.hearing.groups.head import Head
from tools.rules.hearing.groups.naming import DIGITS, is_named_place
from tools.rules.hearing.scene import Scene


def what_joins(scene: Scene, head: Head) -> str:
    """What joins it to the words before: `stop` at the beginning of a sentence or behind a comma."""
    i, points = head.start - 1, False
    if scene.is_listed(i, "of") and scene.kind(i - 1) == "size":
        return "stop"  # `500 GB of NFS storage`
    while not scene.stops(i) and not scene.is_text(i, *",:()+&|-"):
        mark = scene.at(i)
        points = points or mark.does("them")
        if mark.names("relation"):
            comes = points or "uses" in mark.names("relation")
            return "join" if comes and head.intro == "new" else "lean"  # `next to them a database`, `that uses a redis`
        joins = next((name for name in ("join", "for", "with", "lean") if mark.does(name)), "")
        if joins and not mark.does("ask_for"):
            return joins
        if mark.does("ask_for", "change", "affirm", "remove", "polite", "or", "called"):
            return "stop"
        if scene.named_at(i + 1) or (scene.used[i] and not mark.meanings):
            return ""
        i -= 1
    return "join" if head.intro == "new" and scene.is_text(i, ",", "+", "&") else "stop"


def governed(scene: Scene, head: Head, what: str) -> bool:
    """Whether a verb stands before it in its clause, with nothing but small words, or other things, between."""
    i = head.start - 1
    while not scene.stops(i):
        mark = scene.at(i)
        if mark.does(what):
            return True
        if mark.does("keep") or (mark.does("ask_for", "change", "with", "lean", "affirm") and not mark.does("join")):
            return False
        i -= 1
    return False


def touches(scene: Scene, head: Head) -> bool:
    return scene.any_does(scene.sentence(head.first)[0], head.start, "touch")


def is_no_thing(scene: Scene, head: Head) -> bool:
    after = scene.at(head.last)
    if head.intro != "new" and after.first == head.last and set(after.names("fact")) & {"network", "vlan", "bridge"}:
        return True  # `the servers network`
    numbered = [scene.token(i).text for i in scene.of_kind(0, len(scene.said), "name") if scene.token(i).text[-1].isdecimal()]
    prefixes = {text.rstrip(DIGITS) for text in numbered}
    if head.intro == "bare" and not head.body and head.last - head.first == 1 and scene.token(head.first).text in prefixes:
        return True  # `db 4 cores` beside a machine db01
    before = scene.at(head.first - 1)
    if head.intro != "new" and head.body and "network" in before.names("fact") and is_named_place(scene, before.first, head.last):
        return True  # `on the network servers`
    sign = head.last + scene.does(head.last, "ask_for", "needed_by")  # `Database needed: no`
    if scene.is_text(sign, "=", ":") and ("ports" in scene.at(sign + 1).names("fact") or scene.is_listed(sign + 1, "no")):
        return True  # `shared postgres = port 5432`, `Database: none`
    return is_wish(scene, head) or (head.body and head.intro == "bare" and asks_nothing(scene))


def is_wish(scene: Scene, head: Head) -> bool:
    """`with a firewall`: of a machine that may have such a setting it is that, and no thing of its own."""
    mark = scene.at(head.first)
    facts = {*mark.names("wish"), *mark.names("fact")} - {"count"}
    if scene.words.alone.keys() & {*mark.names("choice")}:
        return False
    if not facts or mark.first != head.first or mark.last < head.last or head.role or head.names:
        return False
    if head.intro == "new" and not mark.names("wish") and what_joins(scene, head) == "stop" and scene.does(head.last, "join"):
        return False  # `a Debian 12 template and a web server`
    if scene.does(head.last, "for") and scene.kind(scene.skip(head.last, len(scene.said), "for", "bound")) == "number":
        return False  # `monitoring for 40 machines` is a thing
    others = {name for one in scene.mentions for name in one.names("service")} - {head.capability}
    able = any({"ports", "cpu_count"} <= {one.name for one in scene.catalogue[name].WANTED} for name in others)
    return able or any("cpu_count" in one.names("fact") for one in scene.marks)


def tells_list(scene: Scene, head: Head) -> bool:
    """`no longer open port 443`: a value of a list of it is meant, and not the thing itself."""
    lists = {one.name for one in scene.catalogue[head.capability].WANTED if one.several}
    return bool(lists & set(scene.at(head.last - 1).names("fact"))) and scene.kind(head.last) in ("number", "port", "name", "quoted")


def asks_nothing(scene: Scene) -> bool:
    """`you stupid machine`: nothing is wanted and nothing has a size."""
    wants = any(one.does("ask_for", "remove", "polite") or one.has("choice") or set(one.names("fact")) - {"count"} for one in scene.marks)
    wants = wants or any(not one.names("body") for one in scene.mentions)
    return len(scene.said) < 12 and not wants and not scene.has(0, len(scene.said), "number", "size", "name", "money")


def is_environment(scene: Scene, head: Head) -> bool:
    """`a database for 50 users, development environment`: where that is, when nothing makes it a thing of its own."""
    inside = [scene.at(i) for i in range(head.first, head.last)]
    chosen = any(one.choices("environment") for one in inside) and any("environment" in one.names("fact") for one in inside)
    said = scene.said[head.last - 1].text
    return head.intro != "new" and chosen and not (said.isascii() and said.endswith("s"))


def is_told_of(scene: Scene, head: Head) -> bool:
    """`our web app needs a redis`, `migrate the portal to a database`: what it needs, or comes to, is asked for."""
    end = scene.sentence(head.last)[1]
    end = scene.find(head.last, end, ",") or end
    return head.intro == "ref" and any(scene.asks_for_new(i) for i in range(head.last, end))


def is_described(scene: Scene, head: Head) -> bool:
    """`the web app that uses it runs with 3 replicas`: one that is there."""
    return head.intro == "ref" and not head.body and goes_on_about(scene, head.last)


def elaborates(scene: Scene, head: Head, last: int, after: int) -> bool:
    """In a sentence of its own it says for whom or with what the thing is that was only named, up to `last`, with a thing `after` it."""
    end = scene.sentence(last)[1]
    opens = scene.breaks(head.start - 1, "join")
    bare = opens and head.intro == "bare" and head.lead.number is None
    until = min(after, end)
    told = scene.has(last, until, "size", "money") or any(scene.facts(i) & scene.words.counting for i in range(last, until))
    return bare and end < head.first and not told and scene.does(head.last, "for", "with")


def has_address(scene: Scene, head: Head) -> bool:
    """`the redis server at 10.20.0.9`, `nfs server 10.20.0.9`, `the NFS server's IP is 10.20.0.9`."""
    i, end = head.last, scene.sentence(head.last)[1]
    while i < end and (scene.fills(i) or scene.does(i, "lean", "owned") or "address" in scene.at(i).names("fact")):
        i += 1
    return i < end and scene.kind(i) == "address"


def goes_on_about(scene: Scene, number: int) -> bool:
    return scene.is_listed(number, "relative") and not scene.does(number, "with")


def says_what(scene: Scene, head: Head) -> bool:
    """`we move to a k3s cluster with 3 workers`, and not `we move it to a web server in May`: its sentence says how many, how large or
    where."""
    last = scene.sentence(head.last)[1]
    told = scene.words.counting | {"environment", "network", "vlan", "bridge"}
    labelled = any(told & {*mark.names("fact"), *mark.names("choice")} for mark in scene.marks_in(head.last, last))
    return labelled or scene.has(head.last, last, "size")


def says_no_more(scene: Scene, head: Head) -> bool:
    end = scene.sentence(head.last)[1]
    return all(scene.fills(i) or scene.is_text(i, ",") for i in range(head.last, end))


def modifies(scene: Scene, head: Head) -> bool:
    """`the redis team`, `the web server course`: it tells what another thing is about."""
    return scene.is_plain_word(head.last) and not scene.is_body(head.last) and not is_named(scene, head)


def is_named(scene: Scene, head: Head) -> bool:
    """`vm stork (4 cores)`, `vm stork with 4 cores`: the word behind it is its name."""
    sized = scene.has(head.last, min(head.last + 4, scene.sentence(head.first)[1]), "number", "size")
    opens = scene.is_text(head.last + 1, "(", ":") or scene.does(head.last + 1, "with")
    opens = opens or (scene.kind(head.last + 1) in ("number", "size") and sized)  # `vm beta 4 cores 8 GB`
    return head.body and scene.is_plain_word(head.last) and opens and sized


def only_counts(scene: Scene, head: Head, *asking: str) -> bool:
    """Its sentence says a number of it, and neither another quantity nor a word that asks for more."""
    begin, end = head.lead.counted
    first, last = scene.sentence(head.first)
    others = any(scene.is_left(i) for i in (*scene.quantities(first, begin), *scene.quantities(end, last)))
    counts = scene.has(begin, end, "number") or (end > begin and scene.is_listed(begin, "single"))
    return counts and not others and not asks_before(scene, head, *asking)


def asks_before(scene: Scene, head: Head, *asking: str) -> bool:
    """Words before it in its sentence ask for something, and mend nothing that was said."""
    first = scene.sentence(head.first)[0]
    asks = any(scene.does(i, *asking) and not scene.does(i, "change") for i in range(first, head.start))
    return asks and not scene.any_does(first, head.start, "mends")


def value_of(scene: Scene, head: Head) -> int:
    """Where its value stands, if that is before it: `8 GB for the database`, `80 users for the database`; else -1."""
    i = head.start - 2
    if not scene.does(i + 1, "for"):
        return -1
    if scene.at(i).names("fact"):
        i = scene.at(i).first - 1
        i -= scene.is_listed(i, "of")
    if scene.does(i - 1, "with"):
        return -1  # `a redis with 2 GB for the web server`
    return i if scene.kind(i) in ("number", "size", "address", "name", "money") else -1
