"""Microsoft.Insights, what is looked up there: metrics and their definitions, categories of logs, and the activity log.

Nothing runs in the simulated Azure, so a metric that is defined has no data point: an empty series, as Azure answers for an idle resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, resource_not_found
from cluster_sim.azure.store import Resource
from cluster_sim.http import Answer, Request, json_answer

_I = r"(?P<scope>/subscriptions/.+)/providers/Microsoft\.Insights/"
_WHEN = re.compile(r"eventTimestamp\s+(ge|le)\s+'?([^'\s]+)'?", re.IGNORECASE)
_OTHER = re.compile(r"(resourceGroupName|resourceId|resourceUri|resourceProvider|caller)\s+eq\s+'([^']+)'", re.IGNORECASE)


def _about(cloud: Cloud, words: Mapping[str, str]) -> Resource:
    scope = words["scope"]
    found = cloud.find(scope) or cloud.implied(scope)
    if found is None:
        raise resource_not_found(scope.rpartition("/providers/")[2], "")
    return found


def _of_type(name: str, type_: str) -> Any:
    return next((row for known, row in table(name).items() if known.lower() == type_.lower()), None)


def _definition(resource: Resource, name: str, unit: str, aggregation: str) -> dict[str, Any]:
    return {
        "id": f"{resource.id}/providers/microsoft.insights/metricdefinitions/{name}",
        "resourceId": resource.id,
        "namespace": resource.type,
        "name": {"value": name, "localizedValue": name},
        "unit": unit,
        "primaryAggregationType": aggregation,
        "supportedAggregationTypes": ["None", "Average", "Minimum", "Maximum", "Total", "Count"],
        "metricAvailabilities": [{"timeGrain": "PT1M", "retention": "P93D"}, {"timeGrain": "PT1H", "retention": "P93D"}],
        "isDimensionRequired": False,
    }


def _definitions(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    resource = _about(cloud, words)
    return {"value": [_definition(resource, name, *row) for name, row in (_of_type("metrics", resource.type) or {}).items()]}


def _metrics(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    resource, query = _about(cloud, words), {name.lower(): value for name, value in request.query}
    known: dict[str, Any] = _of_type("metrics", resource.type) or {}
    named = [one.strip() for one in query.get("metricnames", "").split(",") if one.strip()] or list(known)[:1]
    exact = {name.lower(): name for name in known}
    for name in named:
        if name.lower() not in exact:
            raise ArmError(
                400,
                "BadRequest",
                f"Failed to find metric configuration for provider: {resource.type.split('/')[0]}, resource Type: "
                f"{resource.type.partition('/')[2]}, metric: {name}, Valid metrics: {','.join(known)}",
            )
    rows = []
    for name in (exact[one.lower()] for one in named):
        shown = _definition(resource, name, *known[name])
        rows.append(
            {
                "id": f"{resource.id}/providers/Microsoft.Insights/metrics/{name}",
                "type": "Microsoft.Insights/metrics",
                **{key: shown[key] for key in ("name", "unit")},
                "displayDescription": name,
                "errorCode": "Success",
                "timeseries": [],
            }
        )
    return {
        "cost": 0,
        "timespan": query.get("timespan", f"{stamp(cloud.now - 3600)}/{stamp(cloud.now)}"),
        "interval": query.get("interval", "PT1M"),
        "namespace": query.get("metricnamespace", resource.type),
        "resourceregion": resource.location or "global",
        "value": rows,
    }


def _categories(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """Azure REST, Diagnostic Settings Category - List, 2021-05-01-preview."""
    resource = _about(cloud, words)
    exports = _of_type("diagnostics", resource.type)
    if not exports:
        raise ArmError(
            400, "ResourceTypeNotSupported", f"The resource type '{resource.type.lower()}' does not support diagnostic settings."
        )
    type_ = "microsoft.insights/diagnosticSettingsCategories"
    return {
        "value": [
            {
                "id": f"{resource.id}/providers/{type_}/{name}",
                "type": type_,
                "name": name,
                "properties": {"categoryType": kind, "categoryGroups": exports.get("groups") if kind == "Logs" else None},
            }
            for key, kind in (("metrics", "Metrics"), ("logs", "Logs"))
            for name in exports.get(key) or ()
        ]
    }


def _events(cloud: Cloud, words: dict[str, str], request: Request) -> Answer:
    """Azure REST, Activity Logs - List, 2015-04-01: a time to begin with is asked for, and of the rest only what is listed there."""
    cloud.subscription(words["subscription"])
    text = dict(request.query).get("$filter", "")
    times, other = {key.lower(): value for key, value in _WHEN.findall(text)}, _OTHER.findall(text)
    rest = re.sub(r"\band\b", "", _OTHER.sub("", _WHEN.sub("", text)), flags=re.IGNORECASE).strip()
    if "ge" not in times or rest:
        raise ArmError(
            400, "BadRequest", f"The $filter '{text}' is not supported. It must give eventTimestamp ge, and may give one field more."
        )
    rows = [row for row in cloud.store.events if times["ge"] <= row["eventTimestamp"] <= times.get("le", "9")]
    for field, value in other:
        rows = [row for row in rows if _field(row, field.lower()) == value.lower()]
    return json_answer({"value": [row for row in reversed(rows) if row["subscriptionId"].lower() == words["subscription"].lower()]})


def _field(row: Mapping[str, Any], name: str) -> str:
    found = {"resourceprovider": row["resourceProviderName"]["value"], "resourceuri": row["resourceId"]} | {
        key.lower(): value for key, value in row.items() if isinstance(value, str)
    }
    return str(found.get(name, "")).lower()


ROUTES = (
    ("GET", rf"{_I}metricDefinitions", _definitions),
    ("GET", rf"{_I}metrics", _metrics),
    ("GET", rf"{_I}diagnosticSettingsCategories", _categories),
    ("GET", r"{subscription}/providers/Microsoft\.Insights/eventtypes/management/values", _events),
)
KINDS = ()
