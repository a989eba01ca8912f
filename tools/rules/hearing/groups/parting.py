"""Which words of a message are about which thing. What becomes of each thing that is named is told in grouping."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from tools.rules.hearing.groups.grouping import GROUPS_MAX, Group, Grouping
from tools.rules.hearing.groups.head import ROLE_COUNT_MAX, Head, says_machine_size
from tools.rules.hearing.groups.heads import heads
from tools.rules.hearing.groups.roles import applications, new_places, titles
from tools.rules.hearing.groups.standing import value_of
from tools.rules.hearing.layout.pieces import SECTION
from tools.rules.hearing.lexicon import ENGLISH
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import QUANTITIES
from tools.rules.hearing.tokens.dates import is_day_word
from tools.rules.hearing.words.able import COUNT
from tools.rules.hearing.words.meanings import Mark
from tools.values.request import Request


def groups(scene: Scene, spans: Sequence[tuple[int, int, bool]], request: Request) -> tuple[list[Group], list[Group]]:
    """(things spoken of, things taken back). `spans` are stretches of prose by their tokens."""
    grouping = Grouping(scene, request, lines=frozenset(first for first, _, is_listed in spans if is_listed))
    _leave_options(scene, spans)
    listed = titles(scene, spans)
    named = [head for first, last, _ in spans for head in heads(scene, first, last, request, listed)]
    named += applications(scene, named)
    named += new_places(scene, named)
    named = _without_reports(scene, named)
    alone = sum(bool(head.names) for head in named) == 1 and any(not head.names and not head.label for head in named)
    for head in sorted(named, key=lambda one: (one.first, -one.last, not one.label))[:GROUPS_MAX]:
        if not (head.names and alone):  # `a new one: db-2, 4 cores` is called so
            grouping.take(head)
    found = grouping.found
    for one, after in itertools.pairwise(found):
        one.last = after.first = _under_heading(scene, one.head.last, _from_value(scene, one, after))
    if found:
        found[0].first, found[-1].last = 0, len(scene.said)
    for group in found:
        _stand_instead(scene, group)
    return [part for group in found for one in _one_by_one(scene, group) for part in _by_sizes(scene, one)], grouping.removed


def _leave_options(scene: Scene, spans: Sequence[tuple[int, int, bool]]) -> None:
    """`Option A: 4 cores`, `Option B: 8 cores`, of which one is meant: the one that is named again; of the least and what is recommended
    the latter."""
    begins = [i for first, last, _ in spans for i in range(first, last) if scene.stops(i - 1) and scene.is_listed(i, "alternatives")]
    options = [i for i in begins if scene.is_text(i + 2, ":")]
    again = {scene.token(i + 1).text for i in range(len(scene.said)) if i not in begins and scene.is_listed(i, "alternatives")}
    for i in options if len(options) > 1 else ():
        if scene.token(i + 1).text not in again:
            scene.leave(*scene.sentence(i))
    titled = [(i, scene.find(i, scene.sentence(i)[1], ":") or i) for i in range(len(scene.said)) if scene.stops(i - 1)]
    least = [i for i, end in titled if scene.any_listed(i, end, "least")]
    for i in least if any(scene.any_listed(i, end, "preferred") for i, end in titled) else ():
        scene.leave(*scene.sentence(i))  # `Minimum: 2 cores`, `Recommended: 4 cores`


def _stand_instead(scene: Scene, group: Group) -> None:
    """`PostgreSQL with 2 replicas`, `web servers behind a load balancer` is the service that has them; `two databases with 2 replicas each`
    are two of it."""
    for name, telling in scene.words.instead.get(group.capability, {}).items() if group.new else ():
        for mark in scene.marks_in(group.first, group.last):
            number = scene.token(mark.first - 1)
            several = group.count if group.count and group.count > 1 else 0
            fact = next(iter(telling.keys() & {*mark.facts(name)}), "")
            one = scene.is_listed(mark.first - 1, "single") or (number.kind == "number" and number.value == 1)
            alone = one and scene.does(mark.first - 2, "with")  # `with a replica`
            counted = bool(fact) and (number.kind == "number" or alone) and scene.is_left(mark.first - 1)
            counted = counted and (scene.does(mark.last, "each") if several else number.value > 1 or alone)
            wished = next((one for one in mark.names("wish") if telling.get(one) == "wish" and _is_new(scene, mark)), "")
            if (wished or counted) and not scene.denied[mark.first] and _is_said_of(scene, group.head, mark):
                group.head, group.meant_by = replace(group.head, capability=name), wished
                group.beside = (fact, mark.first - 1, mark.last) if counted and alone else None
                if several and not wished:
                    group.count, group.times = None, several
                return


def _is_said_of(scene: Scene, head: Head, mark: Mark) -> bool:
    """Of this thing, and of no other: `3 web servers; a load balancer exists`, `postgres for the web app with 4 replicas`, `2 web servers,
    we add a load balancer next year`."""
    first, last = (head.last, mark.first) if mark.first >= head.last else (mark.last, head.first)
    comma = max((i for i in range(first, last) if scene.is_text(i, ",")), default=last)
    asks = any(
        scene.does(i, "ask_for", "change") and not scene.does(i, "with", "polite") for i in range(comma, last) if not _joins(scene, i + 1)
    )
    others = any(first <= one.first < last and not one.names("body") for one in scene.mentions)
    return not asks and not others and scene.find(first, last, ".", ";", "!", "?") is None


def _joins(scene: Scene, number: int) -> bool:
    return scene.does(number, "with", "lean")


def _is_new(scene: Scene, mark: Mark) -> bool:
    """`a load balancer`, and not `the production load balancer`, `another team's load balancer` or `load balancer lb-1`."""
    i = mark.first - 1
    while scene.is_plain_word(i):
        if scene.token(i).text.endswith(("'s", "s'")):
            return False
        i -= 1
    return not scene.does(i, "owned") and scene.kind(mark.last) not in ("name", "quoted")


def _without_reports(scene: Scene, named: list[Head]) -> list[Head]:
    """`Our import peaks at 11 GB. Could we have a VM with 16 GB?`, `The group next door has a VM with 16 GB. We need one, too.`: what asks
    for nothing tells why, before the sentence that asks for a machine and says how large it is."""
    new = [head for head in named if head.intro == "new" and not head.names]
    sized = [head for head in new if says_machine_size(scene, head.last, scene.sentence(head.last)[1], fully=True)]
    asking = (begin for begin, end in (scene.sentence(head.start) for head in sized) if not _only_states(scene, begin, end))
    first, at = min(asking, default=0), 0
    while at < len(scene.said):
        end = scene.sentence(at)[1]
        states = _only_states(scene, at, end) and (at < first or _orders_behind(scene, end))
        asks = scene.any_does(at, end, "ask_for", "polite", "change", "copy") or any(at <= head.start < end for head in new)
        begins = bool(scene.facts(at))  # `Disk size is 200 GB.`
        opens = scene.find(at, min(at + 4, end), "(", ":")
        of_host = opens and (scene.is_listed(at, "no_role") or (scene.is_body(opens - 1) and not scene.has(at, opens, "number")))
        of_host = of_host and sum(one.body and one.start > end for one in named) > 1 and scene.has(at, end, "size")
        if of_host and not any(one.body and one.last < at for one in named):  # `Specs: 32 GB DDR4, 1 TB NVMe.` above a list of machines
            scene.leave(at, end)
            named = [head for head in named if not at <= head.start < end]
        reports = scene.is_text(end, ".") and scene.has(at, end, "size") and (states or (at < first and not asks)) and not begins
        if reports or ((at > first or not sized) and _is_of_others(scene, at, end, named)):
            scene.leave(at, end)
            named = [head for head in named if not at <= head.start < end]
        at = end + 1
    return named


def _is_of_others(scene: Scene, first: int, last: int, named: Sequence[Head]) -> bool:
    """`The hypervisors have 64 cores each`, `the live server has 8 cores and 64 GB; the staging VM should have …`: how large something is
    that is no machine, or that another one than the one asked for is told by."""
    verb = next((i for i in range(first, last) if scene.is_listed(i, "states", "being")), first)
    sized = scene.has(first, last, "size") or any("cpu_count" in mark.names("fact") for mark in scene.marks_in(first, last))
    if verb == first or not scene.does(first, "owned") or not sized or not _only_states(scene, first, last):
        return False
    if not any(scene.mention_at(i) or scene.is_body(i) or scene.facts(i) & scene.words.counting for i in range(first, verb)):
        return any(says_machine_size(scene, head.last, scene.sentence(head.last)[1]) for head in named if not first <= head.first < last)
    begin, end = scene.sentence(last + 1)
    return scene.any_does(begin, end, "half", "double", "another") and any(begin <= head.first < end for head in named)


def _orders_behind(scene: Scene, end: int) -> bool:
    """The next sentence asks for a machine, or says how large the one is that would do."""
    begin, end = scene.sentence(end + 1)
    asks = scene.any_does(begin, end, "ask_for", "polite", "prefer") or scene.is_listed(begin, "opening")
    asks = asks and not _only_states(scene, begin, end)
    return asks and says_machine_size(scene, begin, end, fully=True)


def _only_states(scene: Scene, first: int, last: int) -> bool:
    """`The group next door has a VM`, `the wiki runs on a box`: how it is, and nothing that is asked for."""
    states = {i for i in range(first, last) if scene.is_listed(i, "states") or (scene.does(first, "owned") and scene.is_listed(i, "being"))}
    return bool(states) and not any(scene.does(i, "ask_for", "polite", "change", "copy") for i in range(first, last) if i not in states)


def _from_value(scene: Scene, before: Group, group: Group) -> int:
    """Where the words about a thing begin that its value stands before, as that of the one before it does: `4 GB for the web server and
    8 GB for the database`."""
    first = value_of(scene, group.head)
    if first <= before.head.last or (group.of is None and value_of(scene, before.head) < 0):
        return group.first
    while first > before.head.last and not scene.does(first - 1, "join") and not scene.is_text(first - 1, ",", ";", "."):
        first -= 1
    return first


def _under_heading(scene: Scene, floor: int, first: int) -> int:
    """Where the words about a thing begin, when a heading of its own stands above it: `## Staging`."""
    i = first
    while i > floor and scene.is_text(i - 1, "\n", "-", "*"):
        i -= 1
    begin = scene.sentence(i - 1)[0] if i > floor else i
    heading = 0 < i - begin <= 5 and begin > floor and not scene.has(begin, i, "number", "size")
    titled = heading and (scene.is_text(begin, "#") or scene.is_text(begin - 1, "#") or scene.is_text(i - 1, ":"))
    return begin if titled else first


def _one_by_one(scene: Scene, group: Group) -> list[Group]:
    """`two databases, one for 100 users and one for 20 users` are two things, and `2 VMs for staging and 3 for production` two kinds."""
    others = [mark.first for name in ("another", "article") for mark in scene.marks_in(group.head.last, group.last, name)]
    ones = sorted(i for i in {*scene.of_kind(group.head.last, group.last, "number"), *others} if _counts_alone(scene, i))
    counts = [int(scene.said[i].value) or 1 for i in ones]
    if group.count is not None and len(ones) > 1 and sum(counts) == group.count:
        starts = [group.first, *ones[1:]]
    elif ones and (group.count is not None or group.head.role or _is_one_more(scene, group, ones[0])):
        starts, counts = [group.first, *ones], [group.count or 1, *counts]
    else:
        return [group]
    parts = []
    for n, (first, last, count) in enumerate(zip(starts, [*starts[1:], group.last], counts, strict=True)):
        counted = (group.counted if n == 0 else (first, first + 1)) if count != 1 else (0, 0)
        label = group.label if n == 0 else ""
        head = replace(group.head, again=group.head.again or n > 0)
        parts.append(
            replace(
                group,
                head=head,
                first=first,
                last=last,
                count=count,
                counted=counted,
                new=group.new or n > 0,
                label=label,
                again_from=ones[0] if n else 0,
            )
        )
    for i in ones:
        scene.settle(i, i + 1)
    return parts


def _is_one_more(scene: Scene, group: Group, number: int) -> bool:
    """`a web server with 2 cores and one with 4`."""
    alone = scene.said[number].value <= 1 and scene.does(number - 1, "join")
    return group.new and alone and (scene.has(group.head.last, number, *QUANTITIES) or _is_elsewhere(scene, group, number))


def _is_elsewhere(scene: Scene, group: Group, number: int) -> bool:
    """`a web server for production and one for staging`."""
    before, after = (
        {value for mark in scene.marks_in(*span, SECTION) for value in mark.choices(SECTION)}
        for span in ((group.head.last, number), (number, group.last))
    )
    return bool(before) and bool(after) and before.isdisjoint(after)


def _by_sizes(scene: Scene, group: Group) -> list[Group]:
    """`two vms: zebra with 2 cores 4 GB, okapi with 8 cores 16 GB`: whose sizes are said several times over are as many things."""
    if group.kinds:
        return [group]  # each kind has sizes of its own
    labels = [mark for mark in scene.labels_in(group.first, group.last, group.capability) if "cpu_count" in mark.facts(group.capability)]
    sizes = [mark.first - 1 for mark in labels if scene.kind(mark.first - 1) == "number" and scene.is_left(mark.first - 1)]
    sized = all(scene.has(a, b, "size") for a, b in itertools.pairwise([*sizes, group.last]))
    values = {scene.said[i].value for i in sizes}
    if len(sizes) < 2 or not sized or (len(values) < 2 and group.count != len(sizes)) or scene.corrects(sizes[0], sizes[-1]):
        return [group]
    if sizes[0] < group.head.first < sizes[-1] and not any(mark.first > sizes[-1] for mark in scene.mentions):
        return [group]  # `replaces a box with 24 cores: a VM with 12 cores`
    starts = [group.first, *(_opening(scene, i, group.first) for i in sizes[1:])]
    stretches = list(itertools.pairwise([*starts, group.last]))
    names = [_bare_name(scene, max(first, _opening(scene, i, first))) for (first, _), i in zip(stretches, sizes, strict=True)]
    own = [_own_count(scene, first, last) for first, last in stretches]
    counts = own if any(own[1:]) else [1 if group.count == len(sizes) else one for one in (group.count, *own[1:])]
    return [
        replace(
            group,
            first=first,
            last=last,
            count=counts[n],
            counted=(0, 0) if n or counts[n] == 1 else group.counted,
            new=group.new or n > 0,
            label="" if n else group.label,
            called=names[n] if all(names) else None,
        )
        for n, (first, last) in enumerate(stretches)
    ]


def _bare_name(scene: Scene, number: int) -> int | None:
    """The token, when it is the name of what the words behind it are about: `zebra with 2 cores`, `okapi (8 cores)`."""
    named = scene.kind(number) in ("name", "quoted") or scene.is_plain_word(number)
    return number if named and (scene.does(number + 1, "with") or scene.is_text(number + 1, "(", ":")) else None


def _own_count(scene: Scene, first: int, last: int) -> int | None:
    """`one large (8 cores)`, `and two machines with 8 cores`."""
    before = next((mark.first - 1 for mark in scene.mentions if first <= mark.first < last), first)
    if scene.kind(before) == "number" and scene.is_left(before) and not scene.facts(before + 1) & scene.words.counting - {COUNT}:
        scene.settle(before, before + 1)
        return int(scene.said[before].value)
    return 1 if scene.does(before, "article") else None


def _opening(scene: Scene, number: int, floor: int) -> int:
    """Where the words begin that a size stands among."""
    while number > floor and not scene.stops(number - 1) and not scene.is_text(number - 1, ",", ":") and not scene.does(number - 1, "join"):
        number -= 1
    before = number - 1
    while before > floor and scene.is_text(number - 1, ",") and not scene.stops(before - 1) and not scene.does(before - 1, "join"):
        before -= 1
    purpose = any(scene.does(i, "for") for i in range(before, number))  # `something small for Pi-hole, 1 core`
    sized = any(not scene.is_listed(i, "one_of") for i in scene.quantities(before, number))  # `a tiny one for Pi-hole, 1 core`
    return before if purpose and not sized and not scene.is_text(number - 1, ":") else number


def _counts_alone(scene: Scene, number: int) -> bool:
    """`one for …`, `and 3 with …`, `eine für …`: a number of things that are named no more."""
    token = scene.said[number]
    counts = token.kind == "number" and token.value == int(token.value) and 1 <= token.value <= ROLE_COUNT_MAX
    mark = scene.at(number)
    if not counts and not scene.does(number, "another", "article"):
        return False
    opens = scene.breaks(number - 1, "join", signs=(":", "("))
    after = scene.skip(max(mark.last, number + 1), len(scene.said), "only")
    named = not scene.words.alone.keys().isdisjoint(scene.at(after).names("choice"))  # `another one for Docker`
    goes_on = named or scene.does(after, "for", "with", "called") or scene.is_listed(after, "within")
    goes_on = goes_on or (
        (counts or scene.is_listed(number, "single"))
        and scene.words.language != ENGLISH
        and scene.is_listed(after, "of")
        and not is_day_word(scene.token(after + 1).text)
    )  # `dos de aplicación y uno de base de datos`
    return scene.is_left(number) and opens and goes_on
