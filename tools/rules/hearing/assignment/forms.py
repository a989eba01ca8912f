"""Fields of forms and rows of tables, each of the thing that it is about: a form that says a field once more goes on to another one."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.hearing.assignment.cells import Cell
from tools.rules.hearing.assignment.labels import Labelled
from tools.rules.hearing.assignment.saying import read_stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.groups.grouping import Group
from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.counting import names_of
from tools.values.request import Item


class Form:
    """The cells of a message, from the first to the last."""

    def __init__(self, message: Message, cells: Sequence[Cell]) -> None:
        self.message, self.scene, self.cells = message, message.scene, cells
        self.told: set[str] = set()
        """Facts that fields have told of the thing that they are about now."""
        self.told_last: tuple[str, ...] = ()
        self.begun = False
        """The form has gone on to another thing."""

    def read(self, found: Sequence[Group]) -> None:
        for cell in self.cells:
            self._field(cell, found)

    def _field(self, cell: Cell, found: Sequence[Group]) -> None:
        message, thing = self.message, self._thing_of(cell, found)
        if cell.is_section and found:
            self.told_last, self.told = (), self.told | {"name"}  # names below another heading are of another thing
        if thing is None or (cell.is_section and found):
            return
        if cell.row:
            cell.read(message.stretch(thing, cell.first, cell.last))
            if cell.label == Labelled():
                read_stretch(message, thing, cell.first, cell.last)  # whatever its column is called
            return
        told = cell.told if all(message.wants(thing, name) for name in cell.told) else cell.facts
        if cell.label.bound and not self.told.isdisjoint(told):
            return
        before = thing.facts.get("name")
        goes_on = cell.facts == self.told_last == ("name",) and before is not None
        begins = not goes_on and self._begins(cell, told, thing)
        cell.again = not begins and "disk" in self.told and "disk" in thing.facts
        self.told_last, self.told = told, set(told) | (set() if begins else self.told)
        if begins:
            thing = Thing(thing.capability, "", True, self.scene.quote(cell.first, cell.last), first=cell.first)
            message.things.append(thing)
            self.begun = True
        cell.read(message.stretch(thing, cell.first, cell.last))
        if goes_on and before and thing.facts["name"] is not before:  # `Name 1`, `Name 2`
            thing.found.say("name", f"{before.value}, {thing.facts['name'].value}", thing.facts["name"].quote)

    def _begins(self, cell: Cell, told: Sequence[str], thing: Thing) -> bool:
        """A form that says the same field once more goes on to another thing."""
        again = (
            ({"name", "environment", "role", *MACHINE_SIZES, *(cell.facts if cell.facts == (COUNT,) else ())} - {"disk"})
            & set(told)
            & set(thing.facts)
            & self.told
        )
        return bool(again) and (len(thing.facts) > 1 or again == {"name"})

    def _thing_of(self, cell: Cell, found: Sequence[Group]) -> Thing | None:
        message = self.message
        if cell.thing is not None:
            return message.things[cell.thing]
        if cell.row:
            return None
        place = next((group.thing for group in found if group.first <= cell.first < group.last and group.thing >= 0), None)
        if place is not None and not self.begun:
            return message.things[place]
        plain = [thing for thing in message.things if not thing.row]
        if not plain and message.things:
            return self.message.of_all_rows()  # `Environment: production` below a table
        if not plain and message.request.items and self._is_ticket(message.request.items[-1]):
            self.begun = True
            message.things.append(Thing(self.scene.words.plain, "", True, self.scene.quote(cell.first, cell.last), first=cell.first))
            return message.things[-1]
        return plain[-1] if plain else message.thing_of(message.request.items[-1]) if message.request.items else None

    def _is_ticket(self, last: Item) -> bool:
        """`there is this one, too:` and a form with a name and sizes: another machine than the last one, which has both."""
        scene, told = self.scene, {name for cell in self.cells for name in cell.facts}
        names = {scene.unquoted(i).lower() for cell in self.cells if "name" in cell.facts for i in range(cell.first, cell.last)}
        ours = {name.lower() for item in self.message.request.items for name in names_of(item)}
        points = any(scene.is_listed(i, "that") and scene.is_listed(i + 1, "one_of") for i in range(self.cells[0].first))
        stated = last.fact("name") is not None or MACHINE_SIZES & {fact.name for fact in last.facts}
        return "name" in told and len(told & MACHINE_SIZES) > 1 and not names & ours and bool(points or stated)

    def place_under_headings(self) -> None:
        """`## Staging` above a list of machines."""
        scene, sections = self.scene, [cell for cell in self.cells if cell.is_section]
        for thing in self.message.things if sections else ():
            named = scene.text.find(thing.facts["name"].quote) if "name" in thing.facts else -1
            first = max(thing.first, scene.tokens_between(named, named + 1)[0]) if named >= 0 else thing.first
            above = [cell for cell in sections if cell.first < first]
            if thing.new and above and SECTION not in thing.facts and self.message.wants(thing, SECTION):
                mark = scene.marks_in(above[-1].first, above[-1].last, SECTION)[0]
                thing.found.say(SECTION, mark.choices(SECTION)[0], scene.quote(mark.first, mark.last))
