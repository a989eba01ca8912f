"""Days as people say them: `2027-02-15`, `1 May`, `15.02.2027`, `Friday`, `the end of March`, `in two weeks`. A day without a year is
the next one of its kind. The calendar's words are data of the languages."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import NamedTuple

from tools.rules.hearing.lexicon import language, numbered, others
from tools.rules.hearing.tokens import quantities
from tools.rules.names.text import fold


class Day(NamedTuple):
    """A day where it stands."""

    iso: str
    start: int
    end: int


MONTHS, WEEKDAYS, UNITS = numbered("months"), numbered("weekdays"), numbered("units")
DAYS_OF = (1, 7)
"""Days of the first two units; the third is the month."""
_COUNTS = {word: number for one in others() for word, number in language(one)["numbers"].items()}
_month, _weekday, _unit = ("|".join(sorted(words, key=len, reverse=True)) for words in (MONTHS, WEEKDAYS, UNITS))
_DAY = re.compile(
    r"(?<![\w./-])(?:"
    r"(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})[./](?P<m2>\d{1,2})[./](?P<y2>20\d\d|\d\d)"
    r"|(?:am|bis|zum|ab|vom|dem|den) (?P<d7>\d{1,2})\.(?P<m7>\d{1,2})\.(?!\d)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.|er)?(?:\s+(?:of|de))?\s*[ -]?(?P<m3>{_month})\.?(?:,?[\s-]+(?:de\s+)?(?P<y3>20\d\d))?"
    rf"|(?P<m4>{_month})\.?\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<y4>20\d\d))?"
    rf"|(?:(?:the )?end of|(?:bis )?ende|fin(?:al)?(?: de)?)\s+(?:the\s+)?"
    rf"(?P<end>{_month}|(?:next |this )?(?:month|week|year)|q[1-4])(?:\s+(?P<y5>20\d\d))?"
    rf"|(?:next |this |coming |on )*(?P<weekday>{_weekday})"
    rf"|(?:in|within|for) (?P<count>\d{{1,3}}|a|one|two|three|four|five|six|{'|'.join(_COUNTS)}) (?P<unit>{_unit})[a-zé]{{0,2}}"
    r"|(?P<word>today|tomorrow|next week|next month|next year)"
    rf"|(?P<m6>{_month})(?:\s+(?P<y6>20\d\d))"
    r")(?![\w/]|-\d)"
)

_BEGUN = re.compile(r"(?<![\w./-])(\d{1,2})\.?\s?(?:-|–|to|until|bis(?: zum)?|au|al?)\s?$")
"""`14 to` before `18 December`."""


def days(text: str, today: date) -> list[Day]:
    folded, found = fold(text), list[Day]()
    for match in _DAY.finditer(folded):
        said = match.groupdict("")
        if day := _day(said, today):
            if said["d3"] and (begun := _BEGUN.search(folded, 0, match.start())) and int(begun[1]) < day.day:
                found.append(Day(day.replace(day=int(begun[1]) or 1).isoformat(), begun.start(1), begun.end(1)))
            found.append(Day(day.isoformat(), *match.span()))
    return found


def _day(said: dict[str, str], today: date) -> date | None:
    try:
        if said["y"]:
            return date(int(said["y"]), int(said["m"]), int(said["d"]))
        if said["y2"]:
            year, month, day = int(said["y2"]) % 100 + 2000, int(said["m2"]), int(said["d2"])
            if month > 12:
                return date(year, day, month)
            said_day = date(year, month, day)  # unless it is past, and the other way round is ahead: `12/07/2026` in November
            return date(year, day, month) if day <= 12 and said_day < today <= date(year, day, month) else said_day
        if said["m7"]:
            return _next(today, "", int(said["m7"]), int(said["d7"]))
        for number in "346":
            if said[f"m{number}"]:
                return _next(today, said[f"y{number}"], MONTHS[said[f"m{number}"]] + 1, int(said.get(f"d{number}", 1)))
        if said["end"]:
            return _end(said["end"], said["y5"], today)
        if said["weekday"]:
            return today + timedelta(days=(WEEKDAYS[said["weekday"]] - today.weekday()) % 7 or 7)
        if said["count"]:
            count, unit = _COUNTS.get(said["count"]) or quantities.count(said["count"]) or 1, UNITS[said["unit"]]
            return _months_on(today, count) if unit == len(DAYS_OF) else today + timedelta(days=count * DAYS_OF[unit])
        ahead = {"today": 0, "tomorrow": 1, "next week": 7}.get(said["word"])
        return _months_on(today, 12 if said["word"] == "next year" else 1) if ahead is None else today + timedelta(days=ahead)
    except (ValueError, OverflowError):
        return None


def _next(today: date, year: str, month: int, day: int) -> date:
    found = date(int(year or today.year), month, day)
    return found if year or found >= today else date(today.year + 1, month, day)


def _end(what: str, year: str, today: date) -> date:
    if "week" in what:
        return today + timedelta(days=(6 - today.weekday()) + (7 if "next" in what else 0))
    if "year" in what:
        return date(today.year + ("next" in what), 12, 31)
    if "month" in what:
        later = _months_on(today, "next" in what)
        month, year = later.month, str(later.year)
    else:
        month = int(what[1]) * 3 if what[1:].isdecimal() else MONTHS[what] + 1
    its_year = int(year) if year else today.year + (month < today.month)
    return date(its_year, month, calendar.monthrange(its_year, month)[1])


def _months_on(today: date, count: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + count, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def is_day_word(text: str) -> bool:
    """The name of a month, of a day of the week, or of a span of days."""
    return text in MONTHS or text in WEEKDAYS or text in UNITS or text.rstrip("s") in UNITS
