"""What is said of several things at once: alike, for each, in all environments, of the rows of a table; and rows that differ in nothing but
their names are one thing."""

from __future__ import annotations

from itertools import pairwise

from tools.rules.hearing.assignment.scaling import worth
from tools.rules.hearing.assignment.thing import DATES, MACHINE_SIZES, OWN, SHARED, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import GIB, plain
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens import quantities
from tools.rules.hearing.words.able import COUNT, spoken
from tools.values.request import Doubt, Edit, Fact, Reading

EACH_MAX = 8
"""Tokens between who has one each and what that is."""


def share(message: Message) -> None:
    """What is said of several things at once, of each of them."""
    for thing in message.things if message.common else ():
        if thing.row and message.common:
            thing.take_over(message.common, {one.name for one in message.wanted(thing)} - OWN)
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
    for one, after in reversed(list(pairwise(things))):
        if not (one.new or after.new or one.facts or one.doubts or one.found.denied) and _are_joined(
            message.scene, one.said[1], after.said[0]
        ):
            one.take_over(after, {wanted.name for wanted in message.wanted(one)} - OWN)  # `the web server and the postgres get 8 GB`
    each = next((n for n, thing in enumerate(things) if thing.each and thing.sizes and not _is_of_its_own(message, thing)), 0)
    for one in things[:each]:
        first, last = message.scene.sentence(one.said[0])
        if not one.sizes and not one.row and first <= things[each].said[0] <= last:
            one.take_over(things[each], MACHINE_SIZES & {wanted.name for wanted in message.wanted(one)})


def _are_joined(scene: Scene, first: int, last: int) -> bool:
    """Nothing but a comma or an `and` stands there."""
    joins = [i for i in range(first, last) if scene.does(i, "join") or scene.is_text(i, ",", "/", "+", "&")]
    return bool(joins) and all(i in joins or scene.does(i, "owned") for i in range(first, last))


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
                    value = plain(now) if fact.value.isdecimal() else f"{plain(now / GIB)} GB"
                    thing.found.say(fact.name, value, message.scene.quote(first, last))
                    message.scene.use(first, last)


def _is_of_its_own(message: Message, thing: Thing) -> bool:
    """`two web servers with 2 cores each` tells how large those two are; `…, 2 cores each` may tell it of all."""
    if _machines(thing) == 1 or not thing.sizes:
        return False
    if message.scene.is_text(thing.said[1], "("):
        return True
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
    both |= DATES
    if len({message.scene.sentence(one.said[0]) for one in message.things}) == 1:
        told |= {name for name in DATES & set(last.facts) if message.scene.is_text(message.scene.where(last.facts[name].quote)[0] - 1, ",")}
    listed = all(one.new and "name" in one.facts and (one is last or not one.sizes) for one in message.things)
    both |= last.sizes if listed else set()  # below a list of names
    told |= {name for name in both & set(last.facts) if _is_apart(message, last, last.facts[name])}
    alike = {one.name: one for one in message.wanted(last)}
    for one in message.things[:-1]:
        # Most often they are the same service's, and one object: comparing all that it says is slow.
        alike_in = (wanted.name for wanted in message.wanted(one) if (other := alike.get(wanted.name)) is wanted or other == wanted)
        one.take_over(last, told & set(alike_in))


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
        title = message.scene.sentence(thing.said[0])[1] - 1
        of_any = thing.capability == message.scene.words.plain and message.scene.is_text(title, ":")  # `the following two machines:`
        others = [one for one in sized if one is not thing and (of_any or one.capability == thing.capability)]
        says = set(thing.facts) - SHARED - DATES - {"role", "count"} or thing.copied or thing.doubts or thing.row
        counted = "count" in thing.facts and _machines(thing) != sum(map(_machines, others))
        if thing.new and others and not says and not counted and not thing.again and not _is_elsewhere(thing, others):
            for one in others:
                one.take_over(thing, SHARED | DATES)
            message.things.remove(thing)


def _is_elsewhere(thing: Thing, others: list[Thing]) -> bool:
    """What is shared is said another way of one of them: another network, another environment."""
    shared = [fact for fact in thing.facts.values() if fact.name in SHARED]
    return any(one.facts.get(fact.name, fact).value != fact.value for fact in shared for one in others)


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
