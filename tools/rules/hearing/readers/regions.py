"""Reads regions of a cloud. Two of them in one message are both kept, so that somebody is asked which one is meant."""

from __future__ import annotations

from tools.rules.hearing.readers.stretch import Stretch
from tools.rules.hearing.wording import Span, find, negated
from tools.rules.names import regions as azure_regions
from tools.values.wanted import Wanted


def read_regions(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    """`not eastus but westus2` names one; `eastusss` is kept as it was typed, so that its problem can be told."""
    one = wanted[0]
    own = list(find(own_words, stretch.free))
    spans = [(name, Span(start, end)) for name, start, end in azure_regions.found(stretch.free)]
    kept = [(name, span) for name, span in spans if not negated(stretch.folded, span) and not _within(span, own)]
    if not kept:
        kept = [(word, Span(start, end)) for word, start, end in azure_regions.lookalikes(stretch.free)][:1]
    if not kept:
        return
    if len({name for name, _ in kept}) == 1:
        kept = kept[:1]
    whole = Span(kept[0][1].start, kept[-1][1].end)
    stretch.say(one.name, stretch.text[whole.start : whole.end], whole)
    for _, span in kept:
        stretch.take(span)


def _within(span: Span, others: list[Span]) -> bool:
    return any(o.start <= span.start and span.end <= o.end for o in others)
