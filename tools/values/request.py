"""The request: a small document of items that every message edits, and the edits that do so. Nothing here is understood yet: facts are in
the operator's own words, and a rule drops what was never typed."""

from __future__ import annotations

from typing import Literal

from tools.values.value import Record, Value

RelationKind = Literal["behind", "near", "apart", "like", "uses"]


class Fact(Value):
    name: str
    """One of the names that the item's capability asks for, such as `users`."""
    value: str
    """As said, or as the capability's choices spell it: `100`, `8 GB`, `production`. Of several, the values joined by `, `."""
    quote: str
    """The operator's own words that say so, verbatim."""


class Relation(Value):
    kind: RelationKind
    to: str
    """The label of another item, or the name of what runs already; empty: of the item's own machines to each other."""
    quote: str


class Item(Value):
    """One thing asked for, of which there may be several machines."""

    capability: str
    label: str
    """What the item is called in this request, once in it: `web_server`, `masters`, `db`."""
    facts: tuple[Fact, ...] = ()
    relations: tuple[Relation, ...] = ()

    def fact(self, name: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.name == name), None)


class Wish(Value):
    """What was asked for and no capability can do yet: told at once, and beside the approval."""

    kind: str
    """A name of the lexicon's: `backup`, `snapshot`, `high_availability`, `load_balancer`, `other`."""
    text: str
    """The operator's own words."""
    item: str = ""
    """The label of the item that it is about; empty: of all."""


class Request(Record):
    """Everything asked for so far, over all messages of the conversation."""

    items: tuple[Item, ...] = ()
    shared: tuple[Fact, ...] = ()
    """Said once, meant for every item that wants a fact of that name and says none of its own."""
    wishes: tuple[Wish, ...] = ()

    def item(self, label: str) -> Item | None:
        return next((item for item in self.items if item.label == label), None)


class Edit(Value):
    """One change of a request. Which fields say something depends on `do`:

    | do | item | name | value |
    |---|---|---|---|
    | add | the new item's label | its capability | |
    | set | label, empty: shared | the fact's | the fact's |
    | unset | label, empty: shared | the fact's | |
    | include | label | the fact's, of a list | what is added to it |
    | exclude | label | the fact's, of a list | what is taken out of it |
    | remove | label | | |
    | copy | label of the original, or the name of what runs | the copy's label | |
    | rename | label | its new label | |
    | relate | label | the kind of relation | the other's label or name |
    | wish | label, empty: of all | the kind of wish | the operator's words |
    | unwish | label, empty: of all | the kind of wish | |
    """

    do: Literal["add", "set", "unset", "include", "exclude", "remove", "copy", "rename", "relate", "wish", "unwish"]
    item: str = ""
    name: str = ""
    value: str = ""
    quote: str


class Reading(Value):
    """One way to understand words that can be understood in several."""

    text: str
    """As a choice: `memory 30 GB`."""
    edits: tuple[Edit, ...]


class Doubt(Value):
    """What is asked rather than settled. Nothing of it is in the request until it is answered, by a reading's number or in words."""

    item: str
    quote: str
    """The words that are in doubt."""
    about: tuple[str, ...]
    """The names of the facts it may be about."""
    readings: tuple[Reading, ...] = ()
    now: str = ""
    """What it is so far, where that is known: `16 GiB` of `less memory`."""


class Edits(Value):
    """What one message says, as it was heard: by the rules' reader, or by a model whose quotes were proven."""

    edits: tuple[Edit, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    asks: bool = False
    """It asks something and orders nothing. Its edits then say what the question is about (`what would 8 GB cost?`)."""
    question: str = ""
    """What it asks beside what it orders: `give it 8 GB, what does that cost?`"""
    undo: int = 0
    """Steps back in the history of edits; negative: forward again (`redo`)."""
    unused: tuple[str, ...] = ()
    """Whole phrases that nothing was made of."""
    starts_over: bool = False
    """What was asked for so far does not count any more."""
    joins: bool = False
    """What it adds is to be part of what runs."""
    taken: tuple[tuple[str, str], ...] = ()
    """(words, capability): what a model takes for a thing that is not named in them. It is told."""
