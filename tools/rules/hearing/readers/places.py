"""Reads networks and nodes: what stands after the word, or looks like one of their names."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch, names_something
from tools.rules.hearing.wording import Span, find, negated
from tools.values.wanted import Wanted

_TOLD = r"(?:\s*(?:number|no\.|id|called|named|name|is|to|=|:|#)(?![a-z]))*\s*#?"
_TOKEN = re.compile(_TOLD + r"([a-z0-9][a-z0-9_.-]{0,62})")
_QUOTED = re.compile(_TOLD + r"[\"“'`]([a-z0-9][a-z0-9 _.-]{0,62})[\"”'`]")
_NUMBER_FIRST = re.compile(r"(?<![a-z0-9.-])(\d{1,4})(?:\s+numarali|号)?\s*$")
_BRIDGE = re.compile(r"(?<![a-z0-9_-])(?:(vmbr\d{1,4}|v?net\d{1,4})|vlan[-_]?(\d{1,4}))(?![a-z0-9_-]|\.\d)")
_NAMED_BEFORE = re.compile(r"(?<![a-z])(?:on|in|to|use|into)\s+(?:the|our)\s+([a-z][a-z0-9_-]{1,30})\s$")
_NO_NAME = frozenset("same right other whole new old next local public private internal external existing current".split())  # noqa: SIM905
_MACHINE_NAME = re.compile(
    r"(?<![a-z0-9_-])(?:on|onto|to|use|at|prefer|pick|choose|try)\s+[\"“'`]?([a-z][a-z-]{0,40}\d{1,4})(?![a-z0-9_-]|\.\d)"
)
_NO_MACHINE = re.compile(
    r"(?:debian|ubuntu|rhel|windows|win|rocky|alma(?:linux)?|centos|fedora|opensuse|alpine|freebsd|python|java|php|ipv|ext"
    r"|raid|port|postgres(?:ql)?|mysql|utf-?|sha-?|v|version)-?\d+"
)
"""What has a number and is no machine: `use python3`, `on ubuntu22`."""
_NO_TOKEN = frozenset(
    """than except excluding like near per each via through over under about because since while after before during between whose
    within without else either or too also just still later today now yet first again fine irrelevant best free full overloaded
    busy better good great whatever whichever optional enough available unimportant possible up down does doesn't doesn did do needs
    need matters matter other others another anything anywhere something somewhere unknown open undecided tbd required necessary
    we'll it's that's there's works goes comes was were would could might shall may""".split()  # noqa: SIM905
)
"""What never is the name of a network or a node."""
_KIND = frozenset(
    """monitoring management access traffic drive drives share shares storage boot service services equipment team teams analysis
    security scanner attached connection connections connectivity printer printers switch switches device devices administrator
    admin admins engineer engineers operations operator performance latency bandwidth throughput adapter adapters protocol policy
    policies segment segmentation isolation rule rules firewall gateway settings setting configuration config topology tool tools
    inventory automation infrastructure controller appliance appliances server user users exporter exporters pool pools port ports
    app apps application applications js red agent agents cluster clusters failure failures maintenance affinity selector group
    groups type types count size sizes project website packages package modules module version""".split()  # noqa: SIM905
)
"""What is of a network or a node: a name only when it stands where one does, as in `on network storage`."""
_DOING = re.compile(r"(?!staging|testing)[a-z_.-]*ing")
_NO_CERTAIN = re.compile(
    r"(?<![a-z])(?:any|another|other|others|every|each|same|some|which|whichever|what|whatever|no|one|single|different|either|all"
    r"|random|spare|free|suitable)\s+$"
)
_FOR = re.compile(r"(?<![a-z])(?:for|about|install|a|an)\s+(?:the\s+|an?\s+|our\s+)?$")
_TO_HOST = re.compile(r"(?:^|[.!?\n]|(?<![a-z])(?:to|will|can|should|must|would|that|which|could|may|we|i|and|please|it))\s*$")
_STANDS_THERE = re.compile(r"(?<![a-z])(?:on|onto|in|into|to|use|using|at|prefer|pick|choose|try|join|joins)\s+(?:the\s+|our\s+)?$")
_REACH = 40


def read_networks(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"network", "vlan", *one.words}, stretch.free):
        match = _token_at(stretch, word)
        before = _NUMBER_FIRST.search(stretch.free[max(0, word.start - 20) : word.start])
        named = _NAMED_BEFORE.search(stretch.free[max(0, word.start - 60) : word.start])
        if match and not negated(stretch.folded, word):
            _say_token(stretch, one, word.start, Span(*match.span(1)))
        elif before and not negated(stretch.folded, word):
            start = max(0, word.start - 20) + before.start(1)
            stretch.say(one.name, before[1], Span(start, word.end))
            stretch.take(Span(start, word.end))
        elif named and named[1] not in _NO_NAME and not negated(stretch.folded, word):
            start = max(0, word.start - 60) + named.start(1)
            stretch.say(one.name, stretch.text[start : start + len(named[1])], Span(start, word.end))
            stretch.take(Span(start, word.end))
    for match in _BRIDGE.finditer(stretch.free):
        if not negated(stretch.folded, Span(*match.span())):
            _say_token(stretch, one, match.start(), Span(*match.span(1 if match[1] else 2)))


def read_nodes(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    one = wanted[0]
    for word in find({"node", *one.words}, stretch.free):
        match = _token_at(stretch, word)
        if match and not match[1].isdigit() and not negated(stretch.folded, word):
            _say_token(stretch, one, word.start, Span(*match.span(1)))
    for match in _MACHINE_NAME.finditer(stretch.free):
        if not negated(stretch.folded, Span(*match.span(1))) and not _NO_MACHINE.fullmatch(match[1]):
            _say_token(stretch, one, match.start(1), Span(*match.span(1)))


def _token_at(stretch: Stretch, word: Span) -> re.Match[str] | None:
    """The name after `network` or `node`, no ordinary word: `node exporter`, `any node is fine`, `to host GitLab`."""
    quoted = _QUOTED.match(stretch.free, word.end)
    if quoted:
        return quoted
    match = _TOKEN.match(stretch.free, word.end)
    if match is None or not names_something(match[1]):
        return None
    token = match[1].rstrip(".")
    before = stretch.folded[max(0, word.start - _REACH) : word.start]
    label = stretch.free[word.end : match.start(1)].strip()
    if token in _NO_TOKEN or (_NO_CERTAIN.search(before) and not any(c.isdigit() for c in token)):
        return None
    if any(c.isdigit() or c in "-_" for c in token) or label in (":", "=", "called", "named"):
        return match
    there = stretch.folded[word.start : word.end].startswith("on ") or _STANDS_THERE.search(before)
    is_verb = stretch.folded[word.start : word.end] in ("host", "hosts") and _TO_HOST.search(before)
    if is_verb or (not there and (_FOR.search(before) or token in _KIND or _DOING.fullmatch(token))):
        return None
    return match


def _say_token(stretch: Stretch, one: Wanted, start: int, token: Span) -> None:
    end = token.end
    while stretch.text[end - 1] in ".-_" and end > token.start + 1:
        end -= 1
    stretch.say(one.name, stretch.text[token.start : end], Span(start, end))
    stretch.take(Span(start, end))
