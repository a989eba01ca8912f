"""Days as people say them: `2027-02-15`, `1 May`, `15.02.2027`, `Friday`, `the end of March`, `in two weeks`. A day without a year is
the next one of its kind."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import NamedTuple

from tools.rules.names.text import fold


class Day(NamedTuple):
    """A day where it stands."""

    iso: str
    start: int
    end: int


MONTHS = {
    month: number
    for number, spellings in enumerate(
        (
            "january januar jan janvier enero ocak",
            "february februar feb février fevrier febrero şubat subat",
            "march märz maerz mar mars marzo mart",
            "april apr avril abril nisan",
            "may mai mayo mayis mayıs",
            "june juni jun juin junio haziran",
            "july juli jul juillet julio temmuz",
            "august aug août aout agosto ağustos agustos",
            "september sept sep septembre septiembre eylül eylul",
            "october oktober oct okt octobre octubre ekim",
            "november nov novembre noviembre kasim kasım",
            "december dezember dec dez décembre decembre diciembre aralik aralık",
        ),
        1,
    )
    for month in spellings.split()
}
WEEKDAYS = {
    day: number
    for number, spellings in enumerate(
        (
            "monday montag lundi lunes pazartesi",
            "tuesday dienstag mardi martes sali",
            "wednesday mittwoch mercredi miércoles miercoles çarşamba",
            "thursday donnerstag jeudi jueves perşembe",
            "friday freitag vendredi viernes cuma",
            "saturday samstag samedi sábado sabado cumartesi",
            "sunday sonntag dimanche domingo pazar",
        )
    )
    for day in spellings.split()
}
UNITS = {"day": 1, "tag": 1, "jour": 1, "día": 1, "gün": 1, "week": 7, "woche": 7, "semaine": 7, "semana": 7, "hafta": 7}
MONTH_WORDS = ("month", "monat", "mois", "mes", "ay")
_COUNTS = {
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "zwei": 2,
    "drei": 3,
    "deux": 2,
    "trois": 3,
    "dos": 2,
    "tres": 3,
}
_month = "|".join(sorted(MONTHS, key=len, reverse=True))
_weekday = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_unit = "|".join((*UNITS, *MONTH_WORDS))
_DAY = re.compile(
    r"(?<![\w./-])(?:"
    r"(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})[./](?P<m2>\d{1,2})[./](?P<y2>20\d\d|\d\d)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.|er)?(?:\s+(?:of|de))?\s*[ -]?(?P<m3>{_month})\.?(?:,?\s+(?:de\s+)?(?P<y3>20\d\d))?"
    rf"|(?P<m4>{_month})\.?\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<y4>20\d\d))?"
    rf"|(?:(?:the )?end of|(?:bis )?ende|fin(?:al)?(?: de)?)\s+(?:the\s+)?"
    rf"(?P<end>{_month}|(?:next |this )?(?:month|week|year)|q[1-4])(?:\s+(?P<y5>20\d\d))?"
    rf"|(?:next |this |coming |on )*(?P<weekday>{_weekday})"
    rf"|(?:in|within|for) (?P<count>\d{{1,3}}|{'|'.join(_COUNTS)}) (?P<unit>{_unit})[a-zé]{{0,2}}"
    r"|(?P<word>today|tomorrow|next week|next month|next year)"
    rf"|(?P<m6>{_month})(?:\s+(?P<y6>20\d\d))"
    r")(?![\w/]|-\d)"
)


def days(text: str, today: date) -> list[Day]:
    found = []
    for match in _DAY.finditer(fold(text)):
        day = _day(match, today)
        if day:
            found.append(Day(day.isoformat(), *match.span()))
    return found


def _day(match: re.Match[str], today: date) -> date | None:
    said = match.groupdict()
    try:
        if said["y"]:
            return date(int(said["y"]), int(said["m"]), int(said["d"]))
        if said["y2"]:
            year, month, day = int(said["y2"]) % 100 + 2000, int(said["m2"]), int(said["d2"])
            return date(year, month, day) if month <= 12 else date(year, day, month)
        if said["m3"] or said["m4"]:
            number = "3" if said["m3"] else "4"
            return _next(today, said[f"y{number}"], MONTHS[said[f"m{number}"]], int(said[f"d{number}"]))
        if said["end"]:
            return _end(said["end"], said["y5"], today)
        if said["weekday"]:
            ahead = (WEEKDAYS[said["weekday"]] - today.weekday()) % 7 or 7
            return today + timedelta(days=ahead)
        if said["count"]:
            count = int(said["count"]) if said["count"].isdigit() else _COUNTS[said["count"]]
            return _months_on(today, count) if said["unit"] in MONTH_WORDS else today + timedelta(days=count * UNITS[said["unit"]])
        if said["m6"]:
            return _next(today, said["y6"], MONTHS[said["m6"]], 1)
        steps = {"today": 0, "tomorrow": 1, "next week": 7}
        if said["word"] in steps:
            return today + timedelta(days=steps[said["word"]])
        return _months_on(today, 12 if said["word"] == "next year" else 1)
    except (ValueError, OverflowError):
        return None


def _next(today: date, year: str | None, month: int, day: int) -> date:
    if year:
        return date(int(year), month, day)
    found = date(today.year, month, day)
    return found if found >= today else date(today.year + 1, month, day)


def _end(what: str, year: str | None, today: date) -> date:
    if "week" in what:
        return today + timedelta(days=(6 - today.weekday()) + (7 if "next" in what else 0))
    if "year" in what:
        return date(today.year + ("next" in what), 12, 31)
    if what.startswith("q") and what[1:].isdigit():
        month, its_year = int(what[1]) * 3, int(year) if year else today.year
        its_year += 1 if not year and month < today.month else 0
    elif "month" in what:
        later = _months_on(today, 1) if "next" in what else today
        month, its_year = later.month, later.year
    else:
        month = MONTHS[what]
        its_year = int(year) if year else today.year + (month < today.month)
    return date(its_year, month, calendar.monthrange(its_year, month)[1])


def _months_on(today: date, count: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + count, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def is_day_word(text: str) -> bool:
    """The name of a month or of a day of the week."""
    return text in MONTHS or text in WEEKDAYS or text in UNITS or text.rstrip("s") in (*UNITS, *MONTH_WORDS)
