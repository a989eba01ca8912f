"""How what was heard compares with what a careful person would have heard: field by field, on values, never on phrases.

It is no test and knows no reader: it compares two documents, the expectation of a case and what `berth hear --json` prints. It is apart
because it is also run by hand, `python -m tests.hearing.score [WORD…] [--all]`, while the reader is worked on.

A case says what was typed before (`before`), what is typed now (`text`) and what must stand then (`expect`): items, what is said once for
all, kinds of wishes, what must be asked about, what must not be held, and in `may` what is neither right nor invented. Of `{"any": […]}`
one value will do. Whatever else is in an expectation is what a careful reader would say for sure.

A field is *right*, *wrong* (another value), *missing* (not heard, and told or asked), *dropped* (not heard, and not a word about it) or
*invented* (heard, and nobody said it). Machines are matched one by one, so that three rows and "three of them" are the same answer.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

CASES = Path(__file__).parent / "cases"
HELD_OUT = CASES / "held_out.jsonl"
"""The messiest ones, kept apart: what the reader is worked on with are the others. `--all` shows them only when they are named."""
VERDICTS = ("right", "wrong", "missing", "dropped", "invented")
Verdict = Literal["right", "wrong", "missing", "dropped", "invented"]
Field = tuple[str, Verdict]
Document = dict[str, Any]
Hear = Callable[[list[str]], Document]
HearEach = Callable[[list[str]], list[Document]]

ALIASES = {"concurrent_users": "users", "budget_monthly": "budget", "disk": "disk_gib", "memory": "memory_mib"}
KNOWN = frozenset(
    ("cpu_count", "memory_mib", "disk_gib", "data_disks_gib", "os", "environment", "network", "bridge", "vlan", "address", "ports")
) | {"needed_by", "until", "users", "application", "region", "budget", "platform"}
"""Only these can be invented: what else a capability asks for is scored where a case expects it."""
ONE_NETWORK = ("network", "vlan", "bridge")
NOT_SAID = ("default", "assumption", "assumed", "convention")
MACHINES_MAX = 60
WISHES = frozenset(
    ("backup", "snapshot", "high_availability", "load_balancer", "monitoring", "static_address", "nested_virtualisation", "replicas")
) | {"firewall", "gpu", "tls", "other"}
"""The kinds that a case names. A reader may know finer ones (`dns`); to a case they are `other`."""


@dataclass(frozen=True)
class Machine:
    item: int
    service: str
    name: str
    count: int
    facts: Document


def spell(name: str, value: object) -> object:
    """A value as it is compared: numbers as numbers, lists without an order, words without case."""
    if isinstance(value, dict):
        return spell(name, value.get("value"))
    if name == "ports" and not isinstance(value, list | tuple):
        value = re.findall(r"\d+", str(value))
    if name == "data_disks_gib" and not isinstance(value, list | tuple):
        value = [value]
    if isinstance(value, list | tuple):
        return tuple(sorted((spell("", each) for each in value), key=str))
    text = str(value).strip().casefold()
    if name == "names":
        return text.split(".")[0]
    if name in ("application", "region"):
        return re.sub(r"[^a-z0-9]", "", text)
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def same(name: str, expected: object, heard: object) -> bool:
    """Of several right answers (`{"any": [1000, 1024]}`), one will do."""
    if isinstance(expected, dict) and "any" in expected:
        return any(same(name, each, heard) for each in expected["any"])
    wanted, got = spell(name, expected), spell(name, heard)
    return str(got).startswith(str(wanted)) if name == "os" else wanted == got


def facts_of(item: Document) -> Document:
    """Facts by their usual names; what stands beside `facts` in a case (`application`, `platform`) is one, too."""
    beside = {name: item.get(name) for name in ("application", "platform")}
    return {ALIASES.get(name, name): value for name, value in (beside | item.get("facts", {})).items() if value not in (None, "", [])}


def said(name: str, fact: object) -> bool:
    return name in KNOWN and not (isinstance(fact, dict) and fact.get("origin") in NOT_SAID)


def machines(items: list[Document]) -> list[Machine]:
    """Every item as its machines. Of as many addresses as machines, each has one."""
    found = []
    for index, item in enumerate(items):
        count, names, facts = int(item.get("count") or 1), item.get("names") or [], facts_of(item)
        addresses = spell("address", facts.get("address"))
        for number in range(min(count, MACHINES_MAX)):
            one = facts | ({"address": addresses[number]} if isinstance(addresses, tuple) and len(addresses) == count > 1 else {})
            name = str(spell("names", names[number])) if number < len(names) else ""
            found.append(Machine(index, item.get("service", ""), name, count, one))
    return found


def likeness(wanted: Machine, got: Machine) -> int:
    facts = sum(same(name, value, got.facts[name]) for name, value in wanted.facts.items() if name in got.facts)
    service, name = wanted.service in ("", got.service), wanted.name == got.name != ""
    if not service and not name and not facts:
        return 0
    return 1000 * service + 100 * name + 10 * (wanted.count == got.count) + facts + 1


def matched(expected: list[Machine], heard: list[Machine]) -> list[tuple[Machine, Machine]]:
    """Pairs, the likest first; by service, then name, then number, then facts."""
    pairs = sorted(product(range(len(expected)), range(len(heard))), key=lambda pair: -likeness(expected[pair[0]], heard[pair[1]]))
    left, right, found = set(range(len(expected))), set(range(len(heard))), []
    for one, other in pairs:
        if one in left and other in right and likeness(expected[one], heard[other]):
            left.remove(one)
            right.remove(other)
            found.append((expected[one], heard[other]))
    return found


def told(name: str, value: object, heard: Document) -> bool:
    """Whether anything said back speaks of a value that was not heard: a question about it, or words that hold it."""
    if any(name == ALIASES.get(about, about) for about in asked(heard)):
        return True
    back = json.dumps([heard.get(part, []) for part in ("unused", "wishes", "questions")], ensure_ascii=False).casefold()
    values = value["any"] if isinstance(value, dict) and "any" in value else value if isinstance(value, list | tuple) else [value]
    spellings = {str(each).casefold() for each in values} | {
        str(int(each) // size) for each in values if isinstance(each, int) for size in (1024, 1024**2) if each >= size
    }
    return any(re.search(rf"(?<![\w.]){re.escape(each)}(?!\d)", back) for each in spellings)


def asked(heard: Document) -> Iterator[str]:
    for question in heard.get("questions", ()):
        about = question.get("about", "")
        yield from (ALIASES.get(each, each) for each in ([about] if isinstance(about, str) else about))


def verdict(name: str, value: object, found: list[object], heard: Document) -> Verdict:
    if found and all(each is not None and same(name, value, each) for each in found):
        return "right"
    if any(each is not None for each in found):
        return "wrong"
    return "missing" if told(name, value, heard) else "dropped"


def score(case: Document, heard: Document) -> list[Field]:
    """Every field that the case speaks of, and every one that was heard without a reason."""
    expect = case["expect"]
    wanted_items, heard_items = expect.get("items", []), heard.get("items", [])
    wanted_shared, heard_shared = facts_of({"facts": expect.get("shared", {})}), facts_of({"facts": heard.get("shared", {})})
    may = set(expect.get("may", ()))
    pairs = matched(machines(wanted_items), machines(heard_items))
    owners = {got.item for _, got in pairs}
    fields: list[Field] = []
    allowed: dict[int, Document] = {}
    for index, item in enumerate(wanted_items):
        mine = [(wanted, got) for wanted, got in pairs if wanted.item == index]
        fields += list(judge(item, mine, pairs, heard_items, heard_shared, heard))
        for _, got in mine:
            allowed.setdefault(got.item, {}).update(facts_of(item))
            if not item.get("names") and heard_items[got.item].get("names") and "names" not in may:
                fields.append((f"names of {label(item)}", "invented"))
    for name, value in wanted_shared.items():
        found = [heard_shared[name]] if name in heard_shared else [facts_of(item).get(name) for item in heard_items]
        fields.append((name, verdict(name, value, found, heard)))
    everything = wanted_shared | {name: value for item in wanted_items for name, value in facts_of(item).items()}
    fields += list(surplus("shared", heard_shared, everything, may))
    for index, item in enumerate(heard_items):
        if index in owners:
            fields += surplus(label(item), facts_of(item), wanted_shared | allowed[index], may)
        elif item.get("service") not in may:
            fields.append((f"item {label(item)}", "invented"))
    return list(dict.fromkeys([*fields, *wishes(expect, heard, may), *questions(expect, heard), *forbidden(expect, heard)]))


def label(item: Document) -> str:
    return str(item.get("label") or ", ".join(item.get("names") or ()) or item.get("service") or "item")


def judge(
    item: Document,
    mine: list[tuple[Machine, Machine]],
    pairs: list[tuple[Machine, Machine]],
    heard_items: list[Document],
    heard_shared: Document,
    heard: Document,
) -> Iterator[Field]:
    """One expected item's fields. An item that was not heard misses all of them."""
    what = label(item)
    if item.get("service"):
        found: list[object] = [got.service for _, got in mine]
        yield f"service of {what}", verdict("service", item["service"], found, heard)
    if item.get("count"):
        left = sum(int(heard_items[owner].get("count") or 1) for owner in {got.item for _, got in mine}) - sum(
            got.item in {other.item for _, other in mine} for _, got in pairs
        )
        count = len(mine) + left if mine else None
        yield f"count of {what}", verdict("count", min(item["count"], MACHINES_MAX) if not left else item["count"], [count], heard)
    if item.get("names"):
        wanted = sorted(str(spell("names", name)) for name in item["names"])
        got_names = sorted(got.name for _, got in mine if got.name)
        yield f"names of {what}", verdict("names list", wanted, [got_names or None], heard)
    for name, value in facts_of(item).items():
        if name == "role":
            found = [value if str(value) in f"{heard_items[got.item].get('label')} {got.name}" else got.facts.get(name) for _, got in mine]
        elif name == "address" and isinstance(value, list):
            found = [[got.facts.get("address") for _, got in mine] if all("address" in got.facts for _, got in mine) and mine else None]
        else:
            found = [got.facts.get(name, heard_shared.get(name)) for _, got in mine]
        yield f"{name} of {what}", verdict(name, value, found, heard)
    for relation in item.get("relations", ()):
        stated = [heard_items[got.item]["relations"] for _, got in mine if "relations" in heard_items[got.item]]
        if stated:
            spelled = json.dumps(stated, ensure_ascii=False).casefold()
            yield f"{relation} of {what}", "right" if all(word in spelled for word in relation.casefold().split()) else "missing"


def surplus(where: str, facts: Document, expected: Document, may: set[str]) -> Iterator[Field]:
    networks = {str(spell("", expected[name])) for name in ONE_NETWORK if name in expected}
    for name, value in facts.items():
        spelled = str(spell("", value))
        if name in expected or name in may or not said(name, value) or (name in ONE_NETWORK and spelled in networks):
            continue
        yield f"{name} of {where}", "invented"


def wishes(expect: Document, heard: Document, may: set[str]) -> Iterator[Field]:
    kinds = [wish["kind"] if wish.get("kind") in WISHES else "other" for wish in heard.get("wishes", ())]
    for kind in expect.get("wishes", ()):
        yield f"wish {kind}", "right" if kind in kinds else "missing" if heard.get("unused") or "other" in kinds else "dropped"
    for kind in kinds:
        if kind not in {*expect.get("wishes", ()), *may, "other"}:
            yield f"wish {kind}", "invented"


def questions(expect: Document, heard: Document) -> Iterator[Field]:
    about = set(asked(heard))
    for name in expect.get("asks_about", ()):
        yield f"question about {name}", "right" if ALIASES.get(name, name) in about else "missing"


def forbidden(expect: Document, heard: Document) -> Iterator[Field]:
    """What may not be held: `item` (any), a service, a fact, `fact=value`, a wish, or a command such as `remove app-01`."""
    items = heard.get("items", [])
    facts = [facts_of({"facts": heard.get("shared", {})}), *(facts_of(item) for item in items)]
    commands = [json.dumps(command, ensure_ascii=False).casefold() for command in heard.get("commands", ())]
    kinds = [wish.get("kind") for wish in heard.get("wishes", ())]
    for what in expect.get("must_not_hold", ()):
        name, _, value = what.partition("=")
        name = ALIASES.get(name, name)
        held = (
            (what == "item" and bool(items))
            or what in kinds
            or (not value and any(item.get("service") == name for item in items))
            or any(name in each and (not value or same(name, value, each[name])) for each in facts)
            or any(all(word in command for word in what.casefold().split()) for command in commands)
        )
        if held:
            yield f"holds {what}", "invented"


def score_turn(case: Document, heard: Document) -> Literal["right", "wrong", "dangerous"]:
    """A turn of a dialogue is right as a whole, or not. What it may not hold is what would do harm."""
    fields = score(case, heard)
    if any(name.startswith("holds ") for name, _ in fields):
        return "dangerous"
    intent = case["expect"].get("intent", "edit")
    commands = " ".join(json.dumps(command, ensure_ascii=False) for command in heard.get("commands", ())).casefold()
    if intent not in ("edit", "question") and intent not in commands:
        return "wrong"
    return "right" if all(one == "right" for _, one in fields) else "wrong"


def read_cases(path: Path) -> list[Document]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def messages(case: Document) -> list[str]:
    return [*case.get("before", ()), case["text"]]


def turns(dialogue: Document) -> Iterator[Document]:
    """Each turn as a case of its own: what was typed before it, and what must stand after it."""
    texts = [turn["text"] for turn in dialogue["turns"]]
    for index, turn in enumerate(dialogue["turns"]):
        yield {"kind": dialogue["kind"], "before": texts[:index], "text": turn["text"], "expect": turn["expect"]}


def table(rows: dict[str, Counter[str]], columns: Iterable[str]) -> str:
    columns = list(columns)
    total: Counter[str] = Counter()
    for row in rows.values():
        total.update(row)
    lines = [f"{'kind':<28}" + "".join(f"{column:>10}" for column in columns) + f"{'right %':>10}"]
    for kind, row in [*rows.items(), ("all", total)]:
        said_count = sum(row[column] for column in columns if column != "invented")
        lines.append(
            f"{kind:<28}" + "".join(f"{row[column]:>10}" for column in columns) + f"{100 * row[columns[0]] / max(said_count, 1):>10.1f}"
        )
    return "\n".join(lines)


def spoken(dialogue: Document, hear_each: HearEach) -> Iterator[tuple[Document, Document]]:
    """Each turn of a dialogue with what is heard in it."""
    yield from zip(turns(dialogue), hear_each([turn["text"] for turn in dialogue["turns"]]), strict=True)


def main(arguments: list[str], hear: Hear, hear_each: HearEach) -> None:
    """The tables by file. A word keeps the files whose name holds it; `--all` prints every field that is not right."""
    words = [word for word in arguments if not word.startswith("-")]
    fields: dict[str, Counter[str]] = {}
    by_kind: dict[str, Counter[str]] = {}
    for path in sorted(CASES.glob("*.jsonl")):
        if words and not any(word in path.stem for word in words):
            continue
        for case in read_cases(path):
            if "turns" in case:
                for turn, heard in spoken(case, hear_each):
                    by_kind.setdefault(case["kind"], Counter())[score_turn(turn, heard)] += 1
                continue
            found = score(case, hear(messages(case)))
            fields.setdefault(path.stem, Counter()).update(one for _, one in found)
            bad = [f"{name}: {one}" for name, one in found if one != "right"]
            if bad and "--all" in arguments and (words or path != HELD_OUT):
                print(f"{path.stem} · {case['text']!r}\n    " + "\n    ".join(bad))
    if fields:
        print(table(fields, VERDICTS))
    if by_kind:
        print(table(by_kind, ("right", "wrong", "dangerous")))


if __name__ == "__main__":
    from tests.hearing.heard import hear_each, hear_json

    main(sys.argv[1:], hear_json, hear_each)
