"""Reads choices by the words that mean them, and yes or no by whether a word is negated."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch
from tools.rules.hearing.wording import Span, find, negated
from tools.values.wanted import Wanted

YES = ("yes", "yeah", "yep", "sure", "please do", "true")
NO = ("no", "nope", "none", "false", "not needed")


_BESIDE = re.compile(
    r"(?<![a-z])(?:behind|in front of|from|replac(?:e|es|ing)|migrat(?:e|es|ing)|our|your|their|his|old|existing"
    r"|next to|beside|like|unlike|sync(?:s|ed)? with|connect(?:s|ed|ing)? to|talks? to|reads? from|proxy(?:ing)? (?:to|for))"
    r"\s+(?:the\s+|an?\s+|our\s+)?$"
)
"""Before the name of a product that is there already, and not asked for: `a database to replace our MySQL`."""
_REACH = 40


_ORDINARY = {
    "live": re.compile(
        r"(?<![a-z])(?:will|would|to|must|should|can|could|may|might|shall|that|which|who|people|users|we|they|i|where|data)\s+$"
    ),
    "lives": re.compile(r"[a-z]\s+$"),
    "stage": re.compile(
        r"(?<![a-z])(?:early|earliest|earlier|first|second|third|next|later|last|latest|final|this|that|each|every|which|what|some"
        r"|planning|design|initial|current|any)\s+$"
    ),
}
"""Words for an environment that are others after these: `where the data will live`, `at this stage`."""
_ORDINARY_AFTER = {
    "live": re.compile(r"\s+(?:stream|migrat|video|chat|feed|data|view|update|score|event|there|here)"),
    "stage": re.compile(r"\s+of(?![a-z])"),
    "stages": re.compile(r"\s+of(?![a-z])"),
}


def _is_ordinary(folded: str, span: Span) -> bool:
    word = folded[span.start : span.end]
    before, after = _ORDINARY.get(word), _ORDINARY_AFTER.get(word)
    return bool((before and before.search(folded[max(0, span.start - _REACH) : span.start])) or (after and after.match(folded, span.end)))


def read_choices(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """A word that names the capability chooses nothing: a development environment is no statement about the environment."""
    own = list(find(own_words, stretch.free))
    for one in wanted:
        hits = [(span, value) for value, words in one.choices for span in find({value, *words}, stretch.free)]
        ours = own_choice(one, own_words)
        named = any(value == ours and not negated(stretch.folded, span) for span, value in hits)
        for span, value in sorted(hits):
            if ours and (named or _BESIDE.search(stretch.folded[max(0, span.start - _REACH) : span.start])):
                continue
            if _is_ordinary(stretch.folded, span):
                continue
            if not negated(stretch.folded, span) and not any(o.start <= span.start and span.end <= o.end for o in own):
                stretch.say(one.name, value, span)
                stretch.take(span)


def own_choice(one: Wanted, own_words: tuple[str, ...]) -> str:
    """The value that the capability itself is called by, such as PostgreSQL among the makes of databases; empty when it has none.
    Who says it has chosen: then another make in the same message is what it is moved from or stands beside."""
    return next((value for value, words in one.choices if set(words) & set(own_words)), "")


def read_yes_or_no(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    for one in wanted:
        for span in find(one.words, stretch.free):
            answer = re.compile(r"\s*[:=]\s*(yes|no|true|false)(?![a-z])").match(stretch.free, span.end)
            if answer:
                stretch.say(one.name, "yes" if answer[1] in YES else "no", Span(span.start, answer.end()))
            elif negated(stretch.folded, span):
                start = max(stretch.folded.rfind(c, 0, span.start) for c in ",;.\n") + 1
                lead = len(stretch.text[start : span.start]) - len(stretch.text[start : span.start].lstrip())
                end = _end_of_negation(stretch.folded, span)
                stretch.say(one.name, "no", Span(start + lead, end))
            else:
                stretch.say(one.name, "yes", span)


def _end_of_negation(folded: str, span: Span) -> int:
    after = re.compile(r"(?:'\w+)?\s+(?:yok|olmasin|istemiyorum|gerekmiyor|değil|degil|is not|isn't)").match(folded, span.end)
    return after.end() if after else span.end
