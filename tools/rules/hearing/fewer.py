"""Fewer of what there are several of: `one worker less`, `remove a web server`, `two machines fewer`, in a message that says nothing else.
What goes by its name is taken out in tools.rules.request.editing."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.hearing.amounting import worth
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.things import Message
from tools.rules.hearing.values import plain
from tools.rules.names.naming import listed
from tools.values.request import Doubt, Edit, Edits, Item, Reading

TOKENS_MAX = 9
BESIDE = ("less", "remove", "article", "owned", "lean", "polite", "change", "by", "to", "them", "for")
"""What the other words of such a message do."""
COUNT = "count"


def fewer(message: Message) -> Edits | None:
    """None where the message says something else. Of what nobody said how many there are, it is told as unused."""
    scene, number = message.scene, _number(message)
    if number is None or not _says_no_more(message):
        return None
    by = 1 if _is_a(scene, number) else scene.said[number].value
    quote = scene.quote(0, len(scene.said))
    found = {name: was - by for name, was in _several(message)}
    if not found or by < 1 or min(found.values()) < 1:
        return Edits(unused=(quote,)) if scene.marks_of("less") else None
    scene.use(0, len(scene.said))
    readings = [
        Reading(text=f"{item.label.replace('_', ' ')} {name.replace('_', ' ')} {plain(left)}", edits=_edits(item, name, int(left), quote))
        for (item, name), left in found.items()
    ]
    if len(readings) == 1:
        return Edits(edits=readings[0].edits)
    return Edits(doubts=(Doubt(item="", quote=quote, about=(COUNT,), readings=tuple(readings)),))


def _number(message: Message) -> int | None:
    """Where it is said how many go."""
    scene = message.scene
    if not message.request.items or len(scene.said) > TOKENS_MAX or any(scene.is_text(i, "than") for i in range(len(scene.said))):
        return None
    remove = next((mark.last for mark in scene.marks if mark.does("remove")), len(scene.said))
    first = 0 if scene.marks_of("less") else remove
    return next((i for i in range(first, len(scene.said)) if scene.kind(i) == "number" or _is_a(scene, i)), None)


def _is_a(scene: Scene, number: int) -> bool:
    return scene.does(number, "article") and not scene.does(number, "owned") and not scene.is_text(number, "the")


def _says_no_more(message: Message) -> bool:
    scene, tokens = message.scene, range(len(message.scene.said))
    things = {i for mark in scene.mentions for i in range(mark.first, mark.last)}
    counted = {i for item in message.request.items for i in tokens if message.counted_at(item.capability, i)}
    rest = (i for i in tokens if i not in things | counted and scene.kind(i) != "number" and not scene.does(i, *BESIDE))
    return all(scene.fills(i) or COUNT in scene.at(i).names("fact") for i in rest)


def _several(message: Message) -> Iterator[tuple[tuple[Item, str], float]]:
    """((item, the fact that counts its machines), how many): of one kind of machines, of one service, or of whatever has several."""
    scene, items = message.scene, message.request.items
    able = scene.words.able
    kinds = [(item, name) for item in items for i in range(len(scene.said)) if (name := message.counted_at(item.capability, i))]
    services = {name for mark in scene.mentions if not mark.names("body") for name in mark.names("service")}
    named = [item for item in items if item.capability in services]
    if services and not named and not kinds:
        return
    every = [
        (item, name)
        for item in named or items
        for name, kind in able[item.capability].kinds.items()
        if kind == COUNT and (name == COUNT or name.endswith(f"_{COUNT}")) and name != "cpu_count"
    ]
    for item, name in kinds or every:
        said = item.fact(name)
        was = worth(said.value) if said else float(len(_names(item))) if name == COUNT else None
        if was is not None and was > 1:
            yield (item, name), was


def _edits(item: Item, name: str, left: int, quote: str) -> tuple[Edit, ...]:
    counted = Edit(do="set", item=item.label, name=name, value=str(left), quote=quote)
    names = _names(item)
    if name != COUNT or len(names) <= left:
        return (counted,)
    return (counted, Edit(do="set", item=item.label, name="name", value=", ".join(names[:left]), quote=quote))


def _names(item: Item) -> tuple[str, ...]:
    name = item.fact("name")
    return tuple(listed(name.value)) if name else ()
