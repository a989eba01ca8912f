"""What `berth hear --json` prints for the last of several messages, without a process."""

from __future__ import annotations

from datetime import date
from typing import Any

from tools.capabilities import catalogue
from tools.rules.hearing.reading import read
from tools.rules.hearing.report import report
from tools.rules.request.editing import apply
from tools.values.request import Edits, Request

TODAY = date(2026, 11, 29)


def hear_json(texts: list[str]) -> dict[str, Any]:
    request, heard = Request(), Edits()
    history: list[Request] = []
    for text in texts:
        if text.strip().lower() == "undo":
            request = history.pop() if history else request
            heard = Edits(undo=1)
            continue
        heard = read(text, request, catalogue(), (), TODAY)
        if not heard.asks:
            history.append(request)
            request, _ = apply(request, heard, catalogue())
    return report(request, heard, catalogue())
