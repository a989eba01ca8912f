"""What numbers, sizes and sums say of one thing: as they stand, more or twice of what there is, or in doubt which of its facts."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rules.hearing.assignment.amounts import Amounts
from tools.rules.hearing.assignment.figures import edits_of, is_terse, meant
from tools.rules.hearing.assignment.opening import changes_ports
from tools.rules.hearing.assignment.scaling import multiply, worth
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import (
    AMOUNTS,
    GIB,
    LIST_GAP_MAX,
    SIZES,
    Amount,
    Match,
    assign,
    by_order,
    is_usual_memory,
    plain,
)
from tools.rules.hearing.seen import QUANTITIES

DISK_FIRST_BYTES = 256 * GIB
"""A size that may be either is rather a disk when it is larger."""


def say_amounts(message: Message, thing: Thing, at: Stretch) -> None:
    _add_one(message, thing, at)
    matches, rest = assign(at)
    multiply(message, thing, at)
    one = _Unlabelled(message, thing, at)
    one.say(matches, rest)
    one.settle(one.replaced(rest))


def say_afar(message: Message, thing: Thing) -> None:
    """`Databricks and Azure OpenAI, 1-4 workers`: among the words about another thing, which wants no such fact."""
    at = message.stretch(thing)
    others = {
        name
        for other in message.things
        if other.capability != thing.capability
        for name in message.scene.words.able[other.capability].by_name
    }
    if not others or all(kind not in AMOUNTS or name in others or name in thing.facts for name, kind in at.able.kinds.items()):
        return
    matches, _ = assign(at)
    left = [match for match in matches if not set(match.facts) & (others | set(thing.facts))]
    Amounts(message, thing, at).say(left)


def _add_one(message: Message, thing: Thing, at: Stretch) -> None:
    """`one more worker`, `another worker`: to what was said; to anything else it is told as unused."""
    scene = at.scene
    for mark in at.marks("another"):
        name = message.counted_at(thing.capability, mark.last) if scene.is_left(mark.first) else ""
        (by, was), end = message.counted(thing, name) if name else ("", None), scene.at(mark.last).last
        if was is not None:
            at.say(by, plain(was + 1), mark.first, end)
        elif name and not thing.new:
            scene.leave(mark.first, end)


class _Unlabelled(Amounts):
    """Amounts that no label is near."""

    def settle(self, rest: list[Amount]) -> None:
        scene, thing = self.scene, self.thing
        numbers, sums = ([one for one in rest if one.kind == kind] for kind in ("number", "money"))
        short = len(numbers) == 1 and len(scene.said) <= 6 and not thing.new and not thing.facts
        if short and "count" in self.kinds and any(scene.does(i, "them") for i in range(len(scene.said))):
            self._give("count", numbers.pop())  # `make it 3`, `three of them`
        for number in numbers:
            self._mends(number) or changes_ports(self.message, self.thing, self.at, number) or self._refers(number)
        monthly = [
            one for one in numbers if scene.is_listed(scene.skip(one.last, len(scene.said), "article", "per", texts=("/",)), "month")
        ]
        sums = sums or [one for one in monthly if self.at.able.named("money") and one.worth > 1]
        if sums and (budget := self.at.able.named("money")):
            self._give(budget, sums[-1])
        volume = self.at.able.named("volume")
        held = [one for one in rest if scene.does(one.first - 1, "for") and scene.is_listed(one.last, "of") and one.kind == "size"]
        if volume and volume not in thing.facts and len(held) == 1:
            self._give(volume, held[0])  # `for 500 GB of home directories`
            rest = [one for one in rest if one is not held[0]]
        sizes = [one for one in rest if one.kind == "size" and not self._is_of_something_else(one) and not self._mends(one)]
        now = [one for one in sizes if not self._is_quoted(one)]
        sizes = now or sizes
        half = len(sizes) // 2
        if half > 1 and [one.worth for one in sizes[:half]] == [one.worth for one in sizes[half:]]:
            for size in sizes[half:]:  # half a message, said twice
                scene.settle(size.first, size.last)
            del sizes[half:]
        sizes = [size for size in sizes if not self._is_further(size)]
        usual = {kind: self.at.able.named(kind) for kind in SIZES}
        lacking = {kind: name for kind, name in usual.items() if name and name not in thing.facts}
        for size in [size for size in sizes if "volume" in lacking and not is_usual_memory(size.worth)][:1]:
            if any(m.first - size.last in (0, 1) and thing.capability in m.names("service") for m in scene.mentions):
                self._give(lacking.pop("volume"), size)  # `100 GB database`
                sizes.remove(size)
        if usual["memory"]:
            lacking.pop("volume", None)  # what is left beside a machine's sizes is told, and no size of data
        given, doubtful = by_order(sizes, lacking, self._behind_disk(sizes))
        for fact in dict.fromkeys(fact for fact, _ in given):
            several = [size for name, size in given if name == fact]
            begin = several[0].first
            if self.kinds[fact] == "disks":
                times = [self._times(Match(size, (fact,), size.first, size.last)) for size in several]
                several = [size for size, (many, _) in zip(several, times, strict=True) for _ in range(many)]
                begin = times[0][1]
            self._give(fact, *several, begin=begin)
            if len(given) == 1 and self.kinds[fact] != "disks" and fact in thing.facts:  # `8 GB more`
                match = Match(given[0][1], (fact,), given[0][1].first, given[0][1].last)
                self.at.found.say(*self._changed(fact, thing.facts[fact].value, match), thing.facts[fact].quote)
        for size in doubtful:
            quote = scene.quote(size.first, size.last)
            order = ("disk", "memory") if size.worth > DISK_FIRST_BYTES else ("memory", "disk")
            self._doubt([(lacking[kind], size.text, quote) for kind in order if kind in lacking])
            scene.use(size.first, size.last)

    def replaced(self, rest: list[Amount]) -> list[Amount]:
        """`not 100, 200` and `200 instead of 100`: the amount that is refused says which fact is meant."""
        return [] if len(rest) == 1 and self._refused() and self._refers(rest[0]) else rest

    def _refused(self) -> list[float]:
        return [self.scene.said[i].value for i in self.scene.of_kind(self.at.first, self.at.last, "number", "size") if self.scene.denied[i]]

    def _refers(self, amount: Amount) -> bool:
        """`and the web server 2`, `put the app VMs back on 8`, `2 cores and 8`: of what there is, by the best clue."""
        scene, item, refused = self.scene, self.message.request.item(self.thing.label), self._refused()
        placed = scene.does(amount.first - 1, "lean", "for") and not scene.does(amount.first - 1, "settles")  # `monitoring belongs in 30`
        in_words = not amount.text[0].isdecimal() and not any(mark.does("prefer", "mends", "only") for mark in scene.marks)
        if item is None or placed or in_words or not (refused or is_terse(scene)):
            return False
        found = meant(self.message, amount, [item], refused, self.thing.facts)
        edits, doubt = edits_of(found, scene.quote(amount.first, amount.last))
        for edit in edits:
            self.at.say(edit.name, edit.value, amount.first, amount.last)
        self.thing.doubts += [doubt] if doubt else []
        return bool(found)

    def _is_further(self, size: Amount) -> bool:
        """`and a third of 200 GB`, beside the disks that are there; `plus 500 GB for the shares`."""
        scene, disks = self.scene, self.at.able.named("disks")
        lead = scene.skip(max(size.first - 3, self.at.first), size.first, "article", "owned", "join")
        ordinal = any(scene.words.ordinals.get(scene.token(i).text, 0) > 0 for i in range(lead, size.first))
        before = self.message.before(self.thing, disks) if disks else None
        system = self.message.before(self.thing, self.at.able.named("disk"))
        serves = bool(disks and system) and scene.does(size.first - 1, "adds") and scene.does(size.last, "for")
        if self.thing.new or not ((ordinal and before) or serves):
            return False
        self.at.say(disks, ", ".join([*([before.value] if before else []), size.text]), lead, size.last)
        return True

    def _behind_disk(self, sizes: Sequence[Amount]) -> int:
        """The first of these that follows the system disk in a list: `disks: 32 GB for the system, 1 TB for dumps`."""
        disk = self.thing.facts.get("disk")
        start = self.scene.text.find(disk.quote) if disk else -1
        end = self.scene.tokens_between(start, start + len(disk.quote))[1] if disk and start >= 0 else len(self.scene.said)
        return next((n for n, size in enumerate(sizes) if 0 <= size.first - end <= LIST_GAP_MAX), len(sizes))

    def _mends(self, one: Amount) -> bool:
        """`Sorry, I meant 8 GB`, `3 servers, no wait, 4`: it stands for the nearest size, or the last number, before it."""
        scene = self.scene
        begin, end = scene.sentence(one.first)
        but = one.kind == "size" and scene.any_does(one.first - 4, one.first, "affirm") and len(scene.quantities(begin, end)) == 1
        if not but and not scene.any_does(one.first - 4, one.first, "mends"):
            return False
        start = scene.said[begin if but else one.first].start  # `this, but with 8 GB` below a form
        kinds = ("count",) if one.kind == "number" else ("memory", "disk")
        said = [fact for fact in self.thing.facts.values() if self.kinds.get(fact.name) in kinds]
        before = [fact for fact in said if 0 <= scene.text.find(fact.quote) < start]
        if before:
            apart = {fact.name: abs((worth(fact.value) or 0) - one.worth) if one.kind == "size" else 0 for fact in before}
            self._give(min(before, key=lambda fact: (apart[fact.name], -scene.text.find(fact.quote))).name, one)
        return bool(before)

    def _is_of_something_else(self, size: Amount) -> bool:
        """`8 GB of log files`, `10 GB network card`, `1 GB/s`: a size of what nobody asked about."""
        scene, after = self.scene, size.last
        begin, end = scene.sentence(size.first)
        if scene.kind(after) == "word" and len(scene.token(after).text) == 1 and scene.is_text(after + 1, ":"):
            return False  # `100 GB C:`
        opens = (
            next((i for i in reversed(range(begin, size.first)) if scene.is_text(i, "(")), begin)
            if scene.in_brackets(size.first)
            else begin
        )
        if opens > begin and "disk" in scene.at(opens - 1).names("fact"):
            return False  # `two disks (60 GB system, 300 GB index)`
        label = range(begin, size.first - 1)
        if label and scene.is_text(size.first - 1, ":") and not scene.has(after, end, *QUANTITIES):
            told = any(scene.at(i).has("fact", "choice") or scene.mention_at(i) for i in label)
            if not told and any(scene.is_plain_word(i) and not scene.used[i] for i in label):
                return True  # `Estimated traffic: 200 GB a month`
        if scene.is_text(after, "/") and scene.is_listed(after + 1, "seconds"):
            return True
        if scene.is_listed(after, "of") and scene.kind(after + 1) == "word":
            return not scene.at(after + 1).names("fact") and not scene.fills(after + 1)
        if scene.is_plain_word(after):
            return (
                not scene.mention_at(after)
                and not scene.is_listed(after, "system")
                and (scene.kind(after + 1) in ("", "mark") or scene.is_listed(after, "no_disk"))
            )
        return scene.is_listed(after, "no_disk") and scene.kind(after + 1) != "number"
