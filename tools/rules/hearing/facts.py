"""Reads the facts that are no amounts: names, networks, nodes, addresses, ports, keys, regions, days, choices, free texts. Each kind has
one function over a stretch of the message; what it makes use of is marked as used. It knows kinds of facts and no product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from tools.rules.hearing.dates import days
from tools.rules.hearing.scene import STOPS, Scene
from tools.rules.hearing.tokens import series, spread
from tools.rules.hearing.words import Mark
from tools.rules.names import regions as azure_regions
from tools.values.request import Fact, Wish
from tools.values.wanted import Wanted

NAMES_MAX = 200
TEXT_LENGTH_MAX = 200
NO_KEY = "no key"


@dataclass
class Found:
    """What is read of one thing. A later value of the same name wins: `100 users, no, 200 users`."""

    facts: dict[str, Fact] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    denied: list[tuple[str, str, str]] = field(default_factory=list)
    """(fact, value or nothing, quote) of what is not to be."""

    def say(self, name: str, value: str, quote: str) -> None:
        self.facts[name] = Fact(name=name, value=value, quote=quote)


Reader = Callable[[Scene, int, int, Wanted, Found, date], None]


def read_facts(scene: Scene, first: int, last: int, wanted: Sequence[Wanted], found: Found, today: date) -> None:
    """Everything but amounts, in an order in which the surest kinds come first."""
    for kind in _ORDER:
        for one in wanted:
            if one.kind == kind:
                _READERS[kind](scene, first, last, one, found, today)


def _labels(scene: Scene, first: int, last: int, one: Wanted) -> Iterator[Mark]:
    for mark in scene.of_fact(one.name, first, last):
        if mark.last <= last and one.name in mark.names("fact") and scene.is_open(mark.first, mark.last):
            yield mark


def _skip(scene: Scene, number: int, last: int, *does: str) -> int:
    """Past a colon and the small words that join a label to its value."""
    for _ in range(6):
        if number < last and (scene.is_text(number, ":", "=", "#", "-") or scene.at(number).does("link", *does)):
            number += 1
    return number


def _is_value_word(scene: Scene, number: int) -> bool:
    """A word that may be a name: it has no part in building the sentence."""
    token, mark = scene.said[number], scene.at(number)
    structural = mark.does(
        "deny", "affirm", "lean", "for", "with", "join", "link", "bound", "or", "to", "called", "any", "ask", "ask_for", "change", "each",
        "per", "prefer", "copy", "until", "needed_by", "article", "owned", "remark", "remove",
    )  # fmt: skip
    return token.kind == "word" and not structural and not scene.words.fills(token)


# Keys.


_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")


def _keys(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """A public key is kept whole; of a private one only its first line is repeated, so that the operator can be warned."""
    if first >= last:
        return
    private = _PRIVATE_KEY.search(scene.text, scene.said[first].start)
    if private:
        found.say(one.name, private.group(), private.group())
        begin, _ = scene.tokens_between(private.start(), private.end())
        scene.use(begin, len(scene.said))
        return
    for i in range(first, last):
        if scene.said[i].kind == "key" and not scene.used[i]:
            found.say(one.name, scene.quote(i, i + 1), scene.quote(i, i + 1))
            scene.use(i, i + 1)
    for mark in _labels(scene, first, last, one):
        if scene.denied[mark.first]:
            begin = next(i for i in range(mark.first, -1, -1) if i == 0 or not scene.denied[i - 1])
            found.say(one.name, NO_KEY, scene.quote(begin, mark.last))
            scene.use(begin, mark.last)


# Names.


def names(scene: Scene, first: int, last: int) -> Iterator[tuple[int, int, tuple[str, ...], int, int]]:
    """(first, last token of the whole, the names, their first and last token) of whatever is called something. A name is taken
    whole, so that no word in it is read as anything else."""
    i = first
    while i < last:
        mark = scene.at(i)
        if not (mark.does("called") and mark.first == i and scene.free(i, mark.last)) or scene.denied[i]:
            i += 1
            continue
        begin = _skip(scene, mark.last, last, "owned")
        while (begin < last and scene.at(begin).does("owned", "article")) or scene.is_text(begin, "it", "them", "vm", "machine"):
            begin += 1
        label = scene.at(begin)
        if begin > mark.last and label.first == begin and set(label.names("fact")) & scene.words.placing:
            begin = label.last  # `name the resource group rg-data`
        end, said = _names_at(scene, begin, last, sure=_is_sure(scene, mark, begin))
        if said:
            yield mark.first, end, said, begin, end
        i = max(end, i + 1)


def _is_sure(scene: Scene, mark: Mark, begin: int) -> bool:
    """An ordinary word behind it is a name: after `called`, and after `name:`; not after `call` or in `a name server`."""
    word = scene.said[mark.first].text
    spelled = _hyphenated(scene, begin) if begin < len(scene.said) else ""
    if "-" in spelled or any(c.isdigit() for c in spelled):
        return True
    return begin > mark.last or word in ("called", "named", "hostname", "hostnames", "fqdn") or mark.last - mark.first > 1


def _names_at(scene: Scene, begin: int, last: int, *, sure: bool = True, listed: bool = True) -> tuple[int, tuple[str, ...]]:
    """(the token behind them, the names) of one name, a pattern, a series, or several with commas and an `and`."""
    said: list[str] = []
    at = end = begin
    while at < last and len(said) < NAMES_MAX:
        token = scene.said[at]
        if token.kind == "quoted":
            said.append(scene.text[token.start + 1 : token.end - 1].strip())
            at += 1
        elif token.kind == "name" or (token.kind == "number" and said):
            after = scene.token(at + 2)
            joined = (
                scene.at(at + 1).does("to")
                or scene.is_text(at + 1, "-", "…")
                or (scene.is_text(at + 1, ".") and scene.is_text(at + 2, "."))
            )
            until = at + 3 if scene.is_text(at + 1, ".") and scene.is_text(at + 2, ".") else at + 2
            after = scene.token(until)
            several = series(scene.quote(at, at + 1), scene.quote(until, until + 1)) if joined and after and until < last else ()
            if several:
                said += several
                at = until + 1
            elif token.kind == "name":
                said += spread(scene.quote(at, at + 1))
                at += 1
            else:
                break
        elif token.kind in ("word", "mark", "number") and not said and sure and token.text not in STOPS and not _is_small(scene, at):
            chunk = re.match(r"[^\s,;]{1,256}", scene.text[token.start :])
            text = chunk.group().rstrip(".!?:)\"'") if chunk else ""
            if not text:
                break
            _, at = scene.tokens_between(token.start, token.start + len(text))
            said += spread(text)
        elif token.kind == "word" and said and sure and listed and (word := _listed_name(scene, at, last)):
            said.append(word)
            _, at = scene.tokens_between(token.start, token.start + len(said[-1]))
        else:
            break
        end = at
        if not listed:
            break
        step = at
        while step < last and (scene.is_text(step, ",", "&", "/", "+", "\n") or scene.at(step).does("join")):
            step += 1
        if step == at:
            break
        at = step
    return end, tuple(dict.fromkeys(said))


def _listed_name(scene: Scene, at: int, last: int) -> str:
    """A word of a list that may be a name, empty when it is none."""
    if not _is_value_word(scene, at) or scene.at(at).meanings:
        return ""
    word = _hyphenated(scene, at)
    _, end = scene.tokens_between(scene.said[at].start, scene.said[at].start + len(word))
    ends = _ends_clause(scene, end, last) or scene.is_text(end, ",") or scene.at(end).does("join")
    return word if ends else ""


def _ends_clause(scene: Scene, number: int, last: int) -> bool:
    return number >= last or scene.said[number].text in STOPS or scene.at(number).does("with", "for", "lean", "each")


_SMALL = (
    "after",
    "later",
    "yet",
    "tbd",
    "whatever",
    "something",
    "anything",
    "accordingly",
    "does",
    "can",
    "should",
    "will",
    "in",
    ",",
    ")",
    "(",
)
_NOT_AFTER_NAME = ("servers", "server", "service", "services", "resolution", "space", "spaces", "tags", "lookups")


def _is_small(scene: Scene, number: int) -> bool:
    """Nothing is called `after later`, `is` or `yet`; a `name server` is not called `server`."""
    if scene.is_text(number, *_SMALL) or (scene.is_text(number - 1, "name", "names") and scene.is_text(number, *_NOT_AFTER_NAME)):
        return True
    return scene.at(number).does("lean", "for", "with", "join", "link", "deny", "any", "ask", "to", "or", "until", "needed_by", "remark")


# Places.


_BRIDGE = re.compile(r"vmbr\d{1,4}(?:\.\d{1,4})?|v?net\d{1,4}|vmbr\d+v\d+")


def _networks(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """`vlan 20`, `network lab`, `the servers network`, `vmbr1`, `on 10.0.30.0/24`. A VLAN and a bridge are both kept."""
    if one.name == "bridge":
        return  # told with the network
    for mark in _labels(scene, first, last, one):
        if scene.denied[mark.first]:
            begin = _skip(scene, mark.last, last)
            if begin < last and scene.said[begin].kind in ("name", "number"):
                found.denied.append((one.name, scene.quote(begin, begin + 1), scene.quote(mark.first, begin + 1)))
                scene.use(mark.first, begin + 1)
            continue
        begin = _skip(scene, mark.last, last, "called", "lean", "tag")
        while begin < last and scene.is_text(begin, "id", "tag", "number", "no", ".", "vlan", "name"):
            begin += 1
        token = scene.token(begin) if begin < last else None
        value, end = "", begin + 1
        if token is None or scene.used[begin]:
            pass
        elif token.kind in ("name", "address") or (token.kind == "number" and not _counts(scene, begin)):
            value = scene.quote(begin, begin + 1)
        elif token.kind == "quoted":
            value = scene.text[token.start + 1 : token.end - 1]
        elif token.kind == "word" and _names_a_place(scene, mark, begin):
            value = _hyphenated(scene, begin)
            _, end = scene.tokens_between(token.start, token.start + len(value))
        if value:
            _say_network(scene, one, found, value, mark.first, end)
            continue
        behind = scene.token(mark.first - 1) if mark.first > first else None
        if behind is None or scene.used[mark.first - 1] or scene.denied[mark.first - 1]:
            continue
        lead = scene.at(mark.first - 2)
        number = behind.kind == "number" and lead.does("lean", "owned", "article") and behind.value < 4095
        word = behind.kind == "word" and (
            lead.does("owned") or ((lead.does("lean") or mark.first - 1 == first) and _is_value_word(scene, mark.first - 1))
        )
        if behind.kind == "name" or number or (word and (lead.does("owned") or not scene.at(mark.first - 1).names("fact"))):
            _say_network(scene, one, found, scene.quote(mark.first - 1, mark.first), mark.first - 1, mark.last)
    for i in range(first, last):
        token = scene.said[i]
        if scene.used[i] or scene.denied[i]:
            continue
        if (token.kind == "name" and _BRIDGE.fullmatch(token.text)) or (
            (
                token.kind == "address"
                and token.text.endswith(("0/24", "0/16", "0/8", "0/22", "0/23", "0/20", "0/21"))
                and scene.at(i - 1).does("lean")
                and not scene.at(i - 1).does("from")
            )
            and not scene.is_text(i - 1, "from")
        ):
            _say_network(scene, one, found, scene.quote(i, i + 1), i, i + 1)


def _say_network(scene: Scene, one: Wanted, found: Found, value: str, first: int, last: int) -> None:
    """Of a bridge and a VLAN the VLAN is the network, and the bridge is where it is."""
    quote = scene.quote(first, last)
    scene.use(first, last)
    before = found.facts.get(one.name)
    is_bridge = bool(_BRIDGE.fullmatch(value.lower()))
    if is_bridge and before and not _BRIDGE.fullmatch(before.value.lower()):
        found.say("bridge", value, quote)
    elif before and _BRIDGE.fullmatch(before.value.lower()) and not is_bridge:
        found.say("bridge", before.value, before.quote)
        found.say(one.name, value, quote)
    else:
        found.say(one.name, value, quote)


def _counts(scene: Scene, number: int) -> bool:
    """`network 8 cores`: the number is about what follows."""
    return any(
        one.kind == "fact" and one.name in ("cpu_count", "users", "memory", "disk") for one in scene.at(number + 1).meanings
    ) and not scene.at(number - 1).names("fact")


def _names_a_place(scene: Scene, mark: Mark, begin: int) -> bool:
    """`network lab`, `node alpha`; not `network monitoring`, `any node is fine`, `a node exporter`."""
    if (
        not _is_value_word(scene, begin)
        or scene.at(begin).names(
            "fact",
        )
        or scene.at(begin).names("wish")
    ):
        return False
    before = scene.at(mark.first - 1)
    there = before.does("lean", "owned", "change", "join") or scene.said[mark.first].text in ("on",) or begin > mark.last
    if before.does("any") or scene.is_text(
        mark.first - 1, "any", "each", "every", "same", "same", "no", "a", "an", "for", "one", "which", "what", "our"
    ):
        return begin > mark.last and scene.is_text(begin - 1, ":", "=")
    ended = scene.token(begin + 1)
    closes = (
        ended is None
        or ended.kind == "mark"
        or scene.at(begin + 1).does("join", "with", "for", "lean", "affirm", "or")
        or ended.kind in ("number", "size")
    )
    return (there and closes and not scene.said[begin].text.endswith("ing")) or begin > mark.last


def _hyphenated(scene: Scene, number: int) -> str:
    match = re.match(r"[\w][\w.-]{0,62}", scene.text[scene.said[number].start :])
    return match.group().rstrip(".-_") if match else ""


def _nodes(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """`on node pve2`, `on pve2`, `use pve3`; what is denied is told apart: `not on pve1`."""
    for mark in _labels(scene, first, last, one):
        begin = _skip(scene, mark.last, last, "called")
        token = scene.token(begin) if begin < last else None
        if token is None or scene.used[begin]:
            continue
        if token.kind == "quoted":
            value, end = scene.text[token.start + 1 : token.end - 1], begin + 1
        elif token.kind == "name" or (token.kind == "word" and _names_a_place(scene, mark, begin)):
            value = _hyphenated(scene, begin)
            _, end = scene.tokens_between(token.start, token.start + len(value))
        else:
            continue
        _say_place(scene, one, found, value, mark.first, end)
    for i in range(first, last):
        token = scene.said[i]
        leads = scene.at(i - 1).does("lean", "change") and not scene.is_text(i - 1, "from", "behind", "as", "like", "of", "used", "between")
        denied = bool(scene.denied[i]) and (scene.at(i - 1).does("deny") or leads)
        if (
            token.kind == "name"
            and not scene.used[i]
            and re.fullmatch(r"[a-z][a-z-]{0,40}\d{1,4}", token.text)
            and (leads or denied)
            and not scene.at(i).meanings
        ):
            _say_place(scene, one, found, scene.quote(i, i + 1), i, i + 1)


def _say_place(scene: Scene, one: Wanted, found: Found, value: str, first: int, last: int) -> None:
    if scene.denied[first]:
        found.denied.append((one.name, value, scene.quote(first, last)))
        return
    found.say(one.name, value, scene.quote(first, last))
    scene.use(first, last)


def _address(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """Behind their label; a machine's own address also without one."""
    for mark in _labels(scene, first, last, one):
        begin = _skip(scene, mark.last, last, "lean")
        end, said = _addresses_at(scene, begin, last)
        if said and not scene.denied[mark.first]:
            found.say(one.name, ", ".join(said), scene.quote(mark.first, end))
            scene.use(mark.first, end)
    if one.name != "address" or one.name in found.facts:
        return
    for i in range(first, last):
        token = scene.said[i]
        if token.kind != "address" or scene.used[i] or scene.denied[i] or scene.is_text(i - 1, "from"):
            continue
        if not any(scene.at(k).does("reaches") for k in range(max(i - 8, first), i)):
            end, said = _addresses_at(scene, i, last)
            found.say(one.name, ", ".join(said), scene.quote(i, end))
            scene.use(i, end)
            return


def _addresses_at(scene: Scene, begin: int, last: int) -> tuple[int, tuple[str, ...]]:
    said: list[str] = []
    at = end = begin
    while at < last and scene.said[at].kind == "address":
        said.append(scene.quote(at, at + 1))
        end = at + 1
        at = end
        while at < last and (scene.is_text(at, ",", "&") or scene.at(at).does("join", "or")):
            at += 1
    return end, tuple(said)


_ANYWHERE = ("anywhere", "everywhere", "anyone", "everyone", "everybody", "internet", "world")


def _sources(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    for i in range(first, last):
        if scene.used[i] or scene.denied[i]:
            continue
        if scene.said[i].kind == "address":
            end, said = _addresses_at(scene, i, last)
            found.say(one.name, ", ".join(said), scene.quote(i, end))
            scene.use(i, end)
        elif scene.said[i].text in _ANYWHERE and (scene.is_text(i - 1, "from", "the", "to") or scene.at(i - 1).does("lean", "owned")):
            begin = i - 1 if scene.is_text(i - 1, "the") else i
            found.say(one.name, scene.quote(begin, i + 1), scene.quote(begin, i + 1))
            scene.use(begin, i + 1)


def _ports(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """`ports 22, 80 and 443`, `443/tcp`, `8000-8100`, `5432 (to the database)`; the word may stand before or behind them."""
    said: list[str] = []
    quotes: list[tuple[int, int]] = []
    for i in range(first, last):
        if scene.said[i].kind == "port" and not scene.used[i] and not scene.denied[i]:
            said.append(scene.quote(i, i + 1).removesuffix("/tcp"))
            quotes.append((i, i + 1))
            scene.use(i, i + 1)
    for mark in _labels(scene, first, last, one):
        if scene.denied[mark.first]:
            end, ports = ports_at(scene, mark.last, last)
            if ports:
                found.denied.append((one.name, ", ".join(ports), scene.quote(mark.first, end)))
                scene.use(mark.first, end)
            continue
        begin = _skip(scene, mark.last, last)
        end, ports = ports_at(scene, begin, last)
        start = mark.first
        if not ports:
            start = mark.first
            while start > first and (
                scene.said[start - 1].kind == "number"
                or scene.is_text(start - 1, ",", "/", "-", "&")
                or scene.at(start - 1).does("join", "or")
            ):
                start -= 1
            end, ports = ports_at(scene, start, mark.first)
            end = mark.last if ports else end
        if ports:
            said += ports
            quotes.append((start, end))
            scene.use(start, end)
    if said:
        found.say(one.name, ", ".join(dict.fromkeys(said)), scene.quote(min(q[0] for q in quotes), max(q[1] for q in quotes)))


def _counts_next(scene: Scene, number: int) -> bool:
    """The number right before a label: `443, 4 cores`."""
    return bool(set(scene.at(number + 1).names("fact")) & scene.words.counting)


def ports_at(scene: Scene, begin: int, last: int) -> tuple[int, list[str]]:
    """(the token behind them, the ports) of a list that begins here."""
    said: list[str] = []
    at = end = begin
    while at < last:
        token = scene.said[at]
        if token.kind == "number" and token.value == int(token.value) and not scene.used[at] and not _counts_next(scene, at):
            text = scene.quote(at, at + 1)
            if scene.is_text(at + 1, "-") and scene.token(at + 2) and scene.said[at + 2].kind == "number":
                text, at = f"{text}-{scene.quote(at + 2, at + 3)}", at + 2
            said.append(text if "-" in text else str(int(token.value)))
            end = at = at + 1
        elif token.kind == "port":
            said.append(scene.quote(at, at + 1).removesuffix("/tcp"))
            end = at = at + 1
        elif token.text == "(" and said:
            close = next((k for k in range(at, min(at + 14, last)) if scene.is_text(k, ")")), None)
            if close is None:
                break
            at = close + 1
        elif (token.kind == "word" and said and token.text in ("tcp", "udp", "http", "https", "ssh")) or (
            said and (token.text in (",", "/", "&", "+", ";", "\n", ":") or scene.at(at).does("join", "or"))
        ):
            at += 1
        else:
            break
    return end, said


# Clouds, days, choices, texts.


def _regions(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """`not eastus but westus2` names one; two are both kept, so that somebody is asked; `eastusss` is kept as it was typed."""
    if first >= last:
        return
    low, high = scene.said[first].start, scene.said[last - 1].end
    part = scene.text[low:high]

    def ours(start: int, end: int) -> tuple[int, int] | None:
        a, b = scene.tokens_between(low + start, low + end)
        return (a, max(b, a + 1)) if a < last and scene.free(a, max(b, a + 1)) and not scene.denied[a] else None

    kept = [(name, span) for name, start, end in azure_regions.found(part) if (span := ours(start, end))]
    if not kept:
        kept = [(word, span) for word, start, end in azure_regions.lookalikes(part) if (span := ours(start, end))][:1]
    if not kept:
        return
    if len({name for name, _ in kept}) == 1:
        kept = kept[:1]
    value = scene.quote(kept[0][1][0], kept[-1][1][1])
    found.say(one.name, value, value)
    for _, span in kept:
        scene.use(*span)


def _dates(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    for mark in scene.marks_in(first, last):
        ours = mark.does(one.name) or one.name in mark.names("fact")
        if not ours or not first <= mark.first < last or scene.denied[mark.first] or not scene.free(mark.first, mark.last):
            continue
        begin = mark.first if mark.does("lean") else mark.last
        end = min(begin + 12, last)
        if begin >= end:
            continue
        stretch = scene.text[scene.said[mark.last - 1].end : scene.said[end - 1].end]
        day = next(iter(days(stretch, today)), None)
        lead = stretch[: day.start] if day else ""
        if day and len(lead.split()) <= 4 and not re.search(r"[.;!?\n]", lead):
            start = scene.said[mark.last - 1].end
            _, close = scene.tokens_between(start + day.start, start + day.end)
            found.say(one.name, day.iso, scene.quote(mark.first, close))
            scene.use(mark.first, close)
    if one.name == "until":
        _spans_of_time(scene, first, last, found, today)


def _spans_of_time(scene: Scene, first: int, last: int, found: Found, today: date) -> None:
    """`a VM for three weeks` is needed until then."""
    for i in range(first, last):
        if scene.is_text(i, "for") and not scene.used[i] and not scene.denied[i]:
            end = min(i + 4, last)
            stretch = scene.quote(i, end)
            day = next(iter(days(stretch, today)), None)
            if day and day.start == 0 and "until" not in found.facts:
                _, close = scene.tokens_between(scene.said[i].start, scene.said[i].start + day.end)
                found.say("until", day.iso, scene.quote(i, close))
                scene.use(i, close)


def _choices(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """The last that is said wins. What belongs to a thing that is only spoken of (`the production load balancer`) chooses nothing."""
    for mark in scene.of_fact(one.name, first, last):
        values = mark.choices(one.name)
        if not values or not scene.says_more(mark.first, mark.last) or _is_ordinary(scene, mark):
            continue
        if scene.denied[mark.first]:
            found.denied.append((one.name, values[0], scene.quote(mark.first, mark.last)))
            continue
        if _is_of_another(scene, mark) or _is_in_a_remark(scene, mark):
            continue
        glued = scene.token(mark.last)
        end = mark.last + 1 if glued and glued.glued and glued.kind == "number" else mark.last  # `debian12`
        found.say(one.name, values[0], scene.quote(mark.first, end))
        scene.use(mark.first, mark.last)


def _is_ordinary(scene: Scene, mark: Mark) -> bool:
    """`where the data will live`, `at this stage`: an ordinary word."""
    usual = scene.words.ordinary.get(scene.said[mark.first].text)
    if usual is None or mark.last - mark.first > 1:
        return False
    return scene.is_text(mark.first - 1, *usual["before"]) or scene.is_text(mark.last, *usual["after"])


def _is_of_another(scene: Scene, mark: Mark) -> bool:
    """`the production load balancer`, `behind our nginx`, `at this stage`: the word tells something that is there already."""
    after = scene.token(mark.last)
    before, lead = scene.at(mark.first - 1), scene.at(mark.first - 2)
    noun = (
        after is not None
        and after.kind == "word"
        and not any(one.kind in ("part", "choice", "fact") for one in scene.at(mark.last).meanings)
    )
    noun = noun and not scene.at(mark.last).does(
        "with",
        "lean",
        "for",
        "join",
        "link",
        "affirm",
        "or",
        "to",
        "until",
        "needed_by",
        "bound",
        "each",
        "ask_for",
        "prefer",
        "deny",
        "called",
        "only",
    )
    named = any(m.first == mark.last for m in scene.mentions)
    if named and not scene.used[mark.last] and before.does("owned") and lead.does("lean"):
        return True
    if noun and not named and before.does("owned") and lead.does("lean"):
        return True
    if noun and scene.is_text(mark.first - 1, "shared", "existing", "old", "other"):
        return True
    if named and scene.is_text(mark.first - 1, "shared", "existing", "old"):
        return True
    return scene.is_text(mark.first - 1, "behind", "replace", "replaces", "replacing", "migrate", "like", "unlike") or (
        before.does("owned")
        and scene.is_text(mark.first - 2, "behind", "replace", "replaces", "replacing", "from", "like", "unlike", "beside")
    )


def _is_in_a_remark(scene: Scene, mark: Mark) -> bool:
    """`(to the shared staging postgres)`, `despite the production name`."""
    begin = mark.first
    while begin > 0 and scene.said[begin - 1].text not in STOPS and mark.first - begin < 8:
        begin -= 1
        if scene.at(begin).does("remark"):
            return True
        if scene.is_text(begin, "(", ","):
            return False
    return False


def _yes_no(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    for mark in _labels(scene, first, last, one):
        begin = mark.last + 1 if scene.is_text(mark.last, ":", "=") else mark.last
        if begin > mark.last and begin < last and scene.said[begin].text in ("yes", "no", "true", "false", "y", "n"):
            found.say(one.name, "yes" if scene.said[begin].text in ("yes", "true", "y") else "no", scene.quote(mark.first, begin + 1))
            scene.use(mark.first, begin + 1)
        elif scene.denied[mark.first]:
            begin = next(i for i in range(mark.first, -1, -1) if i == 0 or not scene.denied[i - 1])
            found.say(one.name, "no", scene.quote(begin, mark.last))
            scene.use(begin, mark.last)
        else:
            found.say(one.name, "yes", scene.quote(mark.first, mark.last))
            scene.use(mark.first, mark.last)


def _texts(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """What stands after the word or before it: `on storage ceph-vm`, `packages nodejs and npm`, `for our ML team`, `purpose: training`."""
    for mark in _labels(scene, first, last, one):
        if scene.denied[mark.first]:
            continue
        told = scene.is_text(mark.last, ":", "=") or scene.at(mark.last).does("called") or scene.is_text(mark.last, "is", "are")
        begin = _skip(scene, mark.last, last, "called")
        naming = any(scene.said[i].text in ("called", "named", "name", "call") for i in range(mark.first, mark.last))
        if told and begin < last and scene.said[begin].text not in STOPS:
            end = next((i for i in range(begin, last) if scene.said[i].text in ".,;!?\n" and not _goes_on(scene, i)), last)
            _say_text(scene, one, found, mark.first, begin, end)
            continue
        lead = next(
            (
                i
                for i in range(mark.first - 1, max(first, mark.first - 6) - 1, -1)
                if scene.at(i).does("owned", "article", "for", "lean", "with") or scene.said[i].text in STOPS | {","} or scene.used[i]
            ),
            first - 1,
        )
        alone = mark.first - lead <= 1
        plural = scene.said[mark.last - 1].text.endswith("s")
        if (
            begin < last
            and (alone or naming)
            and (
                scene.said[begin].kind in ("name", "quoted")
                or (_is_value_word(scene, begin) and (plural or naming or scene.said[begin].kind == "word"))
            )
        ):
            end, said = _names_at(scene, begin, last, listed=plural)
            if said and not _is_a_verb(scene, begin):
                _say_text(scene, one, found, mark.first, begin, end)
        elif (
            not alone
            and lead >= first
            and all(_is_value_word(scene, i) or scene.said[i].kind == "name" for i in range(lead + 1, mark.first))
        ):
            _say_text(scene, one, found, lead + 1, lead + 1, mark.last)


def _goes_on(scene: Scene, number: int) -> bool:
    return scene.is_text(number, ".") and number + 1 < len(scene.said) and scene.said[number + 1].glued


def _is_a_verb(scene: Scene, number: int) -> bool:
    return scene.said[number].text in ("for", "with", "and", "at", "should", "must", "needs", "called") or scene.at(number).does(
        "ask_for", "change"
    )


def _say_text(scene: Scene, one: Wanted, found: Found, first: int, begin: int, last: int) -> None:
    text = scene.quote(begin, last).strip()
    if len(text) > 2 and text[0] in "\"“'`" and text[-1] in "\"”'`":
        text = text[1:-1].strip()
    if text and len(text) <= TEXT_LENGTH_MAX:
        found.say(one.name, text.rstrip("."), scene.quote(first, last))
        scene.use(first, last)


def _versions(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """The number right behind the name of a system: `Debian 12`."""
    subject = one.name.removesuffix("_version")
    for mark in scene.of_fact(subject, first, last):
        after = scene.token(mark.last)
        if (
            first <= mark.first < last
            and mark.choices(subject)
            and after
            and after.kind == "number"
            and not scene.denied[mark.first]
            and not scene.used[mark.last]
        ) and (not set(scene.at(mark.last + 1).names("fact")) - {"count"} or after.value > 9):
            found.say(one.name, scene.quote(mark.last, mark.last + 1), scene.quote(mark.first, mark.last + 1))
            scene.use(mark.last, mark.last + 1)


def _named(scene: Scene, first: int, last: int, one: Wanted, found: Found, today: date) -> None:
    """`resource group rg-x`, `nsg called nsg-shared`: behind its own word."""
    for mark in _labels(scene, first, last, one):
        if mark.does("called") or scene.denied[mark.first]:
            continue
        begin = _skip(scene, mark.last, last, "called")
        told = begin > mark.last
        placed = scene.at(mark.first - 1).does("lean", "owned", "change") or scene.at(mark.first - 2).does("lean")
        token = scene.token(begin) if begin < last else None
        if (
            token is None
            or scene.used[begin]
            or not (token.kind in ("name", "quoted") or ((told or placed) and _is_value_word(scene, begin)))
        ):
            continue
        end, said = _names_at(scene, begin, last, listed=False)
        if said:
            found.say(one.name, said[0], scene.quote(mark.first, end))
            scene.use(mark.first, end)


_ORDER = ("public_key", "region", "date", "version", "name", "network", "ports", "address", "addresses", "node", "yes_no", "choice", "text")
_READERS: dict[str, Reader] = {
    "public_key": _keys,
    "region": _regions,
    "date": _dates,
    "name": _named,
    "version": _versions,
    "network": _networks,
    "ports": _ports,
    "address": _address,
    "addresses": _sources,
    "node": _nodes,
    "yes_no": _yes_no,
    "choice": _choices,
    "text": _texts,
}
