"""Ports, and who may reach them: `ports 22, 80 and 443`, `443/tcp from 10.0.0.0/8`. Each kind has one function over a stretch."""

from __future__ import annotations

import re

from tools.rules.hearing.assignment.listing import takes_away
from tools.rules.hearing.assignment.places import SOURCE_WORDS_MAX, addresses_at
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.values import plain
from tools.rules.hearing.scene import Scene
from tools.values.wanted import Wanted

PORTS_HELD = (",", "/", "&", "+", ";", "\n", ":")


def sources(at: Stretch, one: Wanted) -> None:
    """Who may reach it: `from 10.0.0.0/8`, `from anywhere`."""
    scene, said, spans = at.scene, list[str](), list[tuple[int, int]]()
    for i in range(at.first, at.last if one.several else at.first):
        if scene.kind(i) == "address" and not scene.used[i] and takes_away(scene, i):
            end, gone = addresses_at(scene, i, at.last)
            begin = scene.at(i - 1).first if one.name in scene.at(i - 1).names("fact") else i
            at.deny(one, ", ".join(gone), begin, end)
            scene.use(begin, end)
    for i in scene.left(at.first, at.last):
        if scene.kind(i) == "address":
            end, more = addresses_at(scene, i, at.last)
            begin = i
        elif scene.is_listed(i, "anywhere") and scene.does(i - 1, "lean", "owned"):
            begin, end = i - scene.does(i - 1, "owned"), i + 1
            more = (scene.quote(begin, end),)
        else:
            continue
        said += more
        spans.append((begin, end))
        scene.use(begin, end)
    for mark in at.labels(one):
        if any(mark.last <= begin <= mark.last + 2 for begin, _ in spans):  # `addresses: 10.0.0.1`, `API from 10.0.0.1`
            scene.use(mark.first, mark.last)
    if said:
        at.found.say(one.name, ", ".join(dict.fromkeys(said)), scene.quote(spans[0][0], spans[-1][1]))


def ports(at: Stretch, one: Wanted) -> None:
    """`ports 22, 80 and 443`, `443/tcp`, `8000-8100`, `5432 (to the database)`; the word may stand before or behind them."""
    scene, said, spans = at.scene, list[str](), list[tuple[int, int]]()
    for i in scene.of_kind(at.first, at.last, "number") if one.name == "ports" else ():
        if scene.is_left(i) and scene.is_listed(i - 2, "protocols") and scene.is_text(i - 1, "(") and scene.is_text(i + 1, ")"):
            said.append(plain(scene.said[i].value))  # `via SSH (22)`
            spans.append((i, i + 1))
    for i in scene.of_kind(at.first, at.last, "port"):
        if scene.is_left(i):
            said.append(scene.quote(i, i + 1).removesuffix("/tcp"))
            spans.append((i, i + 1))
    for i in scene.of_kind(at.first, at.last, "number") if one.several else ():
        if scene.is_left(i) and scene.does(i - 1, "shut"):  # `close 443`
            end, refused = ports_at(scene, i, at.last)
            at.deny(one, ", ".join(refused), i - 1, end)
            scene.use(i - 1, end)
    for mark in at.labels(one):
        if scene.kind(mark.first - 1) == "address" and {*mark.facts(at.capability)} & {w.name for w in at.able.by_kind.get("count", ())}:
            continue  # `points to 10.20.0.70 port 3000`
        if scene.denied[mark.first] or (one.several and takes_away(scene, mark.first)):
            end, refused = ports_at(scene, mark.last, at.last)
            if refused:
                at.deny(one, ", ".join(refused), mark.first, end)
                scene.use(mark.first, end)
            continue
        start = mark.first
        end, found = ports_at(scene, at.skip(mark.last), at.last, sources="addresses" not in at.able.by_kind)
        if not found:
            while start > at.first and (scene.kind(start - 1) == "number" or _holds(scene, start - 1, (",", "/", "-", "&"))):
                start -= 1
            found, end = ports_at(scene, start, mark.first)[1], mark.last
        if found:
            said += found
            spans.append((start, end))
            scene.use(start, end)
    if said:
        at.found.say(one.name, ", ".join(dict.fromkeys(said)), scene.quote(min(spans)[0], max(span[1] for span in spans)))
        for span in spans:
            scene.use(*span)


def _holds(scene: Scene, number: int, texts: tuple[str, ...]) -> bool:
    return scene.is_text(number, *texts) or scene.does(number, "join", "or")


def _leads_on(scene: Scene, number: int) -> bool:
    """`443 from anywhere and on 22`; the mark of a list before its next line."""
    listed = scene.is_text(number, "-", "*", "•") and scene.is_text(number - 1, "\n")
    return scene.kind(number + 1) == "number" and (listed or scene.does(number, "lean"))


def _lets_in(scene: Scene, number: int) -> bool:
    """`443 from …`; of what is opened, `443 to …`."""
    opens = scene.does(number, "to") and scene.any_listed(scene.sentence(number)[0], number, "opens")
    return scene.is_listed(number, "from") or opens


def _behind_source(scene: Scene, begin: int, last: int) -> int:
    """`from the monitoring host`: the token behind words that say where from."""
    end = begin
    while end < min(begin + SOURCE_WORDS_MAX, last) and scene.kind(end) in ("word", "name") and not scene.does(end, "join"):
        end += 1
    return end


def _source_behind(scene: Scene, begin: int, last: int) -> int:
    """Where it says where from, behind words that name whose port it is; 0: nowhere."""
    words = range(begin + 1, min(_behind_source(scene, begin, last) + 1, last))
    return next((i for i in words if scene.is_listed(i, "from")), 0)


def ports_at(scene: Scene, begin: int, last: int, *, sources: bool = True) -> tuple[int, list[str]]:
    """(the token behind them, the ports) of a list that begins here. `sources`: each may say where from."""
    said: list[str] = []
    at = end = begin
    while at < last:
        token = scene.said[at]
        counts_next = set(scene.at(at + 1).names("fact")) & scene.words.counting  # `443, 4 cores`
        if token.kind == "number" and token.value == int(token.value) and not scene.used[at] and not counts_next:
            is_range = re.fullmatch(r"\d+-\d+", token.text)  # a number to all others, its upper end
            said.append(token.text if is_range else str(int(token.value)))
            end = at = at + 1
        elif token.kind == "port":
            said.append(scene.quote(at, at + 1).removesuffix("/tcp"))
            end = at = at + 1
        elif token.kind == "mark" and token.text.isdecimal() and said:  # `80/443`
            said.append(token.text)
            end = at = at + 1
        elif said and token.text == "(" and (close := scene.find(at, min(at + 14, last), ")")):
            at = close + 1
        elif said and scene.does(at, "lean") and (source := _source_behind(scene, at + 1, last)):
            at = source  # `443 on web-1 from 10.0.0.0/8`, `443 on the web server from the office`
        elif said and sources and _lets_in(scene, only := scene.skip(at, last, "affirm", "only", most=3)):
            words = _behind_source(scene, only + 1, last)  # `8080 but only from 10.0.0.0/8`, `443 from the campus 10.2.0.0/16`
            end, addresses = addresses_at(scene, words, last)
            if not addresses and only + 1 < last and scene.kind(only + 1) not in ("number", "port"):
                # Who was meant is not known here, and it is not everybody: whoever reads the port asks.
                end = max(words, only + 2)
                addresses = (scene.quote(only + 1, end),)
            said[-1] += f" from {' and '.join(addresses)}" if addresses else ""
            at = end
        elif said and (scene.is_listed(at, "protocols") or _holds(scene, at, PORTS_HELD) or _leads_on(scene, at)):
            at += 1
        else:
            break
    return end, said
