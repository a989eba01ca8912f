"""What an amount says of the fact that its label names: as it stands, more or less of what there is, or in doubt which of two is meant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tools.rules.hearing.assignment.scaling import so_far, worth
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import MACHINE_SIZES, Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import (
    AMOUNTS,
    GIB,
    SIZES,
    Amount,
    Match,
    plain,
)
from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.words.able import spoken
from tools.rules.hearing.words.meanings import same
from tools.values.request import Doubt, Edit, Reading

TIMES_MAX = 24
"""Disks of one size."""

ORDER = {"size": SIZES, "number": ("count", "memory", "disk", "disks", "money"), "money": ("money",)}
"""Of facts that share a word, the kind that an amount is rather of."""


class Amounts:
    def __init__(self, message: Message, thing: Thing, at: Stretch) -> None:
        self.message, self.thing, self.at = message, thing, at
        self.scene, self.kinds = at.scene, at.able.kinds

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
        sign = 0 if was is None else self._sign(match, counts)
        if was is None or not sign:
            return fact, value
        amount = match.amount.worth * (GIB if is_size and match.amount.kind == "number" else 1)
        total = max(was + sign * amount, 0)
        return changed, f"{plain(total / GIB)} GB" if is_size else plain(total)

    def _sign(self, match: Match, counts: bool) -> int:
        """Of `4 GB more`, `by 2 GB`: 1; of `4 GB less`, `reduce it by 4 GB`: -1; else 0. Fewer machines are heard in
        tools.rules.hearing.edits.clauses."""
        scene = self.scene
        if scene.find(match.first, match.amount.first, ",", ":") is not None:
            return 0  # `more memory please, 8`
        lowers = any(scene.is_listed(i, "lowering") for i in range(scene.sentence(match.first)[0], match.last + 1))
        by = scene.does(match.amount.first - 1, "by") or scene.does(match.first - 1, "by")
        if lowers or scene.any_does(match.first - 1, match.last + 1, "less"):
            told = by or scene.any_does(match.first - 1, match.last + 1, "less")
            return -1 if told and not counts else 0
        more = by or scene.does(match.first - 1, "adds") or scene.any_does(match.first - 1, match.last + 1, "more")
        return int(more or self._has_plus(match))

    def _has_plus(self, match: Match) -> bool:
        """`memory +4 GB`, `+4 GB memory`; not `2 cores +4GB`."""
        scene, plus = self.scene, match.amount.first - 1
        is_glued = scene.is_text(plus, "+") and scene.token(plus).end == scene.token(plus + 1).start
        return is_glued and (plus > match.first or scene.breaks(plus - 1, "join"))

    def _give(self, fact: str, *several: Amount, begin: int | None = None) -> None:
        if several[0].instead:
            self._either(fact, several[0])
            return
        quote = self.scene.quote(several[0].first if begin is None else begin, several[-1].last)
        self.at.found.say(fact, ", ".join(plain(a.worth) if a.kind == "number" else a.text for a in several), quote)
        for one in several:
            self.scene.use(one.first, one.last)
