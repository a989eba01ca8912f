"""What a message says of one thing: names, relations, what is taken back, and the facts of a stretch of words."""

from __future__ import annotations

from dataclasses import replace

from tools.rules.hearing.assignment.amounting import say_amounts
from tools.rules.hearing.assignment.facts import read_facts
from tools.rules.hearing.assignment.mounting import add_places, places_of
from tools.rules.hearing.assignment.scaling import worth
from tools.rules.hearing.assignment.stretch import Found, Stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.groups.grouping import Kind
from tools.rules.hearing.groups.heads import machines_of
from tools.rules.hearing.groups.naming import is_host, names_at
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.words.meanings import Mark, same
from tools.values.request import Item

RELATED_MAX = 6
"""Tokens between the word of a relation and the thing that it is to."""


def read_stretch(message: Message, thing: Thing, first: int = 0, last: int | None = None) -> None:
    at = message.stretch(thing, first, last)
    _copy(message, thing, at)
    _say_the_same(message, thing, at)
    _relate(message, thing, at)
    if "name" not in thing.facts and message.wants(thing, "name"):
        _bare_name(thing, at)
    disks = places_of(at)
    read_facts(at)
    _own_make(message, thing)
    _take_out(message, thing, at)
    _take_back(at)
    say_amounts(message, thing, at)
    add_places(at, disks, message.before(thing, at.able.named("disks")) if at.able.named("disks") else None)


def read_kind(message: Message, thing: Thing, kind: Kind, last: int) -> None:
    """What is said of one kind of its machines, up to where the next begins: `3 masters (4 cores, 8 GB)`."""
    own, head = replace(thing, found=Found()), kind.head
    at = message.stretch(own, head.last, last)
    read_facts(at)
    say_amounts(message, own, at)
    first = head.lead.counted[0]
    own.found.say("count", str(head.lead.number), message.scene.quote(min(first, head.first), max(head.lead.counted[1], head.last)))
    for name, fact in own.facts.items():
        theirs = f"{kind.name}_{name}"
        named = theirs if message.wants(thing, theirs) else name
        thing.facts[named] = fact.model_copy(update={"name": named})
    thing.found.denied += own.found.denied
    thing.found.wishes += own.found.wishes


def _copy(message: Message, thing: Thing, at: Stretch) -> None:
    """`same as db-01`."""
    scene = at.scene
    for mark in at.marks("copy"):
        i = scene.skip(mark.last, at.last, "owned", "article", "lean")
        known = scene.kind(i) == "name" or any(scene.is_text(i, item.label) for item in message.request.items)
        alike = [item for item in message.request.items if item.capability == thing.capability]
        ordinal = scene.words.ordinals.get(scene.token(i).text, len(alike))
        if thing.new and ordinal < len(alike) and not scene.used[i] and not known:  # `a second web server like the first`
            end = i + 1 + scene.is_listed(i + 1, "one_of")
            thing.copied, thing.quote = alike[ordinal].label, scene.quote(mark.first, end)
            scene.use(mark.first, end)
        elif not thing.new and (like := _item_called(message, i)) and like.label != thing.label:  # `gamma the same size as delta`
            for fact in like.facts:
                if fact.name in MACHINE_SIZES and message.wants(thing, fact.name):
                    at.say(fact.name, fact.value, mark.first, i + 1)
        elif known and not scene.used[i]:
            thing.copied, thing.quote = scene.quote(i, i + 1), scene.quote(mark.first, i + 1)
            scene.use(mark.first, i + 1)


def _say_the_same(message: Message, thing: Thing, at: Stretch) -> None:
    """`same network as app-01`: what was said of that, or of all."""
    scene = at.scene
    for mark in at.marks():
        like = _item_called(message, mark.last + 1) if scene.is_text(mark.first - 1, "same") and scene.is_listed(mark.last, "as") else None
        names = [name for name in mark.names("fact") if message.wants(thing, name)] if like else []
        said = [fact for fact in (*(like.facts if like else ()), *message.request.shared) if fact.name in names]
        if said:
            at.say(said[0].name, said[0].value, mark.first, mark.last + 2)


def _item_called(message: Message, number: int) -> Item | None:
    """By its label, or by the name of one of its machines."""
    called = message.scene.unquoted(number).lower() if number < len(message.scene.said) else ""
    return next((item for item in message.request.items if called in (item.label, *machines_of(item))), None)


def _relate(message: Message, thing: Thing, at: Stretch) -> None:
    """`behind the balancer`, `on different nodes`, `near the database`: how it stands to something else, or its machines do."""
    scene = at.scene
    for mark in at.marks("relation"):
        kind = mark.names("relation")[0]
        if not scene.free(mark.first, mark.last):
            continue
        alone = kind == "apart" or (scene.any_listed(mark.first, mark.last, "together") and not scene.is_listed(mark.last - 1, "as"))
        related = _it(message, thing, mark) if scene.does(mark.last, "them") else _related(message, mark)
        to, close = ("", mark.last) if alone else related
        if to or alone:
            kind = "apart" if scene.denied[mark.first] else kind  # `they must not be on the same node`
            thing.relations.append((kind, to, scene.quote(mark.first, close)))
            scene.use(mark.first, close)


def _it(message: Message, thing: Thing, mark: Mark) -> tuple[str, int]:
    """`a postgres, and a web server that uses it`: the thing before it, or the only other one there is."""
    named = [one.said for one in message.things if one.said != (0, 0) and one.said < thing.said]
    others = [item.label for item in message.request.items if item.label != thing.label]
    it = message.scene.quote(*named[-1]) if named else others[0] if len(others) == 1 else ""
    return it, mark.last + 1


def _related(message: Message, mark: Mark) -> tuple[str, int]:
    """(what it is to, the token behind that)."""
    scene, items = message.scene, message.request.items
    to, close = "", mark.last
    for i in range(mark.last, min(mark.last + RELATED_MAX, scene.sentence(mark.first)[1])):
        if scene.does(i, "join"):
            break  # `behind a load balancer plus a database`: that is another thing
        item = next((one for one in items if same(one.label) == same(scene.said[i].text)), None)
        mention = scene.mention_at(i)
        if item or scene.kind(i) in ("name", "quoted"):
            return item.label if item else scene.unquoted(i), i + 1
        of_its_own = mention and set(mention.names("service")) & set(scene.at(i).names("fact"))  # `use the Rocky template`: a fact of it
        if mention and not to and not of_its_own:
            known = next((one.label for one in items if one.capability in mention.names("service")), "")
            to, close = known or scene.quote(mention.first, mention.last), mention.last
    return to, close


def _bare_name(thing: Thing, at: Stretch) -> None:
    """`VM build-01`, `vm lark, 4 cores`, `app-{1,2,3}`, `"web" as a server`: names that nothing introduces."""
    scene = at.scene
    for i in scene.of_kind(at.first, at.last, "word", "name", "quoted"):
        kind, is_new = scene.kind(i), not scene.at(i).meanings
        if (
            not scene.is_left(i)
            or is_host(at.able, scene, i)
            or (kind == "name" and scene.is_text(i + 1, ":", "=") and scene.token(i + 2).glued)
        ):
            continue
        behind = kind != "word" and (scene.named_at(i) or (kind == "name" and scene.named_at(i - 1)))
        asked = scene.does(i - 1, "ask_for") and not scene.does(i - 1, "change", "with") and _is_named_alone(scene, i)
        copied = bool(thing.copied) and scene.is_listed(i - 1, "as")  # `clone db-1 as db-2`
        if (kind == "word" and _is_word_name(at, i)) or (kind == "name" and is_new and (asked or copied)):
            at.say("name", scene.quote(i, i + 1), i, i + 1)
        elif kind in ("name", "quoted") and (scene.is_listed(i + 1, "as") or (kind == "quoted" and (behind or asked))):
            at.say("name", scene.unquoted(i), i, i + 1)
        elif kind == "name" and is_new:
            end, said = names_at(scene, i, at.last, sure=False)
            lead = scene.at(i - 1)
            placed = set(lead.names("fact")) & scene.words.placing or (lead.does("lean") and not scene.is_listed(i - 1, "as"))
            if not said or placed or not (len(said) > 1 or behind) or "." in said[0]:
                continue
            at.say("name", ", ".join(said), i, end)
            if len(said) > 1 and "count" not in thing.facts and "count" in at.able.kinds:
                at.say("count", str(len(said)), i, end)
        if "name" in thing.facts:
            return


def _is_named_alone(scene: Scene, number: int) -> bool:
    """`create lark-3`, `set up lark with 4 cores`; not `prepare dev-test resources`."""
    text, end = scene.said[number].text, number + 1
    ends = scene.breaks(end, "with", "join", "for", "lean", signs=("(", ":"))
    return "." not in text and (ends or any(c.isdecimal() for c in text))


def _is_word_name(at: Stretch, number: int) -> bool:
    """A word right behind its noun that means nothing else."""
    scene, text = at.scene, at.scene.said[number].text
    if not scene.named_at(number):
        return False
    sized = len(text) > 3 and scene.kind(number + 1) == "number" and "cpu_count" in scene.at(number + 2).names("fact")  # `vm wasp 2 cores`
    sized = sized or (len(text) > 3 and scene.kind(number + 1) == "size")  # `vm wasp 4 GB`
    ends = sized or scene.breaks(number + 1, "with", signs=("(", ":"))
    leads = scene.words.language == ENGLISH or (scene.words.adjectives_first and scene.does(number + 1, "with"))
    open_ = leads and scene.is_plain_word(number) and text not in scene.words.ordinals
    if not (open_ and ends and len(text) >= 3) or text.endswith(("ly", "ing")):
        return False
    return not any(
        text in (word, f"{word}s") for one in at.able.wanted for _, several in one.choices for word in several
    )  # `2 redis caches`


def _own_make(message: Message, thing: Thing) -> None:
    """Who names the make that a capability is of has chosen it: another one in the message is what it replaces or stands beside."""
    scene = message.scene
    for name, ours in scene.words.makes[thing.capability]:
        if any(ours in scene.at(i).choices(name) for i in range(*thing.said)):
            thing.facts.pop(name, None)
            before = message.before(thing, name)
            if before and before.value != ours:
                thing.found.say(name, ours, scene.quote(*thing.said))


def _take_out(message: Message, thing: Thing, at: Stretch) -> None:
    """`without the 200 GB disk`: one of several disks, by its size."""
    scene, disks = at.scene, at.able.named("disks")
    before = message.before(thing, disks) if disks else None
    for i in scene.of_kind(at.first, at.last, "size") if before else ():
        own = [one for one in before.value.split(", ") if worth(one) == scene.said[i].value] if before else []
        gone = scene.denied[i] or scene.any_does(i - 2, i, "remove")
        if own and gone and scene.does(i - 1, "owned", "deny", "remove") and "disk" in scene.at(i + 1).names("fact"):
            at.found.denied.append((disks, own[0], scene.quote(i - 1, i + 2)))
            scene.use(i - 2, i + 2)


def _take_back(at: Stretch) -> None:
    """`no data disks`, `forget the end date`, `any node`: a fact that is named to be denied, and no value of it."""
    scene = at.scene
    for mark in at.marks():
        facts = [name for name in mark.names("fact") if name in at.able.kinds and name not in at.able.counts]
        if scene.kind(scene.skip(mark.last, at.last, "to", "by", "link")) in QUANTITIES and scene.does(mark.last, "to", "by"):
            continue  # `cut the memory to 64`
        if not facts or not scene.free(mark.first, mark.last):
            continue
        lead = mark.first
        while lead > max(mark.first - 5, 0) and (
            scene.does(lead - 1, "owned", "article", "remove", "any", "deny") or scene.is_text(lead - 1, "which", "what")
        ):
            lead -= 1
        while lead < mark.first and not scene.does(lead, "remove", "any", "deny"):
            lead += 1
        behind = scene.denied[mark.first] and scene.any_does(mark.last, min(mark.last + 4, at.last), "denied_after")
        value = scene.skip(mark.last, at.last, "link", texts=(":", "="))
        behind = behind or (scene.is_text(mark.last, ":", "=") and scene.does(value, "any") and scene.breaks(value + 1, "join"))
        if lead < mark.first or behind:
            at.found.denied += [(name, "", scene.quote(lead, mark.last)) for name in facts]
            scene.use(mark.first, mark.last)
