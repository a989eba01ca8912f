"""What a message takes away, by name or by number: `remove web-02 and web-03`, `one worker less`, `two of the web servers can go`.

A clause counts only where it is courtesy, a verb that takes away, and what goes, and where nothing in its sentence denies it or sets it a
condition. Nothing else that a message says takes anything from what runs: tools.rules.request.editing asks `goes` of every edit that would,
whoever heard it. Of what does not run yet, tools.rules.hearing.groups.grouping hears more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.rules.hearing.edits.clauses import Clause, Going, clauses
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.counting import names_of
from tools.values.request import Doubt, Edit, Edits, Reading, Request


def take_away(scene: Scene, request: Request) -> Edits:
    """The edits of all that goes, and what is to be asked of it. Their words are used."""
    edits, doubts, told = list[Edit](), list[Doubt](), list[str]()
    for clause in clauses(scene, request):
        if clause.recounts and len(clause.going[0]) > 1 and len({one.item for one in clause.going[0]}) == 1:
            continue  # `make it 3 servers`: of which kind, the ordinary reader tells
        if clause.bare:
            continue  # what the figure is about, tools.rules.hearing.assignment.figures tells
        quote = scene.quote(clause.first, clause.last)
        if clause.stays:
            scene.settle(clause.first, clause.last)
            told.append(quote)
            continue
        if not clause.going:
            scene.leave(clause.first, clause.last)  # `one redis less`, of one: it is told
            continue
        scene.settle(clause.first, clause.last)
        for ways in clause.going:
            readings = tuple(_reading(scene, request, one, quote) for one in ways)
            if len(readings) == 1:
                edits += readings[0].edits
            else:
                doubts.append(Doubt(item="", quote=quote, about=(COUNT,), readings=readings))
    return Edits(edits=tuple(edits), doubts=tuple(doubts), unused=tuple(told))


def keep_from(scene: Scene, request: Request, made: Sequence[Edit]) -> list[Edit]:
    """Without what was read beside a verb that takes away and says something else of what there is: it is told instead. Sizes may be: `drop
    the memory to 4 GB`."""
    marks = (mark for mark in scene.marks if mark.does("remove", "less", "too_many") and not scene.settled[mark.first])
    apart = [(*_around(scene, mark.first), mark.does("take_away")) for mark in marks]
    counts = {item.label: {*scene.words.able[item.capability].counts, "name"} for item in request.items}
    kept = list[Edit]()
    for edit in made:
        within = [(first, last, takes) for first, last, takes in apart if edit.quote in scene.quote(first, last)]
        ours = edit.item in ("", *counts)
        says = edit.do in ("set", "unset") and edit.name in counts.get(edit.item, ())
        wants = ours and edit.do in ("set", "include", "wish") and edit.name not in scene.words.counting
        if not any(says or (wants and takes) for _, _, takes in within):
            kept.append(edit)
            continue
        for first, last, _ in within:
            scene.used[first:last] = scene.settled[first:last] = bytes(last - first)
    return kept


def _around(scene: Scene, number: int) -> tuple[int, int]:
    """The clause that a word stands in, up to a comma or an `and`."""
    first, last = number, number
    while not scene.breaks(first - 1, "join"):
        first -= 1
    while not scene.breaks(last, "join"):
        last += 1
    return first, last


def goes(found: Sequence[Clause], item: str, machine: str = "", fact: str = "", left: int = 0) -> bool:
    """Whether a message takes that away, by its clauses: the machine, so many, or all of the item."""
    ways = {one for clause in found for several in clause.going for one in several}
    return not ways.isdisjoint((Going(item), Going(item, machine, fact, left)))


def _reading(scene: Scene, request: Request, going: Going, quote: str) -> Reading:
    gone = going.machine or going.item
    if not going.fact:
        return Reading(text=gone, edits=(Edit(do="remove", item=gone, quote=quote),))
    text = f"{gone} {going.fact} {going.left}".replace("_", " ")
    return Reading(text=text, edits=tuple(_fewer(scene, request, going, quote)))


def _fewer(scene: Scene, request: Request, going: Going, quote: str) -> Iterator[Edit]:
    yield Edit(do="set", item=going.item, name=going.fact, value=str(going.left), quote=quote)
    item = request.item(going.item)
    names = names_of(item) if item and going.fact not in scene.words.able[item.capability].parts else ()
    if len(names) > going.left:
        yield Edit(do="set", item=going.item, name="name", value=", ".join(names[: going.left]), quote=quote)
