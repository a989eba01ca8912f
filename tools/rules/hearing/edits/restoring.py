"""What the last change took out comes back: `bring alpha back`, `keep the bastion`, `the redis stays`; what it added goes: `could you
remove it again?` That change is undone, so that whatever was said of it is there again, too."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.counting import how_many, names_of
from tools.rules.hearing.words.meanings import same
from tools.values.request import Item, Request

WORDS_MAX = 12


def restores(scene: Scene, request: Request, before: Request | None) -> bool:
    """Whether the message brings back what was taken out, and the last change did nothing but that."""
    if before is None or not scene.said or len(scene.said) > WORDS_MAX:
        return False
    added = [item for item in request.items if item not in before.items]
    if len(added) == 1 and len(request.items) == len(before.items) + 1 and (_takes_back(scene) or _were_enough(scene, before, added[0])):
        return True
    if scene.figures() or _takes_back(scene):
        return False
    if not _is_said(scene):
        return False
    gone = list(_gone(request, before))
    kept = [item for item in before.items if item.label in {one.label for one in request.items}]
    only = [item.label for item in request.items] == [item.label for item in kept]
    called = {word for item, names in gone for word in (*names, *([] if names_of(item) and names else [same(item.label)]))}
    places = {fact.value for item, _ in gone if (fact := item.fact(SECTION))}
    services = {item.capability for item, _ in gone}
    it = len(gone) == 1 and any(scene.does(i, "them") for i in range(len(scene.said)))
    return only and any(
        it
        or same(scene.unquoted(i).lower()) in called
        or scene.said[i].text in called
        or _is_mentioned(scene, i, services)
        or not places.isdisjoint(scene.at(i).choices(SECTION))
        for i in range(len(scene.said))
        if not scene.denied[i]
    )


def _takes_back(scene: Scene) -> bool:
    """`could you remove it again?`: what was added last, as nothing else is named."""
    verb = next((mark for mark in scene.marks_of("take_away") if not scene.denied[mark.first]), None)
    points = (
        verb is not None and scene.does(verb.last, "them") and any(scene.is_text(i, "again") for i in range(verb.last, len(scene.said)))
    )
    return points and not scene.mentions


def _were_enough(scene: Scene, before: Request, added: Item) -> bool:
    """`doch nicht, zwei reichen`, where one more was added to two."""
    figures = scene.figures()
    said = int(scene.token(figures[0]).value) if len(figures) == 1 and scene.kind(figures[0]) == "number" else 0
    able = scene.words.able[added.capability]
    alike = [item for item in before.items if item.capability == added.capability and COUNT in able.by_name]
    machines = sum(how_many(item, COUNT, able, {}) or 1 for item in alike)
    return bool(said) and said == machines and bool(scene.marks_of("settles")) and not any(mark.names("fact") for mark in scene.marks)


def _is_said(scene: Scene) -> bool:
    stays = any(scene.is_listed(i, "restored") and not scene.denied[i] for i in range(len(scene.said))) or _leaves_in(scene)
    verbs = [i for i in range(len(scene.said)) if scene.is_listed(i, "restoring")]
    return stays or any(scene.is_listed(i, "backwards") for i in range(verbs[0], len(scene.said))) if verbs or stays else False


def _leaves_in(scene: Scene) -> bool:
    """`leave it in`, `keep the redis in`."""
    return any(scene.is_text(i, "leave") and scene.is_text(i + 2, "in") and scene.stops(i + 3) for i in range(len(scene.said)))


def _gone(request: Request, before: Request) -> Iterator[tuple[Item, tuple[str, ...]]]:
    """(an item that was taken out, its machines), and (one that is left, those of its machines that were)."""
    for item in before.items:
        left = request.item(item.label)
        names = tuple(name.lower() for name in names_of(item) if left is None or name not in names_of(left))
        if left is None or names:
            yield item, names


def _is_mentioned(scene: Scene, number: int, services: set[str]) -> bool:
    mention = scene.mention_at(number)
    return mention is not None and not mention.names("body") and not services.isdisjoint(mention.names("service"))
