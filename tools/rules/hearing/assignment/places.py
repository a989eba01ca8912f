"""Facts that tell where: networks, nodes, addresses, who may reach it, and ports. Each kind has one function over a stretch."""

from __future__ import annotations

import re

from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.values import plain
from tools.rules.hearing.groups.naming import BRIDGE, hyphenated, is_named_place, is_value_word, joined_to
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.tokens.cutting import addresses
from tools.rules.hearing.words.meanings import Mark
from tools.values.wanted import Wanted

SUBNET = re.compile(r".*(?:\.0/(?:8|16|2[0-4])|::/\d{1,3})")
_NODE = re.compile(r"[a-z][a-z-]{0,40}\d{1,4}")
VLAN_MAX = 4095
FURTHER, FURTHER_ADDRESSES = "more_networks", "more_addresses"
"""Facts of network cards beside the first."""
PLACES = ("network", "networks", "vlan", "vlans", "vnet", "vnets", "bridge", "bridges", "tag", "id")
NAMED_SOURCE_MAX = 3
SOURCE_WORDS_MAX = 6
"""Words between `from` and an address that something comes from."""
_FOLDER = re.compile(r"[^\s,;()\"'`]{1,256}")


def networks(at: Stretch, one: Wanted) -> None:
    """`vlan 20`, `network lab`, `the servers network`, `vmbr1`, `on 10.0.30.0/24`. A VLAN and a bridge are both kept."""
    scene = at.scene
    if one.name == "bridge":
        return  # told with the network
    if one.name == FURTHER:
        _further_networks(at, one)
        return
    for mark in at.labels(one):
        if scene.denied[mark.first]:
            begin = at.skip(mark.last)
            if begin < at.last and scene.kind(begin) in ("name", "number"):
                at.deny(one, scene.quote(begin, begin + 1), mark.first, begin + 1)
                scene.use(mark.first, begin + 1)
        elif _is_source(scene, mark):
            continue
        elif span := _network_behind(at, mark, one.alone) or _network_before(at, mark):
            _say_network(at, one, *span)
        elif one.alone:
            scene.use(mark.first, mark.last)  # `a VLAN 60 network`: it is what is asked for
    for i in scene.of_kind(at.first, at.last, "word", "name", "address", "number"):
        if not scene.is_left(i):
            continue
        subnet = scene.kind(i) == "address" and SUBNET.fullmatch(scene.said[i].text) and scene.does(i - 1, "lean")
        listed = scene.is_listed(i, "networks") and scene.does(i - 1, "lean", "owned", "article")  # `in the DMZ`
        known = scene.said[i].text in scene.known.networks and scene.does(i - 1 - scene.does(i - 1, "owned"), "lean")
        asked = scene.kind(i) == "number" and _answers(at, one, i)
        bridge = scene.kind(i) == "name" and BRIDGE.fullmatch(scene.said[i].text) and not scene.is_text(i + 1, ":", "=")
        listed = listed and one.name not in at.found.facts  # `into the DMZ (VLAN 101)`
        if asked or bridge or listed or known or (subnet and not scene.is_listed(i - 1, "from")):
            _say_network(at, one, scene.quote(i, i + 1), i, i + 1)


def _answers(at: Stretch, one: Wanted, number: int) -> bool:
    """`3 servers, 2 workers. production on 20`, where it was asked which network: a number that counts nothing."""
    scene, after = at.scene, number + 1
    ends = scene.breaks(after, "join", signs=(")",))
    told = one.name in scene.asked or bool(scene.at(number - 2).choices("environment"))  # `production on 20`
    open_ = told and one.name not in at.found.facts and scene.is_listed(number - 1, "within")
    return open_ and ends and scene.does(number - 1, "lean") and not scene.at(number - 1).names("fact")


def _further_networks(at: Stretch, one: Wanted) -> None:
    """`a second network card on VLAN 30 with address 10.30.0.5/24`, `additional NICs on 30 and vmbr1`."""
    scene, said = at.scene, list[str]()
    for mark in at.labels(one):
        begin = scene.skip(at.skip(mark.last, "called", "lean"), at.last, texts=PLACES)
        last, found = begin, list[str]()
        while begin < at.last and not scene.used[begin] and scene.kind(begin) in ("name", "number", "quoted"):
            found.append(scene.unquoted(begin))
            last = begin + 1
            on = scene.skip(last, at.last, "lean")
            if on > last and on < at.last and BRIDGE.fullmatch(scene.said[on].text) and found[-1].isdecimal():
                found[-1], last = f"{scene.unquoted(on)}.{found[-1]}", on + 1
            comma = scene.skip(last, at.last, texts=(",",))
            joined = scene.skip(comma, at.last, "join")
            begin = scene.skip(joined, at.last, texts=PLACES) if joined > comma else joined  # `…, network 20` is the first card's
            if begin == last:
                break
        if scene.denied[mark.first]:
            at.deny(one, ", ".join(found), mark.first, last)
            scene.use(mark.first, last)
        elif found:
            said += found
            at.say(one.name, ", ".join(said), mark.first, last)
            _its_addresses(at, last)


def _its_addresses(at: Stretch, begin: int) -> None:
    """Those that are said of a further card, right behind it."""
    scene, first = at.scene, begin
    while begin < at.last and (
        scene.is_text(begin, ",", "(") or scene.is_listed(begin, "address") or scene.does(begin, "with", "lean", "owned")
    ):
        begin += 1
    end, said = addresses_at(scene, begin, at.last)
    if said:
        before = at.found.facts.get(FURTHER_ADDRESSES)
        at.say(FURTHER_ADDRESSES, ", ".join([*([before.value] if before else []), *said]), first, end)


Span = tuple[str, int, int]
"""A value, and the tokens that say it."""


def _is_source(scene: Scene, mark: Mark) -> bool:
    """`from the office network 10.2.0.0/16`, `on the same network as app-01`."""
    if scene.does(mark.first - 1, "owned", "same_again") and (scene.is_listed(mark.last, "as") or scene.does(mark.last, "copy")):
        return True
    before = range(max(mark.first - SOURCE_WORDS_MAX, 0), mark.first)
    opens = scene.any_listed(scene.clause(mark.first), mark.first, "opens") and scene.any_does(before.start, mark.first, "to")
    from_there = scene.any_listed(mark.first - NAMED_SOURCE_MAX, mark.first, "from")  # `22 from the university network`
    return from_there or (scene.kind(mark.last) == "address" and (opens or scene.any_listed(before.start, before.stop, "from")))


def _network_behind(at: Stretch, mark: Mark, is_new: bool = False) -> Span | None:
    scene = at.scene
    begin = at.skip(mark.last, "called", "lean")
    leans = any(scene.does(i, "lean") and not scene.does(i, "called", "link") for i in range(mark.last, begin))
    begin = scene.skip(begin, at.last, texts=("id", "tag", "number", "no", ".", "vlan", "name"))
    if begin >= at.last or scene.used[begin] or measures(scene, begin):
        return None
    kind = scene.kind(begin)
    if kind in ("name", "address", "quoted"):
        return scene.unquoted(begin), mark.first, begin + 1
    if kind == "number" and not _counts(scene, begin):
        digits = scene.quote(begin, begin + 1)
        return digits if digits[0].isdecimal() else plain(scene.said[begin].value), mark.first, begin + 1  # `network thirty-three`
    if kind == "word" and not leans and _names_a_place(scene, mark, begin, is_new):
        value = hyphenated(scene, begin)
        return value, mark.first, scene.chunk(begin, len(value))
    return None


def measures(scene: Scene, number: int) -> bool:
    """`1Gbit`: how fast it is, and not what it is called."""
    return scene.kind(number) == "number" and scene.kind(number + 1) == "word" and scene.token(number + 1).glued


def _network_before(at: Stretch, mark: Mark) -> Span | None:
    """`the servers network`, `on the 20 network`, `the 10.20.0.0/24 network`."""
    scene, i = at.scene, mark.first - 1
    if i < at.first or not scene.is_left(i) or scene.is_listed(i, "no_network"):
        return None
    lead = scene.at(i - 1)
    opens = scene.breaks(i - 1, "lean", "owned", "article", "for")
    number = scene.kind(i) == "number" and opens and scene.said[i].value < VLAN_MAX and not scene.is_plain_word(mark.last)
    open_ = (lead.does("lean") or i == at.first) and is_value_word(scene, i) and not scene.at(i).names("fact")
    word = scene.kind(i) == "word" and (lead.does("owned") or open_)
    subnet = scene.kind(i) == "address" and SUBNET.fullmatch(scene.said[i].text) and not scene.is_listed(i - 1, "from")
    return (scene.quote(i, i + 1), i, mark.last) if scene.kind(i) == "name" or number or word or subnet else None


def _say_network(at: Stretch, one: Wanted, value: str, first: int, last: int) -> None:
    """Of a bridge and a VLAN the VLAN is the network, and the bridge is where it is."""
    before = at.found.facts.get(one.name)
    is_bridge, was_bridge = bool(BRIDGE.fullmatch(value.lower())), bool(before and BRIDGE.fullmatch(before.value.lower()))
    if before and was_bridge and not is_bridge:
        at.found.say("bridge", before.value, before.quote)
    elif one.alone and before and not is_bridge and before.value.isdecimal() != value.isdecimal():
        if not value.isdecimal():  # of a new one: `VLAN 60 network called lab`
            at.say("name", value, first, last)
            return
        at.found.say("name", before.value, before.quote)
    at.say("bridge" if is_bridge and before and not was_bridge else one.name, value, first, last)


def _counts(scene: Scene, number: int) -> bool:
    """`network 8 cores`: the number is about what follows."""
    after = set(scene.at(number + 1).names("fact"))
    return bool(after & {"cpu_count", "users", "memory", "disk"}) and not scene.at(number - 1).names("fact")


def _names_a_place(scene: Scene, mark: Mark, begin: int, is_new: bool = False) -> bool:
    """`network lab`, `node alpha`; not `network monitoring`, `any node is fine`, `a node exporter`."""
    if begin == mark.last and scene.is_body(begin) and is_named_place(scene, mark.first, begin + 1):
        return True
    if not is_value_word(scene, begin) or scene.at(begin).has("fact", "wish"):
        return False
    told = begin > mark.last
    if scene.does(mark.first - 1, "any") or (scene.is_listed(mark.first - 1, "no_place") and not is_new):
        return told and scene.is_text(begin - 1, ":", "=")
    opens = scene.breaks(mark.first - 1)
    leads = ("lean", "owned", "change", "join", *(("article",) if is_new else ()))  # `create a vnet dmz`
    there = opens or scene.does(mark.first - 1, *leads) or scene.is_listed(mark.first, "within")
    closes = scene.kind(begin + 1) in ("", "mark", "number", "size") or scene.does(begin + 1, "join", "with", "for", "lean", "affirm", "or")
    return told or (there and closes and not scene.said[begin].text.endswith("ing"))


def nodes(at: Stretch, one: Wanted) -> None:
    """`on node pve2`, `on pve2`, `use pve3`; what is denied is told apart: `not on pve1`."""
    scene = at.scene
    for mark in at.labels(one):
        begin = at.skip(mark.last, "called")
        if begin >= at.last or scene.used[begin]:
            continue
        if scene.kind(begin) == "quoted":
            _say_node(at, one, scene.unquoted(begin), mark.first, begin + 1)
        elif scene.kind(begin) == "name" or _names_a_place(scene, mark, begin):
            value = hyphenated(scene, begin)
            _say_node(at, one, value, mark.first, scene.chunk(begin, len(value)))
    for i in scene.of_kind(at.first, at.last, "word", "name"):
        if scene.used[i]:
            continue
        if scene.is_listed(i, "any_place") and not scene.does(i - 1, "lean", "to"):
            _unsay_node(at, one, i, i + 1)
        is_known = scene.said[i].text in scene.known.nodes
        if (scene.kind(i) != "name" and not is_known) or scene.at(i).meanings:
            continue
        stands_for = any(name == one.name for name, _, _ in at.found.denied) and scene.is_text(i - 1, ",")  # `not pve3, pve2`
        leads = (stands_for or scene.does(i - 1, "lean", "change")) and not scene.is_listed(i - 1, "leads_to_no_node")
        denied = scene.denied[i] and scene.does(i - 1, "deny")
        if (leads or denied) and (is_known or _NODE.fullmatch(scene.said[i].text)):
            _say_node(at, one, scene.quote(i, i + 1), i, i + 1)


def _unsay_node(at: Stretch, one: Wanted, first: int, last: int) -> None:
    """Any node is as good."""
    at.deny(one, "", first, last)
    at.scene.use(first, last)


def _say_node(at: Stretch, one: Wanted, value: str, first: int, last: int) -> None:
    if at.scene.denied[first]:
        at.deny(one, value, first, last)
    else:
        at.say(one.name, value, first, last)


def address(at: Stretch, one: Wanted) -> None:
    """Behind their label; also without one the address that a service shares, else a machine's own."""
    scene = at.scene
    for mark in at.labels(one):
        end, said = addresses_at(scene, at.skip(mark.last, "lean"), at.last)
        if said and not scene.denied[mark.first] and not _is_owned_by_another(scene, mark.first):
            at.say(one.name, ", ".join(said), mark.first, end)
            at.found.say(one.name, ", ".join(said), scene.quote(_with_whole(scene, mark.first, end), end))
    shared = next((other.name for other in at.able.by_kind["address"] if other.unlabelled), "address")
    if one.name != shared or one.name in at.found.facts:
        return
    for i in scene.of_kind(at.first, at.last, "address"):
        leads = range(max(scene.sentence(i)[0], i - SOURCE_WORDS_MAX), i)
        if (
            scene.is_left(i)
            and not SUBNET.fullmatch(scene.said[i].text)
            and not any(scene.is_listed(j, "from") for j in leads)
            and not scene.any_does(max(i - 8, at.first), i, "reaches")
            and not _is_of_another(at, i)
        ):
            end, said = addresses_at(scene, i, at.last)
            at.say(one.name, ", ".join(said), i, end)
            return
    _one_by_one(at, one)


def _one_by_one(at: Stretch, one: Wanted) -> None:
    """`first one 10.20.0.11, second 10.20.0.12`."""
    scene, said = at.scene, list[int]()
    for i in scene.of_kind(at.first, at.last, "address"):
        lead = (
            i - 1 - scene.is_listed(i - 1, "one_of")
            if not scene.does(i - 1, "with", "link", "lean")
            else i - 2 - scene.is_listed(i - 2, "one_of")
        )
        if scene.words.ordinals.get(scene.token(lead).text) == len(said) and scene.is_left(i):
            said.append(i)
    if len(said) > 1 and one.name == "address":
        at.found.say(one.name, ", ".join(scene.said[i].text for i in said), scene.quote(said[0], said[-1] + 1))
        for i in said:
            scene.use(i, i + 1)


def subnet(at: Stretch, one: Wanted) -> None:
    """Behind its label, or the first range that is said: `make a VLAN 60 network, 10.0.60.0/24`."""
    scene = at.scene
    behind = [(mark.first, at.skip(mark.last, "lean")) for mark in at.labels(one) if not scene.denied[mark.first]]
    ranges = ((i, i) for i in scene.of_kind(at.first, at.last, "address") if "/" in scene.said[i].text)
    for first, i in (*((first, i) for first, i in behind if scene.kind(i) == "address"), *ranges):
        if scene.is_left(i) and not scene.is_listed(i - 1, "from"):
            at.say(one.name, scene.quote(i, i + 1), first, i + 1)
            return


LEADING = ("lean", "article", "owned", "with", "link", "change", "ask_for", "affirm", "them")
"""What the words do that may stand between a thing and its address."""


def _leads(scene: Scene, number: int) -> bool:
    fills = scene.fills(number) and not scene.is_body(number)  # `I'd give it 10.0.0.4`
    return scene.does(number, *LEADING) or scene.is_listed(number, "address") or fills


def _is_of_another(at: Stretch, number: int) -> bool:
    """`registry at 10.20.0.8`, `nfs server 10.20.0.9`, `that uses the database at 10.20.0.5`: it stands neither at the beginning of its
    clause nor behind what is said of the thing."""
    scene, clause = at.scene, at.scene.clause(number)
    i = scene.at(number - 1).first if scene.does(number - 1, *LEADING) else number
    while i > clause and scene.is_left(i - 1) and _leads(scene, i - 1):
        i = min(scene.at(i - 1).first or i - 1, i - 1)
    if scene.kind(i - 2) == "address" and (scene.does(i - 1, "join") or scene.is_text(i - 1, ",", "&")):
        return True  # `forwarders 1.1.1.1 and 9.9.9.9`
    if i <= clause or scene.does(i - 1, "join") or scene.kind(i - 1) in ("mark", *QUANTITIES):
        return False
    if any(scene.at(j).has("relation") for j in range(clause, i)):
        return True
    if mention := scene.mention_before(i):
        first = next(one for one in scene.mentions if one.first >= at.first or one is mention)
        names_another = not mention.names("body") or scene.is_plain_word(mention.first - 1)
        return bool(scene.denied[mention.first]) or (mention is not first and names_another)
    counts = scene.words.counting & set(scene.at(i - 1).names("fact"))
    return not (scene.used[i - 1] or counts or scene.at(i - 1).has("choice"))


def _is_owned_by_another(scene: Scene, label: int) -> bool:
    """`the registry's address`, `the NFS server's IP`; not `the server's IP`."""
    if label < 1 or not scene.quote(label - 1, label).endswith(("'s", "’s")):
        return False
    return not scene.is_body(label - 1) or scene.is_plain_word(label - 2)


def _with_whole(scene: Scene, first: int, last: int) -> int:
    """Where a quote of these begins that holds the whole address of which `.1` is another end."""
    addresses = list(scene.of_kind(0, last, "address"))
    inside = [i for i in addresses if i >= first]
    if not inside or not scene.quote(inside[0], inside[0] + 1).startswith("."):
        return first
    return max((i for i in addresses if i < first and not scene.quote(i, i + 1).startswith(".")), default=first)


def addresses_at(scene: Scene, begin: int, last: int) -> tuple[int, tuple[str, ...]]:
    """(the token behind them, the addresses)."""
    said: list[str] = []
    at = end = begin
    while at < last and scene.kind(at) == "address":
        until = joined_to(scene, at)
        several = addresses(scene.said[at].text, scene.said[until].text) if at < until < last and scene.kind(until) == "address" else ()
        said += several or [scene.said[at].text]
        end = until + 1 if several else at + 1
        at = scene.skip(end, last, "join", "or", texts=(",", "&"))
    return end, tuple(said)


def folders(at: Stretch, one: Wanted) -> None:
    """`backups to /mnt/backup`, `backed up each night on the NFS share filer:/export/pg`; not `backups from /srv/old to be imported`."""
    scene = at.scene
    for mark in at.marks(one.name):
        end = min(scene.sentence(mark.first)[1], at.last)
        first = next((i for i in range(mark.last, end) if scene.is_left(i) and begins_path(scene, i)), end)
        if one.name in mark.names("fact") and first < end and not scene.denied[mark.first] and not scene.is_listed(first - 1, "from"):
            last = scene.chunk(first, len(folder_at(scene, first)))
            at.say(one.name, scene.quote(first, last), mark.first, last)


def begins_path(scene: Scene, number: int) -> bool:
    """`/backup`, `~/backup` and `//filer/share` too: what no folder can be is told when it is understood."""
    opens = scene.is_text(number, "/", "~", "\\") and not scene.text[: scene.token(number).start][-1:].isalnum()  # not `24/7`
    return scene.kind(number) == "path" or (opens and bool(re.match(r"[\\/~]+\w", folder_at(scene, number))))


def folder_at(scene: Scene, number: int) -> str:
    """Up to the next blank or comma."""
    match = _FOLDER.match(scene.text, scene.token(number).start)
    return match.group().rstrip(".:") if match else ""
