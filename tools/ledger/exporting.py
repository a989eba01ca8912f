"""Records of the audit chain for others to read: a line for a person, and an event of OCSF (API Activity, class 6003 of category 6) for a
collector. https://schema.ocsf.io/1.6.0/classes/api_activity, 2026-11-29."""

from __future__ import annotations

import json
import re
from datetime import datetime
from importlib.metadata import version

from tools.clients.process import plain
from tools.ledger.audit import Recorded
from tools.values.value import Json

OCSF, CATEGORY, CLASS = "1.6.0", 6, 6003
CREATE, UPDATE, DELETE, OTHER = 1, 3, 4, 99
INFORMATIONAL, MEDIUM = 1, 3
SUCCESS, FAILURE = 1, 2
ACTIVITIES = {
    **{"planned": CREATE, "voided": DELETE, "approved": UPDATE, "begun": UPDATE, "retried": UPDATE, "cancel wanted": UPDATE},
    **{"set": UPDATE, "ended": UPDATE, "applying": UPDATE, "applied": UPDATE},
}
"""What is done to a plan or a run. Everything else is OTHER, by its own name."""
DIGITS = 12
_SUBJECTS = (("plan", "plan"), ("run_id", "run"), ("part", "part"), ("manifest", "manifest"))
_SAID_ELSEWHERE = {"number", "at", "action", *(name for name, _ in _SUBJECTS)}


def line(record: Recorded) -> str:
    """`  12  2026-11-24 12:00:00  approved  plan=0123456789ab role=vp principal=alice`."""
    facts = record.facts
    if not facts:
        return f"{record.number:>6}  This record cannot be read. `berth audit verify` says more."
    rest = " ".join(f"{name}={_short(fact)}" for name, fact in facts.items() if name not in ("number", "at", "action") and fact)
    text = f"{str(facts.get('at', ''))[:19].replace('T', ' ')}  {facts.get('action', '')}  {rest}"
    return f"{record.number:>6}  {plain(' '.join(text.splitlines())).rstrip()}"


def _short(fact: Json) -> str:
    text = ",".join(map(str, fact)) if isinstance(fact, list) else str(fact)
    if len(text) == 64 and set(text) <= set("0123456789abcdef"):
        return text[:DIGITS]
    # Words that somebody typed cannot pass for another fact.
    return json.dumps(text, ensure_ascii=False) if isinstance(fact, str) and re.search(r"[\s=\"]", text) else text


def as_ocsf(record: Recorded) -> dict[str, Json]:
    facts = record.facts
    action = str(facts.get("action", "unreadable"))
    activity = ACTIVITIES.get(action, OTHER)
    failed = not facts or facts.get("code") not in (None, 0)
    person = facts.get("principal") or facts.get("requester")
    who = {"user": {"name": str(person)}} if person else {"app_name": "Berth"}
    what = [{"type": kind, "uid": str(facts[name])} for name, kind in _SUBJECTS if facts.get(name)]
    return {
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "type_uid": CLASS * 100 + activity,
        "activity_id": activity,
        "activity_name": action,
        "severity_id": MEDIUM if failed else INFORMATIONAL,
        "status_id": FAILURE if failed else SUCCESS,
        "time": _milliseconds(str(facts.get("at", ""))),
        "metadata": {
            "version": OCSF,
            "product": {"name": "Berth", "vendor_name": "Berth", "version": version("berth")},
            "log_name": "audit",
            "uid": record.hash,
            "sequence": record.number,
        },
        "actor": who,
        "api": {"operation": action, "service": {"name": "berth"}},
        "src_endpoint": {"name": "berth"},
        "resources": what,
        "unmapped": {"previous": record.previous, **{name: fact for name, fact in facts.items() if name not in _SAID_ELSEWHERE}},
    }


def _milliseconds(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return 0
