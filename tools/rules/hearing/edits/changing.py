"""What the things that a message is about change of the request: what all of them share is said once, what was said before is not said
again, and what no capability can do is a wish."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from tools.rules.hearing.assignment import listing
from tools.rules.hearing.assignment.thing import SHARED, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.edits.sharing import share
from tools.rules.hearing.groups.head import free_label
from tools.rules.hearing.groups.heads import machines_of
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import Mark
from tools.rules.names.naming import repair
from tools.values.request import Doubt, Edit, Fact, Item

HERE = frozenset(("network", "bridge", "vlan", "node", "storage"))
"""What is said of a machine on a cluster."""


def changes(message: Message) -> list[Edit]:
    share(message)
    shared, made = _shared(message), list[Edit]()
    taken = {item.label for item in message.request.items}
    apart = list[Thing]()
    for thing in message.things:
        if thing.new:
            made.append(_new(message, thing, taken))
        if thing.only and thing.facts and thing not in apart:
            alike = [one for one in message.things if one.only and one.label == thing.label and _says(one) == _says(thing)]
            gone = {one.only for one in apart if one.only}
            made += _set_apart(message, alike, gone, taken)
            apart += alike
        label = thing.label
        made += thing.edits
        if not thing.new:
            before = {one.name: message.before(thing, one.name) for one in message.wanted(thing)}
            made += listing.edits(message.scene, label, message.wanted(thing), thing.found, before)
        made += [
            Edit(do="set", item=label, name=f.name, value=f.value, quote=f.quote) for f in thing.facts.values() if f.name not in shared
        ]
        made += [Edit(do="relate", item=label, name=kind, value=to, quote=quote) for kind, to, quote in thing.relations]
    made += [Edit(do="set", name=fact.name, value=fact.value, quote=fact.quote) for fact in shared.values()]
    return [*made, *(edit for thing in message.things for edit in _unsets(message, thing))]


def _says(thing: Thing) -> dict[str, str]:
    return {name: fact.value for name, fact in thing.facts.items()}


def _set_apart(message: Message, things: Sequence[Thing], gone: AbstractSet[str], taken: set[str]) -> list[Edit]:
    """`api-2 needs 8 GB`, `api-2 and api-3 …`, of several: an item of their own from now on, and the others stay as they are, without those
    that have `gone` before."""
    item = message.request.item(things[0].label)
    assert item is not None
    only = [thing.only for thing in things]
    others = [one for one in machines_of(item) if one not in (*only, *gone)]
    if not others:
        return []  # they are all that is left of it
    label, quote = free_label(repair(only[0]), taken), only[0]
    taken.add(label)
    made = [
        Edit(do="copy", item=item.label, name=label, quote=quote),
        Edit(do="set", item=label, name="name", value=", ".join(only), quote=quote),
        Edit(do="set", item=item.label, name="name", value=", ".join(others), quote=quote),
    ]
    if item.fact("count"):
        left = Edit(do="unset", item=label, name="count", quote=quote)
        made.append(left if len(only) == 1 else left.model_copy(update={"do": "set", "value": str(len(only))}))
        made.append(Edit(do="set", item=item.label, name="count", value=str(len(others)), quote=quote))
    for thing in things:
        thing.label = label
    return made


def _new(message: Message, thing: Thing, taken: set[str]) -> Edit:
    called = thing.label if thing.label and thing.label not in taken else thing.role or thing.capability
    thing.label = free_label(called, taken)
    taken.add(thing.label)
    thing.doubts = [_of(doubt, thing.label) for doubt in thing.doubts]
    originals = (item.fact("name") for item in message.request.items)
    labels = {*(item.label for item in message.request.items), *(fact.value.lower() for fact in originals if fact)}
    if thing.like and not (set(thing.facts) - SHARED - {"name", "count"} or thing.copied or thing.doubts):
        thing.copied = thing.like
        thing.facts.setdefault(COUNT, Fact(name=COUNT, value="1", quote=thing.quote))
    if thing.copied.lower() in labels:
        return Edit(do="copy", item=thing.copied, name=thing.label, quote=thing.quote)
    if thing.copied:
        thing.relations.append(("like", thing.copied, thing.quote))
    return Edit(do="add", item=thing.label, name=thing.capability, quote=thing.quote or thing.capability)


def _of(doubt: Doubt, label: str) -> Doubt:
    """With the label that its thing has got."""
    readings = tuple(
        one.model_copy(update={"edits": tuple(edit.model_copy(update={"item": label}) for edit in one.edits)}) for one in doubt.readings
    )
    return doubt.model_copy(update={"item": label, "readings": readings})


def _shared(message: Message) -> dict[str, Fact]:
    """Facts that are meant for all: said of one thing only, or of all alike, and nothing else in the request says otherwise."""
    shared: dict[str, Fact] = {}
    spoken_of = {thing.label for thing in message.things}
    others = [item for item in message.request.items if item.label not in spoken_of]
    is_named = all(thing.said != (0, 0) for thing in message.things)  # `monitoring in network 10`
    is_more = (any(thing.new for thing in message.things) or is_named) and bool(others)
    for name in sorted(SHARED):  # in an order that is the same in every process
        if any(name in thing.found.open for thing in message.things):
            continue
        said = [thing.facts[name] for thing in message.things if name in thing.facts]
        before = next((fact for fact in message.request.shared if fact.name == name), None)
        rows = [thing for thing in message.things if thing.row]
        if any(name in one.facts for one in rows) and not all(name in one.facts for one in rows):
            continue  # what a row says is not said of the others
        differs = said and ((before and before.value != said[0].value) or any(item.fact(name) for item in others))
        if len({fact.value.lower() for fact in said}) == 1 and not (is_more and differs) and not _is_of_one(message, name, others):
            shared[name] = said[-1]
    return shared


def _is_of_one(message: Message, name: str, others: Sequence[Item]) -> bool:
    """`a database on Proxmox and a storage account`: a place behind one of several is of that one; behind the last it may be of all, and so
    it is before the first: `in Azure: a database and a storage account`. It moves no `others`, which the message does not speak of."""
    saying = [n for n, thing in enumerate(message.things) if name in thing.facts]
    spoken_of = [wanted for thing in message.things for wanted in message.wanted(thing)]
    wanted = [*spoken_of, *(one for item in others for one in message.catalogue[item.capability].WANTED)]
    place = any(one.name == name and (one.place or one.only_in) for one in wanted)  # a region says which place, too
    if place and others:
        return True
    if place and any(HERE & set(thing.facts) for n, thing in enumerate(message.things) if n not in saying):
        return True  # `a web server on network 20 and a VM in Azure`
    if not place or len(saying) != 1 or saying[0] == len(message.things) - 1:
        return False
    scene, thing = message.scene, message.things[saying[0]]
    return thing.new and scene.where(thing.facts[name].quote)[1] >= thing.said[0]  # right before it, too: `an Azure VM and a database`


def _unsets(message: Message, thing: Thing) -> list[Edit]:
    made = []
    item = message.request.item(thing.label)
    lists = {one.name for one in message.wanted(thing) if one.several}
    for name, value, quote in thing.found.denied:
        fact = message.before(thing, name)
        if value and name in lists and not thing.new:
            made.append(Edit(do="exclude", item=thing.label, name=name, value=value, quote=quote))
            continue
        if fact is None or name in thing.facts:
            continue
        owner = thing.label if item and item.fact(name) else ""
        several = fact.value.split(", ")
        left = [one for one in several if one not in value.split(", ")]
        if value and 0 < len(left) < len(several):
            made.append(Edit(do="set", item=owner, name=name, value=", ".join(left), quote=quote))
        elif not value or fact.value.lower() == value.lower():
            made.append(Edit(do="unset", item=owner, name=name, quote=quote))
    return made


def wishes(message: Message) -> list[Edit]:
    """What no capability can do yet, of fields and of words; the last of a kind."""
    scene, found = message.scene, dict[str, Edit]()
    is_able = bool(message.things or message.request.items)  # a wish is about something
    said = [wish for thing in message.things for wish in thing.found.wishes]
    for mark in scene.marks_of("wish") if is_able else ():
        kind = mark.names("wish")[0]
        laughs = scene.is_listed(mark.first, "laughing") and scene.stops(mark.first - 1) and scene.is_text(mark.last, ",", "!")
        if laughs or not scene.free(mark.first, mark.last) or _tells_another(message, mark):
            continue
        quote = scene.quote(mark.first, mark.last)
        if not scene.denied[mark.first] and not scene.takes_back(mark):
            whose = next((thing.label for thing in message.things if thing.meant_by == kind), "")
            found[kind] = Edit(do="wish", item=whose, name=kind, value=quote, quote=quote)
        elif any(wish.kind == kind for wish in message.request.wishes):
            found[kind] = Edit(do="unwish", name=kind, quote=quote)
        scene.use(mark.first, mark.last)
    return [*(Edit(do="wish", name=wish.kind, value=wish.text, quote=wish.text) for wish in said), *found.values()]


def _tells_another(message: Message, mark: Mark) -> bool:
    """`backup contact`, `backup vm`: no wish, but a word that tells another noun."""
    scene, after = message.scene, message.scene.token(mark.last)
    noun = scene.words.language == ENGLISH and scene.is_plain_word(mark.last) and not after.text.endswith("ly") and not after.glued
    counts = not scene.fills(mark.last) and scene.words.counting & set(scene.at(mark.last).names("fact"))  # `the firewall people`
    noun = noun or bool(counts) or (after.text in "=:" and "ports" in scene.at(mark.last + 1).names("fact"))  # `https = port 443`
    return (
        noun or (scene.mention_at(mark.last) is not None and not scene.is_listed(mark.first, "fitted")) or _is_protocol(scene, mark.first)
    )


def _is_protocol(scene: Scene, number: int) -> bool:
    """`Services: https, ssh`: what is reached there."""
    begin, end = scene.sentence(number)
    begin = scene.skip(begin, number, texts=("-", "*", "•"))
    told = scene.is_listed(begin, "serves") or bool(scene.marks_in(begin, end, "ports"))
    return scene.is_listed(number, "protocols") and (
        told or scene.is_listed(number + 2, "protocols") or scene.is_listed(number - 2, "protocols")
    )
