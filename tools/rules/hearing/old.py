"""What the old reader hears, as edits: it serves the conversation until the one in tools.rules.hearing.reading hears more."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from tools.rules.hearing.hear import hear
from tools.rules.hearing.unheard import unheard
from tools.rules.hearing.wording import find, has, negated
from tools.rules.names.text import fold
from tools.values.request import Edit, Edits, Item, Request
from tools.values.wanted import Listed

_ASKING = re.compile(
    r"\s*(?:and |but |so |hm+,? )?(?:why|what|how|which|where|when|who|does|did|is|are|was|were|will(?! you)|can you (?:explain|tell|show)"
    r"|explain|tell me|show)\b",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"\b(?:another|one more|a second|a new|a further|an additional|an extra|a separate)\b", re.IGNORECASE)
_ASKS_FOR_ONE = re.compile(
    r"\s*(?:please |now |and |also |ok,? |then )*(?:(?:i|we)(?: also| now)? (?:need|want|would like)|(?:i|we)'d like"
    r"|create|make|set up|provision|deploy|build|give)(?: me| us)? an? ",
    re.IGNORECASE,
)
_ONE_LIKE_IT = re.compile(r"\b(?:another one|one more|the same again)\b", re.IGNORECASE)
_TAKE_AWAY = re.compile(
    r"\s*(?:please |now |and )*(?:remove|delete|destroy|drop|get rid of|tear down)\s+(?:(?:the|my|our|that)\s+)?"
    r"(?P<what>[\w .-]{1,40}?)\s*[.!]?\s*",
    re.IGNORECASE,
)


def read(text: str, request: Request, catalogue: Mapping[str, Listed], asked: tuple[tuple[str, str], ...], today: datetime.date) -> Edits:
    """`asked` are (item's label, fact) of the questions that are open, so that `100` is an answer."""
    if taken := _taken_away(text, request, catalogue):
        return Edits(edits=(taken,))
    items = {item.label: item for item in request.items}
    latest = {item.capability: item for item in request.items} | {i.capability: i for i in request.items if _is_named(i, text)}
    about = tuple((items[label].capability, fact) for label, fact in asked if label in items)
    so_far = Request(items=tuple(_besides(item, request) for item in latest.values()))
    heard = hear(text, catalogue, so_far, about)
    anything = any(item.facts or item.capability not in latest for item in heard.items)
    asking = _ASKING.match(text) is not None
    asks = (bool(items) and asking) or (not anything and (asking or text.rstrip().endswith("?")))
    another = bool(_ANOTHER.search(text) or _ASKS_FOR_ONE.match(text))
    edits: list[Edit] = []
    for item in heard.items:
        name, words = item.capability, next(find(catalogue[item.capability].WORDS, fold(text)), None)
        quote = text[words.start : words.end] if words else text
        if name not in latest or (another and words):
            edits.append(Edit(do="add", item=name, name=name, quote=quote))
            edits.extend(_set(name, item))
            continue
        for fact in item.facts:
            labels = [label for label, asked_for in asked if asked_for == fact.name and label in items and items[label].capability == name]
            for label in labels or [latest[name].label]:
                edits.append(Edit(do="set", item=label, name=fact.name, value=fact.value, quote=fact.quote))
    like_it = _ONE_LIKE_IT.search(text)
    if like_it and request.items and not any(edit.do == "add" for edit in edits):
        last = request.items[-1].label
        edits = [Edit(do="copy", item=last, name=last, quote=like_it.group()), *edits]
    return Edits(edits=tuple(edits), asks=asks, unused=unheard(text, heard, catalogue))


def _set(label: str, item: Item) -> list[Edit]:
    return [Edit(do="set", item=label, name=fact.name, value=fact.value, quote=fact.quote) for fact in item.facts]


def _besides(item: Item, request: Request) -> Item:
    own = {fact.name for fact in item.facts}
    return item.model_copy(update={"facts": (*item.facts, *(fact for fact in request.shared if fact.name not in own))})


def _is_named(item: Item, text: str) -> bool:
    name = item.fact("name")
    return item.label != item.capability and has((item.label, *([name.value] if name else [])), fold(text))


def _taken_away(text: str, request: Request, catalogue: Mapping[str, Listed]) -> Edit | None:
    found = _TAKE_AWAY.fullmatch(text)
    if found is None:
        return None
    what = fold(found["what"])
    for item in request.items:
        name = item.fact("name")
        if what in (item.label, name.value if name else "", *catalogue[item.capability].WORDS, item.capability.replace("_", " ")):
            return Edit(do="remove", item=item.label, quote=text.strip())
    kinds = [span for one in catalogue.values() for span in find(one.WORDS, what) if not negated(what, span)]
    return Edit(do="remove", item=found["what"], quote=text.strip()) if kinds else None
