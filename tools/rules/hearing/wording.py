"""Finds words in what was typed: whole, in any letter case, with a plural, in a few languages, and whether they were negated.

It knows nothing of capabilities; what the words are about belongs to tools.rules.hearing and tools.rules.readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from tools.rules.names.text import fold

ALIKE: dict[str, tuple[str, ...]] = {
    "database": ("veritabani*", "veri tabani*", "数据库"),
    "web server": ("web sunucu*", "网页服务器", "web 服务器"),
    "virtual machine": ("sanal makine*", "sanal sunucu*", "虚拟机"),
    "development environment": ("geliştirme ortami*", "gelistirme ortami*", "开发环境"),
    "dev environment": ("dev env",),
    "environment": ("ortam*", "环境"),
    "users": ("people", "kullanici*", "用户", "个用户"),
    "connections": ("bağlanti*", "baglanti*", "连接"),
    "cores": ("çekirdek*", "cekirdek*", "核心", "核"),
    "memory": ("bellek*", "belleğ*", "内存"),
    "disk": ("diski*", "diskl*", "磁盘", "硬盘"),
    "network": ("ağ", "aği", "ağda", "ağin", "ağinda", "ağina", "网络"),
    "node": ("düğüm*", "dugum*", "节点"),
    "production": ("üretim*", "uretim*", "canli*", "生产", "生产环境"),
    "development": ("geliştirme*", "gelistirme*", "开发"),
    "yes": ("evet", "是", "是的", "对"),
    "no": ("hayir", "不", "不是", "否"),
}
"""Words that mean the same as those capabilities declare, most in other languages; a star stands for any ending.

Folded, which keeps ç, ğ, ö, ş and ü: what is typed with and without them is listed both ways."""

# `4-core` and `4cores` are said of cores, but `db-01` is a name.
_BEFORE = r"(?<![a-z_])(?<![a-z][-.@])(?<!\d[.@])"
_AFTER = r"(?![a-z0-9_]|[.@][a-z0-9]|-\d)"
# What a negation may have between itself and what it denies: `don't put it on pve1`, `not to be made on the node pve1`.
_DENIED_VERB = (
    r"(?:(?:think|believe) (?:we|i|you)\s+)?(?:(?:have|want|need|like|plan|going)\s+to\s+|to\s+)?(?:be\s+)?"
    r"(?:(?:put|placed?|made?|make|created?|run|running|used?|using|want|need|have|host(?:ed)?|deploy(?:ed)?|buil[dt]"
    r"|provision(?:ed)?|set up|install(?:ed)?|add|include|give|moved?|pick|choose|take|keep|kept|start(?:ed)?|plan|be|like|order"
    r"|ask for|go|require|let)"
    r"\s+)?"
)
_DENIED_LEAD = (
    r"(?:(?:me|us|it|them|this|that|these|those|a|an|any|the|our|my|on|onto|in|at|to|into|with|for|necessarily|ever|anymore)"
    r"\s+){0,4}"
)
_NEGATED_BEFORE = re.compile(
    r"(?:\b(?:no|not|non|without|never|except|avoid|avoiding|instead of|rather than|other than|different from|apart from"
    r"|(?:any|every)(?:where|thing| ?one| node| host| network| server)? but|neither|nor|excluding|drop|remove|delete|cancel"
    r"|get rid of|no longer|değil"
    # `don't forget the web server` asks for it.
    r"|(?<!n't )(?<!not )(?<!dont )(?<!never )\b(?:forget|skip|leave out))"
    r"|n't|\bdont|没有|不要|不需要|不用|不是|不)"
    rf"[\s-]*{_DENIED_VERB}{_DENIED_LEAD}"
    # `not on pve1 or on pve2`, `no web server or database`.
    rf"(?:[\w.]{{1,30}}(?:[ -][\w.]{{1,30}})?\s+n?or\s+{_DENIED_LEAD})?$"
)
_NEGATED_AFTER = re.compile(r"(?:'\w+)?\s+(?:yok|olmasin|istemiyorum|gerekmiyor|değil|degil|is not|isn't|are not|aren't|not needed)")
_RELATIVE_BEFORE = re.compile(r"\b(?:by|another|extra|additional|further|add)\s+$")
_RELATIVE_AFTER = re.compile(r"\s+(?:more|additional|extra|further)\b")
_REACH = 60


FOUND_MAX = 100
"""Of one kind in one message; what a flood of words says beyond that is nobody's request."""


class Span(NamedTuple):
    start: int
    end: int


def find(words: Iterable[str], folded: str) -> Iterator[Span]:
    """Where any of the words stands, the longest at each place, from left to right."""
    pattern = _pattern(tuple(words))
    if pattern is not None:
        for match in islice(pattern.finditer(folded), FOUND_MAX):
            yield Span(*match.span())


def has(words: Iterable[str], folded: str) -> bool:
    return next(find(words, folded), None) is not None


def negated(folded: str, span: Span) -> bool:
    """`no GPU`, `not 100`, `without a public IP`, `GPU yok`."""
    before = folded[max(0, span.start - _REACH) : span.start]
    return bool(_NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(folded[span.end : span.end + _REACH]))


def relative(folded: str, span: Span) -> bool:
    """`two more`, `by 4 GB`: how much is added, not how much there is to be."""
    before = folded[max(0, span.start - _REACH) : span.start]
    return bool(_RELATIVE_BEFORE.search(before) or _RELATIVE_AFTER.match(folded[span.end : span.end + _REACH]))


def mask(folded: str, span: Span) -> str:
    """The text with this part taken: nothing is found there again, and every other place stays as it was."""
    return folded[: span.start] + "\0" * (span.end - span.start) + folded[span.end :]


def said(quote: str, typed: str) -> Span | None:
    """Where the quote stands in a typed text, up to letter case and blanks, and not inside a longer word or number."""
    words = fold(quote).split()
    if not words:
        return None
    body = r"\s+".join(re.escape(word) for word in words)
    left = r"(?<![a-z0-9_])(?<!\d[.,])(?<![-]\d)" if words[0][0].isalnum() else ""
    left += r"(?<!-)" if words[0][0].isdigit() else ""
    right = r"(?![a-z0-9_]|[.,]\d)" if words[-1][-1].isalnum() else ""
    folded = fold(typed)
    spans = [Span(*match.span()) for match in re.finditer(left + body + right, folded)]
    return next((span for span in spans if not negated(folded, span)), None)


@lru_cache(maxsize=1024)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    alike = {fold(word) for word in words} | {other for word in words for other in ALIKE.get(word, ())}
    if not alike:
        return None
    bodies = "|".join(_body(word) for word in sorted(alike, key=lambda word: (-len(word), word)))
    return re.compile(f"(?:{bodies})")


def _body(word: str) -> str:
    """Chinese words have no blanks around them, so only Latin letters must not go on."""
    parts = [re.escape(part) for part in re.split(r"[\s-]+", word.rstrip("*"))]
    if not word[0].isascii():
        return r"\s+".join(parts) + (r"[a-zçğöşü]{0,8}" if word.endswith("*") else "")
    ending = r"[a-zçğöşü]{0,8}" if word.endswith("*") else "(?:e?s)?" if word[-1].isalpha() else ""
    return _BEFORE + r"(?:\s+|-)".join(parts) + ending + _AFTER
