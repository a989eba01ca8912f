"""What is said of each further disk besides its size: the storage that it lies on, and where it is mounted. It stands right behind the
disk, and is read before anybody takes that storage for the machine's own."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.rules.hearing.assignment.places import begins_path, folder_at
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.values import Amount, amounts
from tools.rules.hearing.scene import Scene
from tools.values.request import Fact

GAP_MAX = 3
"""Tokens between `data disk` and its size: `data disks: 100 GB`, `a data disk of 500 GB`."""
WORDS_MAX = 6
"""Small words in a row between a disk, its storage and its folder: `, formatted with ext4 and mounted at`."""
_SIGNS = (",", "(", "-", ":")
_PLACE = re.compile(r"(?<= )(?:on|at) \S+")


class Place(NamedTuple):
    """Of one disk: `on ceph-hdd at /srv/data`."""

    size: Amount
    text: str
    last: int
    listed: bool
    """It has no label of its own: `data disks: 1 GB at /a, 2 GB at /b`."""


def places_of(at: Stretch) -> list[Place]:
    """In their order, and none of the words is left for anybody else."""
    name, found = at.able.named("disks"), list[Place]()
    labelled = {i for mark in at.labels(at.able.by_name[name]) for i in range(mark.first, mark.last)} if name else set[int]()
    before = -GAP_MAX
    for size in (one for one in amounts(at.scene, at.first, at.last) if one.kind == "size" and labelled):
        behind = next((i for i in range(size.last, at.last) if i not in labelled), at.last)
        named, listed = any(i in labelled for i in range(size.first - GAP_MAX, behind)), size.first - before < GAP_MAX
        storage, folder, end = _told(at.scene, behind, at.last)
        if not (named or listed) or end == behind:
            continue
        before = end
        text = " ".join(filter(None, [f"on {storage}" if storage else "", f"at {folder}" if folder else ""]))
        found.append(Place(size, text, end, listed and not named))
        at.scene.use(size.first if found[-1].listed else behind, end)
    return found


def add_places(at: Stretch, places: list[Place], before: Fact | None) -> None:
    """Each behind its own of the sizes that were heard. Disks that were there before are where they were, unless it is said otherwise."""
    name = at.able.named("disks")
    said = at.found.facts.get(name) if name else None
    if said is None or not (places or before):
        return
    values = said.value.split(", ")
    values += [f"{place.size.text} {place.text}" for place in places if place.listed]
    for place in (one for one in places if not one.listed):
        numbers = [n for n, value in enumerate(values) if value == place.size.text]
        alone = sum(one.size.text == place.size.text for one in places) == 1  # `two data disks of 100 GB on tank`
        for number in numbers if alone else numbers[:1]:
            values[number] = f"{values[number]} {place.text}"
    there = [_PLACE.findall(one) for one in before.value.split(", ")] if before else []
    if len(there) == len(values):
        values = [one if _PLACE.search(one) else " ".join([one, *was]) for one, was in zip(values, there, strict=True)]
    start = at.scene.text.find(said.quote)
    first, last = at.scene.tokens_between(start, start + len(said.quote))
    at.found.say(name, ", ".join(values), at.scene.quote(first, max(last, *(place.last for place in places), last)))


def _told(scene: Scene, first: int, last: int) -> tuple[str, str, int]:
    """(storage, folder, where that ends)."""
    storage, folder, end, i = "", "", first, first
    while i < last and i - end < WORDS_MAX:
        if not folder and begins_path(scene, i):
            folder = folder_at(scene, i)
            i = end = scene.chunk(i, len(folder))
        elif not storage and not folder and scene.does(i - 1, "lean") and _is_storage(scene, i):
            storage = scene.unquoted(i)
            i = end = i + 1
        elif scene.does(i, "for") and scene.is_plain_word(i + 1):
            i += 2  # `for backups, mounted at /backup`
        elif scene.does(i, "lean", "join", "with") or scene.is_listed(i, "mounting") or scene.is_text(i, *_SIGNS):
            i += 1
        else:
            break
    return storage, folder, end


def _is_storage(scene: Scene, i: int) -> bool:
    text = scene.said[i].text
    if text in scene.known.nodes or scene.at(i).names("fact"):
        return False
    known = scene.kind(i) in ("name", "quoted") or text in scene.known.storages or scene.is_listed(i, "storages")
    behind = next(
        n for n in range(i + 1, i + 2 + GAP_MAX) if not (scene.does(n, "lean") or scene.is_listed(n, "mounting")) or n > i + GAP_MAX
    )
    closes = scene.breaks(i + 1, "join", signs=(")",)) or begins_path(scene, behind)
    return known or (scene.is_plain_word(i) and closes and not scene.is_listed(i, "no_storage"))
