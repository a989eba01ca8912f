"""Another name for a machine of a draft: `rename db-01 to shopdb`, `beta should be gamma`."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.hearing.heads import machines_of
from tools.rules.hearing.scene import Scene
from tools.values.request import Edit, Request


def renamed(scene: Scene, request: Request) -> Iterator[Edit]:
    """The names of an item with the new one in the place of the old one. Its words are used."""
    items = [item for item in request.items if item.label not in scene.known.built]
    for item in items:
        names = list(machines_of(item))
        for i in range(len(scene.said)):
            called = scene.unquoted(i).lower() if scene.kind(i) in NAMED else ""
            to = _another(scene, i + 1) if called in names and scene.is_left(i) else -1
            if to < 0:
                continue
            first = i - scene.is_listed(i - 1, "renaming")
            names[names.index(called)] = scene.unquoted(to)
            yield Edit(do="set", item=item.label, name="name", value=", ".join(names), quote=scene.quote(first, to + 1))
            scene.settle(first, to + 1)


NAMED = ("name", "quoted", "word")


def _another(scene: Scene, number: int) -> int:
    """The token of the new name; -1 where there is none."""
    named = scene.is_listed(number - 2, "renaming") and (scene.does(number, "to") or scene.is_listed(number, "as"))
    becomes = scene.is_listed(number, "is_to_be") and (scene.is_text(number + 1, "be") or scene.is_text(number, "becomes"))
    to = number + 1 + (becomes and scene.is_text(number + 1, "be"))
    to += scene.does(to, "called")
    fits = scene.kind(to) in ("name", "quoted") or scene.is_plain_word(to)
    ends = scene.stops(to + 1) or scene.is_text(to + 1, ",") or scene.does(to + 1, "join")
    return to if (named or becomes) and fits and ends else -1
