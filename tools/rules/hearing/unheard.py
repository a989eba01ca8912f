"""What of a message was used for nothing: told to the operator, so that no wish is dropped without a word. It judges words, not
meanings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tools.rules.hearing.hear import TEXT_LENGTH_MAX
from tools.rules.hearing.wording import Span, find, mask
from tools.rules.names.text import fold
from tools.values.request import Request
from tools.values.wanted import Listed

PHRASES_MAX = 6
PHRASE_LENGTH_MAX = 80
FILLING = frozenset(
    """a about actually all also an and another any are around as at be both but by can could create database deploy do each either every
    exactly for from get give gives go goes have he hello hey hi host how i i'd i'll i'm if in instead into is it it's its just kind let
    let's like ll lot machine machines make making may me might must my need needed needs new now of off ok okay on once one only or order
    our out over per please plus provision put roughly run running runs same say server servers service services set shall she should size
    sized so some something spin start system than thank thanks that that's the their them then there these they this those time to up us
    use used uses using vm vms want wants was we we'd we'll well were what when which while who will with work works would yes you your
    bump change changed decrease grow increase lower move raise reduce scale shrink switch upgrade
    bana bir bize bu da de icin ihtiyacim için ile istiyorum kur kurun lazim lutfen lütfen olsun ortaminda ortamında ortami ve var
    我 我们 我需要 需要 一个 请 的 在 用""".split()  # noqa: SIM905
)
"""Words that ask for nothing by themselves."""
SECRETS = frozenset(("password", "passwd", "passphrase", "secret", "token", "key", "private", "-----begin"))
"""What stands beside these is not said again."""
DENYING = frozenset(("no", "not", "non", "never", "without", "except", "don't", "dont", "avoid"))
"""Nothing alone, but not to be cut off what they deny."""
_WORD = re.compile(r"[^\s,;!?()\"“”\0]+")
_CLAUSE_END = re.compile(r"[,;!?()\n\0]|\.(?:\s|$)")


def unheard(text: str, heard: Request, capabilities: Mapping[str, Listed]) -> tuple[str, ...]:
    """Phrases of the message that stand in no quote and name nothing that was heard, in the operator's own spelling."""
    text = text[:TEXT_LENGTH_MAX]
    asked = [capabilities[item.capability] for item in heard.items if item.capability in capabilities]
    free = fold(text)
    for span in _used(free, heard, asked):
        free = mask(free, span)
    known = {word for one in asked for words in _words_of(one) for word in fold(words).split()}
    phrases: list[str] = []
    for clause in _clauses(free):
        words = [word for word in _WORD.finditer(free, *clause) if word.group().strip(".:'-/*_`=") and not _is_filling(word.group())]
        telling = [word for word in words if _bare(word.group()) not in known | DENYING]
        if telling:
            secret = next((word.group() for word in words if _bare(word.group()) in SECRETS), "")
            phrase = secret or " ".join(text[words[0].start() : words[-1].end()].split()).rstrip(".:")
            phrases.append(phrase if len(phrase) <= PHRASE_LENGTH_MAX else phrase[:PHRASE_LENGTH_MAX] + " …")
    return tuple(dict.fromkeys(phrases))[:PHRASES_MAX]


def _words_of(one: Listed) -> Iterable[str]:
    yield from one.WORDS
    for wanted in one.WANTED:
        yield from wanted.words


def _used(folded: str, heard: Request, asked: Iterable[Listed]) -> Iterable[Span]:
    """Where quotes stand, each wherever it is repeated; and the words for what is asked for."""
    for item in heard.items:
        for fact in item.facts:
            body = r"\s+".join(re.escape(word) for word in fold(fact.quote).split())
            yield from (Span(*match.span()) for match in re.finditer(body, folded) if body)
    for one in asked:
        yield from find(one.WORDS, folded)


def _clauses(free: str) -> Iterable[Span]:
    start = 0
    for end in _CLAUSE_END.finditer(free):
        yield Span(start, end.start())
        start = end.end()
    yield Span(start, len(free))


def _bare(word: str) -> str:
    return word.strip(".:'-/*_`=")


def _is_filling(word: str) -> bool:
    return _bare(word) in FILLING
