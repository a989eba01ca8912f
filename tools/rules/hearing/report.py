"""What was heard as one document, for `berth hear --json` and for tests: items with their facts in the units of people who plan machines,
each with the words that say so. It shows a request and what the last message left open. What no plan could hold is shown as what it
is then: a make that is refused as a wish, an amount of nothing as a question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.rules.hearing.assignment.scaling import worth
from tools.rules.hearing.known import NOTHING_KNOWN, Known, Segment
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.dictionary import Catalogue
from tools.rules.names.naming import numbered
from tools.values.request import Doubt, Edit, Edits, Fact, Item, Request
from tools.values.value import Json
from tools.values.wanted import Listed, Wanted

CALLED = {"data_disks": "data_disks_gib", "budget_monthly": "budget"}
MIB, GIB = 2**20, 2**30


def report(
    request: Request,
    heard: Edits,
    catalogue: Catalogue,
    missing: Sequence[tuple[str, str, str]] = (),
    commands: Sequence[str] = (),
    refused: Sequence[tuple[Edit, str]] = (),
    known: Known = NOTHING_KNOWN,
) -> dict[str, Json]:
    """`items`, `shared`, `wishes`, `questions`, `commands`, `refused`, `unused`. Questions are doubts, and what is `missing`: (item, name,
    text); refused are edits that could not be made, each with the reason. What a machine is to be like
    is shown though nobody knows it here."""
    doubts = [{"item": one.item, "about": [CALLED.get(name, name) for name in one.about], "text": _question(one)} for one in heard.doubts]
    open_ = [{"item": item, "about": [CALLED.get(name, name)], "text": question} for item, name, question in missing]
    others = {item: make for item in request.items if (make := _other_make(item, catalogue[item.capability]))}
    impossible = [(item.label, fact) for item in request.items for fact in item.facts if _is_nothing(fact)]
    open_ += [{"item": label, "about": [_valued(fact, None)[0]], "text": f"“{fact.quote}”"} for label, fact in impossible]
    open_ += _not_there(request, known)
    like = {edit.item: edit.value for edit, _ in refused if (edit.do, edit.name) == ("relate", "like")}
    wanted = {one.name: one for capability in catalogue.values() for one in capability.WANTED}
    return {
        "items": [
            _item(item, {one.name: one for one in catalogue[item.capability].WANTED}, known, like.get(item.label, ""))
            for item in request.items
            if item not in others
        ],
        "shared": _facts(request.shared, wanted, known),
        "wishes": [
            *({"text": wish.text, "kind": wish.kind} for wish in request.wishes),
            *({"text": make, "kind": "other"} for make in others.values()),
        ],
        "questions": [*doubts, *open_],
        "commands": list(commands),
        "refused": [reason for _, reason in refused],
        "unused": list(heard.unused),
    }


def _other_make(item: Item, capability: Listed) -> str:
    """`MySQL` of a capability that makes another database: it is refused, so it is a wish and no item."""
    for one in capability.WANTED:
        ours = next((value for value, words in one.choices if {value.lower(), *words} & set(capability.WORDS)), "")
        fact = item.fact(one.name)
        if ours and fact and fact.value != ours:
            return ", ".join(dict.fromkeys([fact.quote, *(other.quote for other in item.facts)]))
    return ""


def _is_nothing(fact: Fact) -> bool:
    """`0 cores`, `-5 GB`; a name that begins with a nought is none."""
    amount = worth(fact.value) if re.fullmatch(r"-?[\d.,]+[^\d]*", fact.value.strip()) else None
    return amount is not None and amount <= 0


def _question(doubt: Doubt) -> str:
    return f"“{doubt.quote}”: " + ", ".join(f"{number} {one.text}" for number, one in enumerate(doubt.readings, 1))


def _not_there(request: Request, known: Known) -> list[dict[str, Json]]:
    """Networks and nodes that were named, and that the world is known not to have."""
    missing: list[dict[str, Json]] = []
    for label, facts in (("", request.shared), *((item.label, item.facts) for item in request.items)):
        for fact in facts:
            if fact.name == "network" and known.networks and not known.has_network(fact.value):
                missing.append(
                    {"item": label, "about": ["network"], "text": f"There is no network {fact.value}. It has {', '.join(known.networks)}."}
                )
            if fact.name == "node" and known.nodes and fact.value.lower() not in known.nodes:
                missing.append(
                    {"item": label, "about": ["node"], "text": f"There is no node {fact.value}. It has {', '.join(sorted(known.nodes))}."}
                )
    return missing


def _item(item: Item, wanted: dict[str, Wanted], known: Known, like: str) -> dict[str, Json]:
    said = {fact.name: fact for fact in item.facts}
    counted = quantities.count(said["count"].value) if "count" in said else None
    spelled = [one for one in re.split(r",\s*", said["name"].value) if one] if "name" in said else []
    count = counted or max(len(spelled), 1)
    names = list(numbered(spelled[0], count)) if len(spelled) == 1 else spelled
    facts = _facts(tuple(fact for fact in item.facts if fact.name not in ("name", "count")), wanted, known)
    relations = [{"kind": one.kind, "to": one.to} for one in item.relations] + [{"kind": "like", "to": like}] * bool(like)
    return {"label": item.label, "service": item.capability, "count": count, "names": names, "facts": facts, "relations": relations}


def _facts(facts: Sequence[Fact], wanted: dict[str, Wanted], known: Known) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for fact in (fact for fact in facts if not _is_nothing(fact)):
        one = wanted.get(fact.name)
        name, value, unit = _valued(fact, one)
        found[CALLED.get(name, name)] = {"value": value, "unit": unit, "quote": fact.quote, "origin": "said"}
        if one is not None and one.kind == "network" and fact.name == "network":
            segment = known.networks.get(fact.value.lower())
            found |= _kinds_of_network(fact) | (_kinds_known(segment, fact.quote) if segment else {})
        if fact.name == "vlan" and not any(other.name == "network" for other in facts):
            found["network"] = found["vlan"] | {"value": fact.value}
    return found


def _kinds_known(segment: Segment, quote: str) -> dict[str, Json]:
    """What the world says of a network by its name."""
    told = {"quote": quote, "origin": "world", "unit": ""}
    return {
        **({"vlan": {"value": int(segment.vlan), **told}} if segment.vlan.isdecimal() else {}),
        **({"bridge": {"value": segment.bridge, **told}} if segment.bridge else {}),
    }


def _kinds_of_network(fact: Fact) -> dict[str, Json]:
    """A network may be said as a VLAN or as a bridge."""
    said = {"quote": fact.quote, "origin": "said", "unit": ""}
    if fact.value.isdecimal() and re.search(r"vlan|\btag\b", fact.quote.lower()):
        return {"vlan": {"value": int(fact.value), **said}}
    if fact.value.lower().startswith("vmbr"):
        return {"bridge": {"value": fact.value, **said}}
    return {}


def _valued(fact: Fact, one: Wanted | None) -> tuple[str, Json, str]:
    """(name with its unit, value, unit)."""
    kind = one.kind if one else "text"
    sizes = [size.size_bytes for size in quantities.sizes(fact.value)]
    if kind == "count":
        number = quantities.count(fact.value)
        return fact.name, fact.value if number is None else number, ""
    if kind in ("memory", "disk", "disks") and sizes:
        unit_bytes, unit = (MIB, "mib") if kind == "memory" else (GIB, "gib")
        values = [_whole(size / unit_bytes) for size in sizes]
        name = fact.name if fact.name.endswith(unit) else f"{fact.name}_{unit}"
        name = {"data_disks_gib": "data_disks_gib"}.get(name, name)
        return name, values if kind == "disks" else values[-1], "MiB" if kind == "memory" else "GiB"
    if kind == "money" and (sum_ := quantities.money(fact.value)):
        return fact.name, _whole(sum_.monthly), sum_.currency
    if kind == "ports":
        return (
            fact.name,
            [int(port) if port.isdecimal() else port for port in re.findall(r"\d+(?:-\d+)?", re.sub(r"from [\da-f.:/]+", "", fact.value))],
            "",
        )
    if kind == "address" and ", " in fact.value:
        return fact.name, list(fact.value.split(", ")), ""
    return fact.name, fact.value, ""


def _whole(size: float) -> int | float:
    return int(size) if size == int(size) else round(size, 3)
