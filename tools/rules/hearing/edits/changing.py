"""What the things that a message is about change of the request: what several share is said once, rows that differ in nothing but their
name are one thing, what was said before is not said again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tools.rules.hearing.assignment import listing
from tools.rules.hearing.assignment.scaling import worth
from tools.rules.hearing.assignment.things import MACHINE_SIZES, OWN, SHARED, Message, Thing
from tools.rules.hearing.assignment.values import GIB, plain
from tools.rules.hearing.groups.head import free_label
from tools.rules.hearing.groups.heads import machines_of
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, spoken
from tools.rules.hearing.words.meanings import Mark
from tools.rules.names.naming import repair
from tools.values.request import Doubt, Edit, Fact, Item, Reading

EACH_MAX = 8
"""Tokens between who has one each and what that is."""


def changes(message: Message, common: Thing | None) -> list[Edit]:
    """`common`: what was said of all rows of a table."""
    for thing in message.things if common else ():
        if thing.row and common:
            thing.take_over(common, {one.name for one in message.wanted(thing)} - OWN)
    _spread(message)
    for thing in message.things:
        _ask_which(thing)
    _gather(message)
    for thing in message.things:
        _count_each(message, thing)
    _share_alike(message)
    _scale(message)
    _drop_empty(message)
    _share_choices(message)
    _merge_rows(message)
    shared, made = _shared(message), list[Edit]()
    taken = {item.label for item in message.request.items}
    for thing in message.things:
        if thing.new:
            made.append(_new(message, thing, taken))
        if thing.only and thing.facts:
            made += _set_apart(message, thing, taken)
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


def _spread(message: Message) -> None:
    """`staging and production: one web and one indexer machine each`: all of them once for each environment; so many as are meant."""
    message.things = [one for thing in message.things for one in (thing, *(thing.anew() for _ in range(thing.times - 1)))]
    several = next((one for thing in message.things if thing.new and (one := thing.found.either.get("environment"))), None)
    scene = message.scene
    said = [scene.where(quote)[0] for quote in (several or {}).values()]
    counted = several is not None and any(_machines(thing) == len(several) for thing in message.things)
    each = any(scene.any_does(*scene.sentence(i), "each", "times_each") or scene.is_listed(i - 1, "everything") for i in said)
    if several is None or not (counted or each):
        return
    places = [Fact(name="environment", value=value, quote=quote) for value, quote in several.items()]
    made: list[Thing] = []
    for thing in message.things:
        thing.found.either.pop("environment", None)
        stays = not thing.new or ("environment" in thing.facts and thing.facts["environment"].value not in several)
        made += [thing] if stays else [_alone(message, thing.anew(place), counted) for place in places]
    message.things = made


def _alone(message: Message, thing: Thing, counted: bool) -> Thing:
    """One of so many, with the names that tell where they are: `2 VMs, one for production and one for staging: app-prod1, app-staging1`."""
    place, name = thing.facts["environment"], thing.facts.get("name")
    spelled = next(dict(one.choices)[place.value] for one in message.wanted(thing) if one.name == "environment")
    names = [one for one in name.value.split(", ") if any(word in one.lower() for word in spelled)] if name else []
    for one in ("count", *(("name",) if names else ())) if counted else ():
        thing.facts.pop(one, None)
    if names and name and counted:
        thing.found.say("name", ", ".join(names), name.quote)
    return thing


def _ask_which(thing: Thing) -> None:
    """`staging now and production in spring`: it is asked, since it can be but one of them."""
    for name, several in thing.found.either.items():
        thing.facts.pop(name, None)
        edits = (Edit(do="set", item=thing.label, name=name, value=value, quote=quote) for value, quote in several.items())
        readings = tuple(Reading(text=spoken(name, edit.value), edits=(edit,)) for edit in edits)
        thing.doubts.append(Doubt(item=thing.label, quote=[*several.values()][-1], about=(name,), readings=readings))
    thing.found.either.clear()


def _set_apart(message: Message, thing: Thing, taken: set[str]) -> list[Edit]:
    """`api-2 needs 8 GB`, of several: it is an item of its own from now on, and the others stay as they are."""
    item = message.request.item(thing.label)
    assert item is not None
    others = [one for one in machines_of(item) if one != thing.only]
    label, quote = free_label(repair(thing.only), taken), thing.only
    taken.add(label)
    made = [
        Edit(do="copy", item=item.label, name=label, quote=quote),
        Edit(do="set", item=label, name="name", value=thing.only, quote=quote),
        Edit(do="set", item=item.label, name="name", value=", ".join(others), quote=quote),
    ]
    if item.fact("count"):
        made.append(Edit(do="unset", item=label, name="count", quote=quote))
        made.append(Edit(do="set", item=item.label, name="count", value=str(len(others)), quote=quote))
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


def _count_each(message: Message, thing: Thing) -> None:
    """`24 students, and every one of them needs a VM`, `one VM per student`, `5 developers, each with 4 cores`: so many machines."""
    scene, people = message.scene, thing.facts.get("users")
    if people is None or not thing.new or "count" in thing.facts or not message.wants(thing, COUNT) or "application" in thing.facts:
        return
    label = scene.where(people.quote)[1]
    first, last = thing.said
    plain = thing.capability == scene.words.plain and last > 0
    near = plain and any(_says_whose(scene, i) for i in range(max(first - EACH_MAX, 0), last + 2))
    if near or (scene.any_does(label, label + 2, "each") and scene.any_does(label, label + 3, "with")):
        thing.found.say(COUNT, people.value, people.quote)
        del thing.facts["users"]


def _says_whose(scene: Scene, number: int) -> bool:
    """`each of them`, `per student`; not `4 GB each`, `each 4 GB`."""
    beside = (scene.kind(number - 1), scene.kind(number + 1))
    return scene.does(number, "each", "per") and not {*beside} & {"number", "size"} and not scene.facts(number - 1) & scene.words.counting


def _gather(message: Message) -> None:
    """`k3s cluster:` above a list of its machines: they are its own, each of its kind where that is said, else as all of them are."""
    scene, systems = message.scene, [thing for thing in message.things if thing.new and thing.capability in message.scene.words.systems]
    system = systems[0] if len(systems) == 1 else None
    if system is None or not scene.is_text(scene.sentence(system.said[0])[1] - 1, ":"):
        return
    able = scene.words.able[system.capability]
    rows = [
        one
        for one in message.things
        if one.new and one.capability == scene.words.plain and one.first > system.said[1] and "name" in one.facts
    ]
    kinds = [
        next(
            (
                part
                for i in range(one.first, scene.sentence(one.first)[1])
                for part in able.parts
                if part in scene.at(i).facts(system.capability)
            ),
            "",
        )
        for one in rows
    ]
    for part in dict.fromkeys(kinds if all(kinds) else [COUNT] * bool(rows)):
        mine = [one for one, kind in zip(rows, kinds, strict=True) if part in (kind, COUNT)]
        system.facts.setdefault(part, Fact(name=part, value=str(sum(map(_machines, mine))), quote=mine[0].quote))
        for name, fact in mine[0].facts.items():
            theirs = name if part == COUNT else f"{part.removesuffix(COUNT)}{name}"
            if theirs in able.by_name and all(
                one.facts.get(name, fact.model_copy(update={"value": ""})).value == fact.value for one in mine
            ):
                system.facts[theirs] = fact.model_copy(update={"name": theirs})
    for name in ("name", "address"):
        if rows and all(name in one.facts for one in rows):
            start, last = scene.text.find(rows[0].facts[name].quote), rows[-1].facts[name].quote
            quote = scene.text[start : scene.text.find(last, start) + len(last)]
            system.found.say(name, ", ".join(one.facts[name].value for one in rows), quote)
    below = [fact for one in rows[-1:] for fact in one.facts.values() if _is_apart(message, one, fact)]  # `network 20`, below the list
    system.found.facts |= {fact.name: fact for fact in below}
    message.things = [one for one in message.things if one not in rows]


def _share_alike(message: Message) -> None:
    """`one web and one indexer machine each, 2 cores 8 GB`: the sizes are of both; `and the same for production`: so are most facts."""
    things = message.things
    for one, after in pairwise(things):
        if after.again and one.capability == after.capability:
            if after.sizes and not one.sizes and _ends_list(message, after):
                one.take_over(after, MACHINE_SIZES)
            until = after.again_from or len(message.scene.said)
            after.take_over(
                one, {name for name, fact in one.facts.items() if name not in OWN and message.scene.where(fact.quote)[0] < until}
            )
    each = next((n for n, thing in enumerate(things) if thing.each and thing.sizes and not _is_of_its_own(message, thing)), 0)
    for one in things[:each]:
        first, last = message.scene.sentence(one.said[0])
        if not one.sizes and not one.row and first <= things[each].said[0] <= last:
            one.take_over(things[each], MACHINE_SIZES & {wanted.name for wanted in message.wanted(one)})


def _ends_list(message: Message, thing: Thing) -> bool:
    """`one in production and one in staging, 2 cores, 4 GB`: how large they are stands behind a sign."""
    places = [message.scene.where(thing.facts[name].quote)[0] for name in thing.sizes]
    told = [message.scene.where(fact.quote)[0] for name, fact in thing.facts.items() if name in SHARED]
    return any(message.scene.find(place, min(places), ",", ":", ".", ";", "(") for place in told)


def _scale(message: Message) -> None:
    """`a second one with twice that memory`, `app-2: half of that`: of what the one before it has."""
    for one, thing in pairwise(message.things):
        for factor, name, first, last in thing.scaled:
            for fact in [fact for fact in one.facts.values() if fact.name in ({name} if name else MACHINE_SIZES)]:
                was = worth(fact.value)
                if was is not None and was * factor == int(was * factor) and (name or fact.name not in thing.facts):
                    now = was * factor
                    value = plain(now) if fact.value.isdigit() else f"{plain(now / GIB)} GB"
                    thing.found.say(fact.name, value, message.scene.quote(first, last))
                    message.scene.use(first, last)


def _is_of_its_own(message: Message, thing: Thing) -> bool:
    """`two web servers with 2 cores each` tells how large those two are; `…, 2 cores each` may tell it of all."""
    if _machines(thing) == 1 or not thing.sizes:
        return False
    first = min(message.scene.where(thing.facts[name].quote)[0] for name in thing.sizes)
    return thing.said[1] <= first and message.scene.find(thing.said[1], first, ",", ":", "(") is None


def _share_choices(message: Message) -> None:
    """`Both: Ubuntu`, after the last of them; `60 GB of disk in both`, `RHEL on all three`; `We need this by 15 December.`"""
    last = message.things[-1] if len(message.things) > 1 and message.things[-1].new else None
    if last is None:
        return
    kinds = {one.name for one in message.wanted(last) if one.kind in ("choice", "version")} - SHARED
    each = not _is_of_its_own(message, last)
    told = {name for name in (kinds | last.sizes) & set(last.facts) if _is_of_all(message.scene, last.facts[name], within=",", each=each)}
    both = kinds | {name for name in last.sizes if _is_of_all(message.scene, last.facts[name])}
    both |= {one.name for one in message.wanted(last) if one.kind == "date"}
    listed = all(one.new and "name" in one.facts and (one is last or not one.sizes) for one in message.things)
    both |= last.sizes if listed else set()  # below a list of names
    told |= {name for name in both & set(last.facts) if _is_apart(message, last, last.facts[name])}
    alike = {one.name: one for one in message.wanted(last)}
    for one in message.things[:-1]:
        one.take_over(last, told & {wanted.name for wanted in message.wanted(one) if alike.get(wanted.name) == wanted})


def _is_apart(message: Message, thing: Thing, fact: Fact) -> bool:
    """It is said in another sentence than the one that names the thing."""
    scene = message.scene
    named = thing.said[0] or thing.first
    last = scene.sentence(named)[1]
    at = scene.text.rfind(fact.quote)
    return bool(named or thing.said[1]) and last < len(scene.said) and at > scene.said[last].start


def _is_of_all(scene: Scene, fact: Fact, within: str = "", *, each: bool = True) -> bool:
    """`60 GB of disk in both`: its sentence says so, or its part up to a sign."""
    begin = scene.tokens_between(max(scene.text.rfind(fact.quote), 0), len(scene.text))[0]
    first, last = scene.sentence(begin)
    first, last = (scene.clause(begin), scene.find(begin, last, within) or last) if within else (first, last)
    if within and len(scene.of_kind(first, last, "size")) > 1:
        return False  # `…, 8 GB and 100 GB each`
    return any(scene.is_listed(i, "everything") or (each and scene.does(i, "each")) for i in range(first, last))


def _drop_empty(message: Message) -> None:
    """`vms on network 20: one small (1 core, 2 GB), one large (8 cores, 16 GB)`: the word before them names no thing of its own."""
    sized = [thing for thing in message.things if thing.new and (thing.sizes or "address" in thing.facts)]
    for thing in list(message.things):
        others = [one for one in sized if one is not thing and one.capability == thing.capability]
        says = set(thing.facts) - SHARED - {"role", "count", "needed_by", "until"} or thing.copied or thing.doubts or thing.row
        counted = "count" in thing.facts and _machines(thing) != sum(map(_machines, others))
        apart = any(
            fact.name in SHARED and any(one.facts.get(fact.name, fact).value != fact.value for one in others)
            for fact in thing.facts.values()
        )
        if thing.new and others and not says and not counted and not thing.again and not apart:
            for one in others:
                one.take_over(thing, SHARED | {"needed_by", "until"})
            message.things.remove(thing)


def _machines(thing: Thing) -> int:
    return (quantities.count(thing.facts["count"].value) if "count" in thing.facts else None) or 1


def _merge_rows(message: Message) -> None:
    merged, rows = list[Thing](), dict[tuple[str, frozenset[tuple[str, str]]], Thing]()
    for thing in message.things:
        like = rows.setdefault(_facts(thing), thing) if thing.row else thing
        if like is thing:
            merged.append(thing)
            continue
        count = _machines(like) + _machines(thing)
        for name in ("address", "name"):
            both = [one.facts[name] for one in (like, thing) if name in one.facts]
            if both:
                message.scene.settle(*message.scene.where(both[0].quote))
                like.found.say(name, ", ".join(fact.value for fact in both), both[-1].quote)
        like.found.say("count", str(count), like.facts["name"].quote if "name" in like.facts else like.quote)
    message.things = merged


def _facts(thing: Thing) -> tuple[str, frozenset[tuple[str, str]]]:
    """What two rows must have alike to be one."""
    return thing.capability, frozenset((name, fact.value) for name, fact in thing.facts.items() if name not in ("name", "count", "address"))


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
        if not scene.free(mark.first, mark.last) or _tells_another(message, mark):
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
