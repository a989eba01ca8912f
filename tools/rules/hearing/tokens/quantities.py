"""Reads numbers, sizes and sums of money out of words. What a number is about belongs to tools.rules.hearing.

Sizes are binary, whatever their unit is called: Proxmox counts memory and disks in GiB and people say GB, so `8 GB` is 8 GiB here.
Negative numbers and zero are returned as they were said, so that the rule that refuses them can name them. Numbers too large to
mean anything come back as the bound below. Every pattern is linear in the length of the text (possessive quantifiers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from tools.rules.names.text import fold
from tools.values.value import Value

NUMBER_MAX = 10**15
"""What any larger number is read as: beyond every limit, and still exact as a float."""
SIZE_BYTES_MAX = 2**70


class Money(Value):
    amount: float
    currency: str
    """ISO 4217, such as `USD`."""
    per: Literal["month", "year", "day", ""] = ""
    """Empty when no period was named."""

    @property
    def monthly(self) -> float:
        """A year is twelve months, a day is a month's thirtieth; a sum without a period is meant by the month, as budgets are."""
        return {"month": self.amount, "year": self.amount / 12, "day": self.amount * 30, "": self.amount}[self.per]


class Number(NamedTuple):
    """A number where it stands in a text."""

    value: float
    start: int
    end: int


class Size(NamedTuple):
    size_bytes: int
    start: int
    end: int


class Amount(NamedTuple):
    money: Money
    start: int
    end: int


_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: number for number, word in enumerate(_UNITS + _TEENS)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
_WORDS |= {"couple": 2, "pair of": 2, "half a dozen": 6}
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6, "hundred": 100, "dozen": 12}
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_CURRENCIES = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "₺": "TRY", "¥": "JPY"} | {
    "usd": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "bucks": "USD",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "gbp": "GBP",
    "pounds": "GBP",
    "try": "TRY",
    "tl": "TRY",
    "lira": "TRY",
    "chf": "CHF",
    "jpy": "JPY",
    "cny": "CNY",
}


def _where_it_stands(pattern: str) -> str:
    """Read wherever it stands, with no second try without it. What a possessive quantifier says, which Python 3.11.2 misreads."""
    return rf"(?:{pattern}|(?!{re.sub(r'[?]P<[a-z]+>', '?:', pattern)}))"


# A number does not begin inside a name, an address or a version (`build-01`, `10.0.0.5`, `v16`), nor end inside one.
# Of a range (`50-100 users`, `2 to 8 workers`, `between 2 and 8`) the upper end is what has to be carried.
_BEFORE = r"(?<![a-z0-9_.\-])(?<!\d,)(?<!\d/)"
_RANGE = r"\d{1,12}(?:-(?=\d{1,12}(?!\d*-))| (?:to|-) (?=\d))|between \d{1,12} and (?=\d)"
_LOW_END = re.compile(rf"{_BEFORE}(?=(?:between )?(?P<low>\d{{1,12}}))(?:{_RANGE})")
_BEGIN_ANY = rf"{_where_it_stands(_RANGE)}(?P<sign>-|minus +)?"
_BEGIN = rf"{_BEFORE}{_BEGIN_ANY}"
# `1 000` is grouped by blanks; any other group may be a number of its own: `network 20 100 users`.
_DIGITS = r"(?P<digits>[1-9]\d{0,2}(?: 000)+(?![\d.,]| 000)|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*)"
_UNIT_AFTER = _where_it_stands(rf"[ -](?P<unit>{'|'.join(_UNITS[1:10])})")
_ANY_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_SPELLED = rf"\b(?!one of\b)(?P<words>{_ANY_WORD}|a(?= (?:hundred|dozen|thousand|million)\b)){_UNIT_AFTER}(?![a-zà-ɏ])"
_SCALE = r"(?:(?: ?(?P<scale>k|mn?)|[ -](?P<scale_word>hundred|thousand|million|dozen))(?![a-z0-9à-ɏ]))?"
_NUMBER = re.compile(rf"{_BEGIN}(?:{_DIGITS}(?![-.,/]?\d)|{_SPELLED}){_SCALE}(?!(?:st|nd|rd|th|e\d)(?![a-zà-ɏ]))")

# `three thousand two hundred and fifty`: what is said after a scale is added to it.
_AND_MORE = re.compile(
    rf"(?: and)? (?P<words>{'|'.join(_UNITS[1:10] + _UNITS[10:] + _TEENS + _TENS)}){_UNIT_AFTER}"
    rf"{_where_it_stands(' (?P<scale>hundred)')}(?![a-z0-9-])"
)
# `from 4 GB to 8 GB` is one size, as `4 to 8 GB` is.
_SIZE_RANGE = _where_it_stands(r"\d{1,12}(?:\.\d{1,3})? ?(?:[kmgtp]i?b|gigs?|[gt]) ?(?:to|-) ?(?=\d)")
_SIZE = re.compile(
    rf"(?:{_BEFORE}|(?<=\dx)){_SIZE_RANGE}{_BEGIN_ANY}{_DIGITS}(?:[ -]?(?:(?P<unit>[kmgtp])(?:i?b(?:ytes?|s)?|i)"
    r"|(?P<name>kilo|mega|giga|tera|peta)(?:byte)?s?|(?P<gig>gigs?)|bytes?)|(?P<letter>[gt]))(?![a-z0-9à-ɏ])"
)

_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2} ?(?:[kmgt]i?[bo]|gig))")
"""`1,5 GB`, as most languages write it."""

_SUM = rf"{_DIGITS}(?: ?(?P<scale>k|mn?|thousand|million)(?![a-z0-9à-ɏ]))?"
_CODE = rf"(?P<code>{'|'.join(sorted((code for code in _CURRENCIES if code.isalpha()), key=len, reverse=True))}|[$€£₺¥])"
_PER = (
    r"(?: ?(?:/|per|a|an|each|every|-) ?(?P<period>month|mo|year|yr|day)(?![a-zà-ɏ])"
    r"| ?(?P<every>monthly|yearly|annually|daily)(?![a-zà-ɏ]))?"
)
_MONEY_SYMBOL_FIRST = re.compile(rf"(?P<sign>(?<![a-z0-9])-)?(?P<symbol>us\$|[$€£₺¥]) ?{_SUM}(?: ?(?:usd|eur|gbp|try))?{_PER}")
_MONEY_CODE_LAST = re.compile(rf"{_BEGIN}{_SUM} ?{_CODE}(?![a-zà-ɏ]){_PER}")


def count(text: str) -> int | None:
    """The first whole number said: `100`, `1,000`, `ten`, `a dozen`, `2k`. None when there is none, or it is not whole."""
    first = next(numbers(text), None)
    return int(first.value) if first is not None and first.value == int(first.value) else None


def low_end(text: str) -> int | None:
    """Of the first range said (`2-8`, `2 to 8`, `between 2 and 8`) the lower end; None when there is no range."""
    found = _LOW_END.search(fold(text))
    return int(found["low"]) if found else None


def size_bytes(text: str) -> int | None:
    """The first size said: `8 GB`, `8GiB`, `512 MB`, `5 TB`."""
    first = next(sizes(text), None)
    return first.size_bytes if first is not None else None


def money(text: str) -> Money | None:
    """The first sum of money said: `$8K/month`, `8,000 USD a month`, `€500`."""
    first = next(sums(text), None)
    return first.money if first is not None else None


def numbers(text: str) -> Iterator[Number]:
    """Every number that is no part of a name or an address; those of sizes and sums of money included."""
    folded, end = fold(text), 0
    for match in _NUMBER.finditer(folded):
        value = _value(match["digits"], grouped_by_dots=True) if match["digits"] else _spelled(match["words"], match["unit"])
        if value is not None and match.start() >= end:
            scale, end = _SCALES.get(match["scale"] or match["scale_word"] or "", 1), match.end()
            value *= scale
            # Hundreds after thousands, and what is less after hundreds; never the same scale twice.
            while scale in (100, 1000) and match["words"] and (more := _AND_MORE.match(folded, end)):
                step = 100 if more["scale"] else 1
                if step >= scale:
                    break
                value, scale, end = value + _spelled(more["words"], more["unit"]) * step, step, more.end()
            yield Number(_bounded(value, negative=bool(match["sign"])), match.start(), end)


def sizes(text: str) -> Iterator[Size]:
    for match in _SIZE.finditer(_DECIMAL_COMMA.sub(".", fold(text))):
        value = _value(match["digits"], grouped_by_dots=False)
        unit = match["unit"] or (match["name"] or match["letter"] or match["gig"] or "")[:1]
        if value is not None:
            yield Size(int(_bounded(value * _BYTES[unit], negative=bool(match["sign"]), bound=SIZE_BYTES_MAX)), *match.span())


def sums(text: str) -> Iterator[Amount]:
    folded = fold(text)
    matches = [*_MONEY_SYMBOL_FIRST.finditer(folded), *_MONEY_CODE_LAST.finditer(folded)]
    end = 0
    for match in sorted(matches, key=lambda m: m.start()):
        said = match.groupdict()
        value = _value(match["digits"], grouped_by_dots=True)
        if value is not None and match.start() >= end:
            amount = _bounded(value * _SCALES.get(match["scale"] or "", 1), negative=bool(match["sign"]))
            currency = _CURRENCIES[said.get("symbol") or said["code"]]
            yield Amount(Money(amount=amount, currency=currency, per=_period(match["period"] or match["every"])), *match.span())
            end = match.end()


def _period(word: str | None) -> Literal["month", "year", "day", ""]:
    periods: dict[str, Literal["month", "year", "day"]] = {"m": "month", "y": "year", "a": "year", "d": "day"}
    return periods.get((word or "")[:1], "")


def _value(digits: str, *, grouped_by_dots: bool) -> float | None:
    """`1.000` is a thousand where fractions of a thousandth make no sense: people and money. None for what is no number: `1.2.3`."""
    if digits.isdecimal() and len(digits) <= 15:
        return float(digits)
    plain = digits.replace(",", "").replace(" ", "")
    if grouped_by_dots and re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+", plain):
        plain = plain.replace(".", "")
    whole, _, fraction = plain.partition(".")
    if "." in fraction:
        return None
    return float(NUMBER_MAX) if len(whole.lstrip("0")) > 15 else float(f"{whole}.{fraction[:15] or 0}")


def _spelled(word: str, unit: str | None) -> float:
    """`a` before a scale is one; `twenty five` is a sum."""
    return float(_WORDS.get(word, 1) + _WORDS.get(unit or "", 0))


def _bounded(value: float, *, negative: bool, bound: float = NUMBER_MAX) -> float:
    return min(value, bound) * (-1 if negative else 1)
