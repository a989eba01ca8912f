"""What the subscription's activity log says was done. Azure keeps it for 90 days, and a line takes some minutes to appear in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from tools.clients.azure import Azure
from tools.clients.settings import Settings
from tools.rules.names.scanned import Row, display, rows
from tools.values.act import Act
from tools.values.value import Json

VERSION = "2015-04-01"
"""Azure REST, Activity Logs - List."""
PAGES_MAX = 50


def acts(settings: Settings, since: datetime) -> tuple[tuple[Act, ...], tuple[str, ...]]:
    """(acts, sentences about what could not be seen). Raises Away."""
    azure = Azure(settings)
    made: dict[tuple[str, str, str], Act] = {}
    unread: tuple[str, ...] = ()
    path = f"/subscriptions/{settings.arm_subscription_id}/providers/Microsoft.Insights/eventtypes/management/values"
    page = f"{path}?$filter={quote(f'eventTimestamp ge {chr(39)}{since:%Y-%m-%dT%H:%M:%SZ}{chr(39)}')}"
    for _ in range(PAGES_MAX):
        _, answer = azure.ask("what was changed", "GET", page, VERSION)
        for key, act in _of(rows(answer.get("value")), settings):
            made.setdefault(key, act)  # The latest line of one act comes first: begun, taken on, done.
        following = str(answer.get("nextLink") or "")
        if not following.startswith(azure.endpoint):
            break
        page = following.removeprefix(azure.endpoint)
    else:
        unread = (f"The activity log of {settings.arm_subscription_id} is longer than {PAGES_MAX} pages: look back over fewer days.",)
    return tuple(made.values()), unread


def _of(events: list[Row], settings: Settings) -> Iterator[tuple[tuple[str, str, str], Act]]:
    for row in events:
        if _value(row, "category") != "Administrative":
            continue
        operation, resource = _value(row, "operationName"), str(row.get("resourceId") or "")
        try:
            at = datetime.fromisoformat(str(row.get("eventTimestamp")).replace("Z", "+00:00"))
        except ValueError:
            continue
        claims = row.get("claims")
        by = str((claims.get("appid") if isinstance(claims, dict) else "") or row.get("caller") or "")
        group = str(row.get("resourceGroupName") or "").lower()
        yield (
            (str(row.get("correlationId")), operation, resource),
            Act(
                platform="azure",
                at=at,
                by=display(str(row.get("caller") or by)),
                is_ours=by.lower() == settings.arm_client_id.lower() if settings.arm_client_id else None,
                what=display(operation, 120),
                thing=f"{settings.arm_subscription_id.lower()}/{group}" if group else "",
                where=display(resource.rpartition("/resourceGroups/")[2] or resource, 160),
                outcome=display(_value(row, "status")),
            ),
        )


def _value(row: Row, name: str) -> str:
    found: Json = row.get(name)
    return str(found.get("value") or "") if isinstance(found, Mapping) else str(found or "")
