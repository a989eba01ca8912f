"""A request as a file: YAML that a person writes, keeps and changes. Read back, each line of it is the quote of what it says.

Every value is text, as it would be typed: `network: 20` and `network: "20"` are one. What a service may be asked is said by
tools.rules.request.editing when the edits are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tools.values.request import Edit, Edits, Fact, Item, RelationKind, Request
from tools.values.trouble import RequestProblem
from tools.values.value import Json

FILE_LENGTH_MAX = 256 * 1024
QUOTE_LENGTH_MAX = 200
ITEMS_MAX = 100
DEPTH_MAX = 20
"""Levels of lists and tables. A request has five."""
PROBLEMS_SHOWN_MAX = 8
HEAD = "# A request to Berth. `berth request apply FILE` reads it.\n"


def document(request: Request) -> dict[str, Json]:
    """What a file of it says, without the words that it came from."""
    said: dict[str, Json] = {"items": [_item(item) for item in request.items]}
    if request.shared:
        said["shared"] = _facts(request.shared)
    if request.wishes:
        said["wishes"] = [{"kind": w.kind, "text": w.text, **({"item": w.item} if w.item else {})} for w in request.wishes]
    return said


def as_yaml(request: Request) -> str:
    return HEAD + yaml.safe_dump(document(request), allow_unicode=True, sort_keys=False, width=120)


def _item(item: Item) -> dict[str, Json]:
    count = item.fact("count")
    said: dict[str, Json] = {"label": item.label, "service": item.capability}
    if count:
        said["count"] = count.value
    if others := tuple(fact for fact in item.facts if fact is not count):
        said["facts"] = _facts(others)
    if item.relations:
        said["relations"] = [{one.kind: one.to} for one in item.relations]
    return said


def _facts(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.name: fact.value for fact in facts}


def read_file(text: str) -> Edits:
    """The edits that make the file's request of an empty one. Raises RequestProblem, which names every line that cannot be read."""
    if len(text) > FILE_LENGTH_MAX:
        raise RequestProblem("The request file is too long.", f"It has more than {FILE_LENGTH_MAX // 1024} KiB.", "Say less in one file.")
    try:
        _assert_finite(yaml.parse(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "it"
        raise RequestProblem(
            "The request file is no YAML.", f"{where} cannot be read: {getattr(error, 'problem', None) or 'wrong characters'}.", SEE
        ) from error
    read = _File(text.splitlines())
    read.request(root)
    if read.problems:
        more = f" And {left} more." if (left := len(read.problems) - PROBLEMS_SHOWN_MAX) > 0 else ""
        raise RequestProblem("The request file cannot be taken.", " ".join(read.problems[:PROBLEMS_SHOWN_MAX]) + more, SEE)
    return Edits(edits=tuple(read.edits))


def _assert_finite(events: Iterable[yaml.Event]) -> None:
    """A short file of aliases stands for a request without end, and one that goes deep takes the square of its length to read."""
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            what, remedy = f"*{event.anchor} stands for what is written elsewhere", "Write it out."
        elif depth > DEPTH_MAX:
            what, remedy = f"it goes deeper than {DEPTH_MAX} levels", SEE
        else:
            continue
        line = event.start_mark.line + 1 if event.start_mark else 1
        raise RequestProblem("The request file cannot be taken.", f"Line {line}: {what}.", remedy)


SEE = "`berth request export` shows what a file looks like."


class _File:
    """Walks the nodes of the file, with the edits and the problems so far. It goes no deeper than the form of a request does."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.edits: list[Edit] = []
        self.problems: list[str] = []

    def request(self, root: Node | None) -> None:
        found = self._mapping(root, "items", "shared", "wishes") if root else {}
        items = self._list(found.get("items"))
        if items[ITEMS_MAX:]:
            self._no(items[ITEMS_MAX], f"a request has {ITEMS_MAX} items at most")
        for node in items[:ITEMS_MAX]:
            self._item(node)
        self._facts(found.get("shared"), "")
        for node in self._list(found.get("wishes")):
            wish = self._texts(node, "kind", "text", "item")
            kind, words = wish.get("kind", "other"), wish.get("text", "")
            self.edits.append(Edit(do="wish", item=wish.get("item", ""), name=kind, value=words, quote=self._line(node)))

    def _item(self, node: Node) -> None:
        found = self._mapping(node, "label", "service", "count", "facts", "relations")
        service = self._text(found.get("service"))
        label = self._text(found.get("label")) or service
        if not service:
            self._no(node, "an item needs a service")
        elif any(edit.do == "add" and edit.item == label for edit in self.edits):
            self._no(node, f"there is another {label}")
        self.edits.append(Edit(do="add", item=label, name=service, quote=self._line(found.get("service", node))))
        if count := found.get("count"):
            self.edits.append(Edit(do="set", item=label, name="count", value=self._text(count), quote=self._line(count)))
        self._facts(found.get("facts"), label)
        for one in self._list(found.get("relations")):
            for kind, to in self._mapping(one, *get_args(RelationKind)).items():
                self.edits.append(Edit(do="relate", item=label, name=kind, value=self._text(to), quote=self._line(to)))

    def _facts(self, node: Node | None, label: str) -> None:
        for name, value in self._mapping(node).items() if node else ():
            text = ", ".join(map(self._text, value.value)) if isinstance(value, SequenceNode) else self._text(value)
            self.edits.append(Edit(do="set", item=label, name=name, value=text, quote=self._line(value)))

    def _mapping(self, node: Node | None, *known: str) -> Mapping[str, Node]:
        """By key; of any keys where none is named."""
        if not isinstance(node, MappingNode):
            self._no(node, f"what stands here should be {', '.join(known) or 'names'}, each with a colon")
            return {}
        found = {self._text(key): value for key, value in node.value}
        for key in (key for key, _ in node.value if known and self._text(key) not in known):
            self._no(key, f"{self._text(key)!r} is none of {', '.join(known)}")
        return found

    def _list(self, node: Node | None) -> list[Node]:
        if node is not None and not isinstance(node, SequenceNode):
            self._no(node, "what stands here should be a list, each with a dash")
        return list(node.value) if isinstance(node, SequenceNode) else []

    def _texts(self, node: Node, *known: str) -> dict[str, str]:
        return {key: self._text(value) for key, value in self._mapping(node, *known).items()}

    def _text(self, node: Node | None) -> str:
        if node is not None and not isinstance(node, ScalarNode):
            self._no(node, "what stands here should be one value")
        return str(node.value).strip() if isinstance(node, ScalarNode) else ""

    def _line(self, node: Node) -> str:
        number: int = node.start_mark.line
        return self._lines[number].strip().removeprefix("- ")[:QUOTE_LENGTH_MAX] if number < len(self._lines) else ""

    def _no(self, node: Node | None, why: str) -> None:
        self.problems.append(f"Line {node.start_mark.line + 1 if node else 1}: {why}.")
