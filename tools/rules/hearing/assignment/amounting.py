"""What numbers, sizes and sums say of one thing: as they stand, more or twice of what there is, or in doubt which of its facts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tools.rules.hearing.assignment.opening import changes_ports
from tools.rules.hearing.assignment.scaling import had, multiply, so_far, worth
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.things import MACHINE_SIZES, Message, Thing
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
    takes,
)
from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.words.able import spoken
from tools.rules.hearing.words.meanings import same
from tools.values.request import Doubt, Edit, Reading

DISK_FIRST_BYTES = 256 * GIB
"""A size that may be either is rather a disk when it is larger."""
TIMES_MAX = 24
"""Disks of one size."""
ORDER = {"size": SIZES, "number": ("count", "memory", "disk", "disks", "money"), "money": ("money",)}
"""Of facts that share a word, the kind that an amount is rather of."""


def say_amounts(message: Message, thing: Thing, at: Stretch) -> None:
    _add_one(message, thing, at)
    matches, rest = assign(at)
    multiply(message, thing, at)
    one = _Amounts(message, thing, at)
    one.say(matches, rest)
    one.settle(one.corrected(rest))


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
    _Amounts(message, thing, at).say(left)


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


class _Amounts:
    def __init__(self, message: Message, thing: Thing, at: Stretch) -> None:
        self.message, self.thing, self.at = message, thing, at
        self.scene, self.kinds = at.scene, at.able.kinds

    # What a label says.

    def say(self, matches: Sequence[Match], rest: Sequence[Amount] = ()) -> None:
        said: dict[str, list[Match]] = {}
        for match in matches:
            order = ORDER[match.amount.kind]
            facts = [name for name in match.facts if name not in said] or list(match.facts)
            if (
                set(facts) == {"count"}
                and self.thing.new
                and self.scene.in_brackets(match.first)
                and self.scene.any_does(match.first, match.last, "them")
            ):
                people = [name for i in range(max(match.first - 4, 0), match.first) for name in self.scene.at(i).facts(self.at.capability)]
                facts = [name for name in people if name in self.kinds and name not in self.at.able.counts][:1]  # `people (60 of them)`
            if set(facts) == {"count"} and self._is_of_others(match):
                facts = [one.name for one in self.at.able.wanted if one.of_others]
            if not facts:
                continue
            if self.kinds[facts[0]] == "disk" and self.at.able.named("disks") and (self._is_added(match.amount) or self._adds_disk(match)):
                facts = [self.at.able.named("disks")]
            fact = min(facts, key=lambda name: order.index(self.kinds[name]) if self.kinds[name] in order else len(AMOUNTS))
            if fact == "data_size" and self.kinds[fact] == "disk" and self._is_data_disk(match, matches, rest):
                fact = self.at.able.named("disks")
            said.setdefault(fact, []).append(match)
        for fact, several in said.items():
            self._say_fact(fact, several)
            for match in several:
                self.scene.use(*((match.first, match.last) if match.last - match.first < 8 else (match.amount.first, match.amount.last)))

    def _is_of_others(self, match: Match) -> bool:
        """`for 40 machines`, `for about 40 machines`."""
        lead = match.amount.first - 1
        lead -= self.scene.does(lead, "bound")
        return self.scene.does(lead, "for") and not self.scene.is_listed(lead, "behind")

    def _is_data_disk(self, data: Match, matches: Sequence[Match], rest: Sequence[Amount]) -> bool:
        """`300 GB for the data` beside a system disk is a disk of its own; `300 GB of data`, and what an application keeps, are not."""
        said = {fact for match in matches if match is not data for fact in match.facts} | self.thing.facts.keys()
        sizes = sum(one.kind == "size" for one in rest) - ("memory" not in said)
        lead = data.amount.first - 1
        if (
            not self.thing.new
            and self.message.before(self.thing, self.at.able.named("disk"))
            and self.scene.any_does(0, data.first, "adds")
        ):
            return "application" not in said  # `add a second disk of 500 GB for data`
        apart = self.scene.does(data.amount.last, "for") or self.scene.is_text(lead, "+") or self.scene.does(lead, "adds")
        return apart and "application" not in said and (self.at.able.named("disk") in said or sizes > 0)

    def _say_fact(self, fact: str, several: list[Match]) -> None:
        scene, found, kind = self.scene, self.at.found, self.kinds[fact]
        if (either := several[-1].amount).instead:
            self._either(fact, either)
            return
        last = next((one for one in reversed(several) if not self._is_quoted(one.amount)), several[-1])
        product = self._product(several) if kind == "count" else None
        if self._contradict(fact, several) or self._share_out(fact, last):
            return
        if product:
            found.say(fact, *product)
        elif kind == "disks" or (kind == "disk" and self.at.able.named("disks") and not self._repeats(several)):
            several.sort(key=lambda one: kind == "disk" and not self._is_of_system(one))
            times = [self._times(one) for one in several]
            if times[0][0] == len(several) and len({one.first for one in several}) == 1:
                times = [(1, times[0][1])] * len(several)  # `2 data disks: 100 GB, 200 GB`
            values = [value for one, (many, _) in zip(several, times, strict=True) for value in [self._spelled(one.amount, kind)] * many]
            whole = scene.quote(times[0][1], last.last)
            if kind == "disk" and len(values) > 1:  # the first of them is the system's
                found.say(fact, values[0], scene.quote(times[0][1], several[0].last))
                found.say(self.at.able.named("disks"), ", ".join(values[1:]), whole)
            elif kind == "disk":
                found.say(*self._changed(fact, values[0], last), whole)
            else:
                before = self.message.before(self.thing, fact) if any(self._adds_disk(one) for one in several) else None
                found.say(fact, ", ".join([*([before.value] if before else []), *values]), whole)
        else:
            found.say(*self._changed(fact, self._spelled(last.amount, kind), last), scene.quote(last.first, last.last))

    def _either(self, fact: str, amount: Amount) -> None:
        """`4 GB or 16 GB`: it is asked which."""
        quote = self.scene.quote(amount.first, amount.last)
        self._doubt([(fact, amount.instead, quote), (fact, amount.text, quote)])
        self.scene.use(amount.first, amount.last)

    def _spelled(self, amount: Amount, kind: str) -> str:
        if kind == "count":
            return plain(amount.worth)
        if amount.kind != "number" or kind == "money":
            return amount.text
        if amount.text.lower().endswith("m") and amount.worth >= 10**6:
            return f"{amount.text[:-1].strip()} MB"
        return f"{plain(amount.worth)} {'MB' if kind == 'memory' and amount.worth >= 256 else 'GB'}"

    def _is_quoted(self, amount: Amount) -> bool:
        """It stands in a mail that is answered: what is said now counts more."""
        start = self.scene.said[amount.first].start
        return self.scene.text[self.scene.text.rfind("\n", 0, start) + 1 : start].lstrip().startswith(">")

    def _is_added(self, amount: Amount) -> bool:
        """`100 GB + 500 GB data`: a disk beside the one before."""
        return self.scene.is_text(amount.first - 1, "+") and self.scene.kind(amount.first - 2) in ("size", "number")

    def _adds_disk(self, match: Match) -> bool:
        """`add their disk: 100 GB`, `add a 100 GB disk`, to a machine that is there; `add 50 GB of disk` makes the one larger."""
        scene = self.scene
        begin = match.first - 1 if scene.does(match.first - 1, "article", "owned") else match.first
        one = begin < match.first and scene.find(match.first, match.last, "space") is None
        adds = one and any(scene.does(i, "adds") for i in range(scene.clause(begin), begin))
        return not self.thing.new and (adds or any(scene.is_listed(i, "adding") for i in range(match.first, match.last)))

    def _is_of_system(self, match: Match) -> bool:
        """`2 TB of storage and a system disk of 50 GB`."""
        return any(self.scene.token(i).text.startswith(tuple(listed("system"))) for i in range(match.first, match.last))

    def _repeats(self, several: list[Match]) -> bool:
        """The same thing said again, or corrected: `200 connections, no, 300 connections`."""
        first, last = several[0].last, several[-1].last + 1
        return self.scene.corrects(first, last) or self.scene.any_does(first, last, "or", "to") or self._is_sum(several[-1])

    def _is_sum(self, match: Match) -> bool:
        """`12 cores together`, `total RAM 16 GB`."""
        return self.scene.any_does(match.first - 1, match.last + 2, "sum")

    def _contradict(self, fact: str, several: list[Match]) -> bool:
        """`4 cores and 8 cores`: two that cannot both be, and no word takes back the first; it is asked."""
        scene, kind = self.scene, self.kinds[fact]
        if len({one.amount.worth for one in several}) < 2 or kind not in ("count", "memory") or self._product(several):
            return False
        joined = all(b.first - a.last <= 2 and scene.any_does(a.last, b.first, "join") for a, b in pairwise(several))
        if self._repeats(several) or any(self._is_quoted(one.amount) for one in several) or not (joined or fact in MACHINE_SIZES):
            return False  # `5,000 users, 100 of them concurrent`
        self._doubt([(fact, self._spelled(one.amount, kind), scene.quote(one.first, one.last)) for one in several])
        return True

    def _share_out(self, fact: str, match: Match) -> bool:
        """`three VMs with 12 cores together`: it is asked whether each has that much, or its share."""
        if fact not in MACHINE_SIZES or not self._is_sum(match):
            return False
        count = self.message.before(self.thing, "count") if "count" not in self.thing.facts else self.thing.facts["count"]
        machines = worth(count.value) if count else None
        if not machines or machines < 2:
            return False
        quote, kind, amount = self.scene.quote(match.first, match.last), self.kinds[fact], match.amount
        is_size = kind != "count"
        whole = self._spelled(amount, kind)
        share = worth(whole) if is_size else amount.worth
        assert share is not None
        each = f"{plain(share / machines / GIB)} GB" if is_size else plain(share / machines)
        self._doubt([(fact, each, quote), (fact, whole, quote)])
        return True

    def _doubt(self, values: Sequence[tuple[str, str, str]]) -> None:
        """(fact, value, quote) of each reading."""
        label = self.thing.label
        readings = {
            (name, value): Reading(text=spoken(name, value), edits=(Edit(do="set", item=label, name=name, value=value, quote=quote),))
            for name, value, quote in values
        }
        about = tuple(dict.fromkeys(name for name, _, _ in values))
        self.thing.doubts.append(Doubt(item=label, quote=values[-1][-1], about=about, readings=tuple(readings.values())))

    def _times(self, match: Match) -> tuple[int, int]:
        """(how many of that size, the token where that begins): `two data disks of 300 GB`, `2 x 100 GB`."""
        scene, i = self.scene, min(match.first, match.amount.first) - 1
        while scene.is_text(i, "x", "×", "*"):
            i -= 1
        token = scene.token(i)
        if match.first < match.amount.first and scene.find(match.first, match.amount.first, ",", "("):
            return 1, match.first  # `two disks, one of 50 GB and one of 400 GB`
        if token.kind != "number" or scene.used[i] or not 2 <= token.value <= TIMES_MAX or "count" in scene.at(i + 1).names("fact"):
            return 1, match.first
        scene.use(i, i + 1)
        return int(token.value), i

    def _product(self, several: list[Match]) -> tuple[str, str] | None:
        """`50 users with 20 connections each` are a thousand."""
        scene, first, second = self.scene, several[0], several[-1]
        if len(several) != 2 or set(first.facts) & MACHINE_SIZES or self._label(first) == self._label(second):
            return None
        each = scene.any_does(first.last, second.first, "each") or scene.any_does(second.first, second.last + 3, "each")
        if not each and not scene.does(second.last, "per"):
            return None
        last = second.last + scene.does(second.last, "each")
        return plain(first.amount.worth * second.amount.worth), scene.quote(first.first, last)

    def _label(self, match: Match) -> set[str]:
        return {same(self.scene.said[i].text) for i in range(match.first, match.last) if self.scene.at(i).names("fact")}

    def _changed(self, fact: str, value: str, match: Match) -> tuple[str, str]:
        """(the fact, its value): `4 GB more` is what there is and four more; nothing else of it is known here."""
        counts, is_size = fact in self.at.able.counts, self.kinds[fact] in SIZES
        changed, was = self.message.counted(self.thing, fact) if counts else (fact, worth(so_far(self.message, self.thing, fact)))
        sign = self._sign(match, counts)
        if was is None or not sign:
            return fact, value
        amount = match.amount.worth * (GIB if is_size and match.amount.kind == "number" else 1)
        total = max(was + sign * amount, 0)
        return changed, f"{plain(total / GIB)} GB" if is_size else plain(total)

    def _sign(self, match: Match, counts: bool) -> int:
        """Of `4 GB more`, `by 2 GB`: 1; of `4 GB less`, `reduce it by 4 GB`: -1; else 0. Fewer machines are heard in
        tools.rules.hearing.edits.clauses."""
        scene = self.scene
        lowers = any(scene.is_listed(i, "lowering") for i in range(scene.sentence(match.first)[0], match.last + 1))
        by = scene.does(match.amount.first - 1, "by") or scene.does(match.first - 1, "by")
        if lowers or scene.any_does(match.first - 1, match.last + 1, "less"):
            told = by or scene.any_does(match.first - 1, match.last + 1, "less")
            return -1 if told and not counts else 0
        more = by or scene.does(match.first - 1, "adds") or scene.any_does(match.first - 1, match.last + 1, "more")
        return int(more)

    # What has no label.

    def corrected(self, rest: list[Amount]) -> list[Amount]:
        """`not 100, 200` and `200 instead of 100`: the amount that is refused says which fact is meant."""
        scene, item = self.scene, self.message.request.item(self.thing.label)
        refused = [scene.said[i] for i in scene.of_kind(self.at.first, self.at.last, "number", "size") if scene.denied[i]]
        if item is None or len(refused) != 1 or len(rest) != 1 or rest[0].kind != refused[0].kind:
            return rest
        facts = [fact for fact in (*item.facts, *self.message.request.shared) if worth(fact.value) == refused[0].value]
        if len(facts) != 1 or facts[0].name in self.thing.facts:
            return rest
        self._give(facts[0].name, rest[0])
        return []

    def _give(self, fact: str, *several: Amount, begin: int | None = None) -> None:
        if several[0].instead:
            self._either(fact, several[0])
            return
        quote = self.scene.quote(several[0].first if begin is None else begin, several[-1].last)
        self.at.found.say(fact, ", ".join(plain(a.worth) if a.kind == "number" else a.text for a in several), quote)
        for one in several:
            self.scene.use(one.first, one.last)

    def settle(self, rest: list[Amount]) -> None:
        scene, thing = self.scene, self.thing
        numbers, sums = ([one for one in rest if one.kind == kind] for kind in ("number", "money"))
        short = len(numbers) == 1 and len(scene.said) <= 6 and not thing.new and not thing.facts
        if short and "count" in self.kinds and (any(scene.does(i, "them") for i in range(len(scene.said))) or self._recounts(numbers[0])):
            self._give("count", numbers[0])  # `make it 3`, `three of them`
        for number in numbers:
            heard = self._mends(number) or changes_ports(self.message, self.thing, self.at, number)
            heard or self._goes_back(number) or (short and self._goes_on(number))
        monthly = [
            one for one in numbers if scene.is_listed(scene.skip(one.last, len(scene.said), "article", "per", texts=("/",)), "month")
        ]
        sums = sums or [one for one in monthly if self.at.able.named("money") and one.worth > 1]
        if sums and (budget := self.at.able.named("money")):
            self._give(budget, sums[-1])
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

    def _goes_on(self, number: Amount) -> bool:
        """`4 cores for the redis`, then `and the web server 2`: of the one fact that was last spoken of."""
        lately = [name for name in self.scene.lately if self.kinds.get(name) in ("count", "memory", "disk")]
        placed = self.scene.does(number.first - 1, "lean", "for", "with")  # `monitoring belongs in 30`
        if len(lately) != 1 or placed or self.thing.said == (0, 0) or not takes(self.kinds[lately[0]], number, labelled=True):
            return False
        quote = self.scene.quote(number.first, number.last)
        self.at.found.say(lately[0], self._spelled(number, self.kinds[lately[0]]), quote)
        self.scene.use(number.first, number.last)
        return True

    def _goes_back(self, number: Amount) -> bool:
        """`put the app VMs back on 8`: of the one fact that was so much before."""
        item, near = self.message.request.item(self.thing.label), (number.first - 1, number.last)
        if item is None or not any(self.scene.does(i, "settles") for i in near):
            return False
        names = [fact.name for fact in item.facts if fact.name in self.kinds and had(self.message, item.label, fact.name, number)]
        if len(names) == 1:
            self.at.say(names[0], self._spelled(number, self.kinds[names[0]]), number.first, number.last)
        return len(names) == 1

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

    def _recounts(self, number: Amount) -> bool:
        """`only two`, of several."""
        is_word = not number.text[0].isdigit() and self.scene.any_does(0, number.first, "only", "prefer", "mends")
        return is_word and (self.message.counted(self.thing, "count")[1] or 1) > 1

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
            if not told and any(scene.is_plain_word(i) for i in label):
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
