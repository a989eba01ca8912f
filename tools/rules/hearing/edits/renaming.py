"""Another name for a machine of a draft: `rename db-01 to shopdb`, `beta should be gamma`, `the other one is delta`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.rules.hearing.groups.heads import machines_of
from tools.rules.hearing.groups.pointing import pointed
from tools.rules.hearing.scene import Scene
from tools.values.request import Edit, Item, Request

NAMED = ("name", "quoted", "word")


def renamed(scene: Scene, request: Request) -> Iterator[Edit]:
    """The names of an item with the new one in the place of the old one. Its words are used."""
    items = [item for item in request.items if item.label not in scene.known.built]
    for item in items:
        names = list(machines_of(item))
        for i in range(len(scene.said)):
            called = scene.unquoted(i).lower() if scene.kind(i) in NAMED else ""
            if called in names and scene.is_left(i) and (to := _another(scene, i, i + 1)) >= 0:
                names[names.index(called)] = scene.unquoted(to)
                yield _renames(scene, item, names, i - (scene.is_listed(i - 1, "renaming") or scene.does(i - 1, "called")), to)
    yield from _corrected(scene, items)
    for item, first, last in pointed(scene, 0, len(scene.said), items) if len(items) > 1 else ():
        to = last + scene.is_listed(last, "being")
        if len(machines_of(item)) == 1 and to > last and scene.is_plain_word(to) and scene.stops(to + 1):
            yield _renames(scene, item, [scene.unquoted(to)], first, to)


def _corrected(scene: Scene, items: Sequence[Item]) -> Iterator[Edit]:
    """`no, ci-01`, where a name was said last."""
    named = [item for item in items if (item.label, "name") in scene.recent]
    only = [i for i in scene.of_kind(0, len(scene.said), "name", "quoted") if scene.is_left(i)]
    back = scene.does(0, "deny") or scene.marks_of("mends")
    rest = (i for i in range(len(scene.said)) if i not in only and scene.kind(i) != "mark")
    small = all(scene.fills(i) or scene.does(i, "deny", "mends", "link", "called") for i in rest)
    if len(named) == len(only) == 1 and back and small:
        yield _renames(scene, named[0], [scene.unquoted(only[0])], only[0], only[0])


def _renames(scene: Scene, item: Item, names: list[str], first: int, to: int) -> Edit:
    scene.settle(first, to + 1)
    return Edit(do="set", item=item.label, name="name", value=", ".join(names), quote=scene.quote(first, to + 1))


def _another(scene: Scene, old: int, number: int) -> int:
    """The token of the new name; -1 where there is none. `number`: behind the old one."""
    to = _behind(scene, old, number)
    told = scene.is_listed(old - 1, "renaming")
    fits = to >= 0 and (scene.kind(to) in ("name", "quoted") or scene.is_plain_word(to) or (told and scene.kind(to) == "word"))
    ends = scene.breaks(to + 1, "join")
    return to if fits and ends else -1


def _behind(scene: Scene, old: int, number: int) -> int:
    if scene.is_listed(old - 1, "renaming") and (scene.does(number, "to") or scene.is_listed(number, "as")):
        return number + 1
    if scene.does(old - 1, "called") and scene.at(old - 1).last == old and scene.stops(scene.at(old - 1).first - 1):
        return number  # `call beta zeta`
    verb = scene.skip(number, number + 3, texts=("gets", "is", "was", "be", "should", "will", "now"))
    if scene.is_listed(verb, "renaming") and (scene.does(verb + 1, "to") or scene.is_listed(verb + 1, "as")):
        return verb + 2  # `alpha gets renamed to gamma`
    if verb > number and scene.does(verb, "called") and not scene.does(verb, "link"):
        return scene.at(verb).last  # `alpha is now called gamma`
    if scene.is_listed(number, "is_to_be") and (scene.is_text(number + 1, "be") or scene.is_text(number, "becomes")):
        to = number + 1 + scene.is_text(number + 1, "be")
        return to + scene.does(to, "called")
    return -1
