"""Log Analytics, Azure Monitor and budgets: workspaces, diagnostic settings, alerts, action groups.

No log line is ever collected and no alert fires.
"""

from __future__ import annotations

import re
from typing import Any

from cluster_sim.azure.cloud import Cloud, stamp
from cluster_sim.azure.data import table
from cluster_sim.azure.errors import ArmError, invalid_parameter
from cluster_sim.azure.families.storage import secret
from cluster_sim.azure.kinds import Change, Kind, NameRule
from cluster_sim.azure.store import Resource
from cluster_sim.http import Request

_W = "Microsoft.OperationalInsights/workspaces"
_WORKSPACE_NAME = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "InvalidResourceName",
    "Resource name '{name}' is invalid. A workspace name has 4 to 63 letters, digits and '-', and begins and ends with a letter or digit.",
)
_SKUS = ("PerGB2018", "CapacityReservation", "Free", "PerNode", "Standalone", "LACluster")
RETENTION_DAYS_MAX = 730
NOTIFICATIONS_MAX = 5


def _check_workspace(change: Change) -> None:
    properties = change.properties
    days = properties.get("retentionInDays", 30)
    if not isinstance(days, int) or not (30 <= days <= RETENTION_DAYS_MAX):
        raise invalid_parameter(
            f"'RetentionInDays' property doesn't match the SKU limits: {days} is not between 30 and {RETENTION_DAYS_MAX}.",
            "retentionInDays",
        )
    sku = (properties.get("sku") or {}).get("name", "PerGB2018")
    if str(sku).lower() not in {s.lower() for s in _SKUS}:
        raise invalid_parameter(f"The SKU '{sku}' is not one of {', '.join(_SKUS)}.", "sku")


def _fill_workspace(change: Change) -> None:
    properties = change.properties
    gone = change.cloud.store.deleted.pop(change.address.key, None) if change.creating else None
    # A workspace made again within 14 days is the old one recovered, with its id.
    properties["customerId"] = (
        gone.properties["customerId"] if gone else change.before.properties["customerId"] if change.before else change.guid("customer")
    )
    made = change.before.created_at_s if change.before else change.cloud.now
    properties |= {"createdDate": stamp(made), "modifiedDate": stamp(change.cloud.now)}
    properties.setdefault("sku", {"name": "PerGB2018"})["lastSkuUpdate"] = stamp(made)
    properties.setdefault("retentionInDays", 30)
    properties.setdefault("features", {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True})
    properties.setdefault("workspaceCapping", {"dailyQuotaGb": -1.0}).update(
        {"quotaNextResetTime": stamp(made + 86400), "dataIngestionStatus": "RespectQuota"}
    )
    for name in ("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"):
        properties.setdefault(name, "Enabled")


def _removed_workspace(cloud: Cloud, resource: Resource) -> None:
    cloud.keep_deleted(resource)


def _usage(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    """Nothing is charged in a simulated subscription; in a real one usage is there 8 to 24 hours late. Azure REST, Usage Details - List."""
    cloud.subscription(words["subscription"])
    return {"value": []}


def _deleted(cloud: Cloud, words: dict[str, str], request: Request) -> dict[str, Any]:
    prefix = f"/subscriptions/{words['subscription']}/".lower()
    found = [r for r in cloud.store.deleted.values() if r.type == _W and r.key.startswith(prefix)]
    return {"value": [cloud.show(r) for r in found if not words.get("group") or r.group.lower() == words["group"].lower()]}


def _shared_keys(cloud: Cloud, resource: Resource, body: Any) -> dict[str, Any]:
    return {"primarySharedKey": secret(resource, "primary"), "secondarySharedKey": secret(resource, "secondary")}


def _check_diagnostics(change: Change) -> None:
    properties = change.properties
    targets = [properties.get(n) for n in ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")]
    if not any(targets):
        raise ArmError(
            400,
            "BadRequest",
            f"The diagnostic setting '{change.name}' must have at least one data sink: workspaceId, storageAccountId or an event hub.",
        )
    for id_ in (properties.get("workspaceId"), properties.get("storageAccountId")):
        if id_ and change.cloud.find(id_) is None:
            raise ArmError(400, "ResourceNotFound", f"Resource '{id_}' of the diagnostic setting '{change.name}' was not found.")
    rows = [*(properties.get("logs") or []), *(properties.get("metrics") or [])]
    if not any(row.get("enabled") for row in rows):
        raise ArmError(400, "BadRequest", "At least one data sink category needs to be enabled.")
    for row in properties.get("logs") or []:
        if row.get("category") and row.get("categoryGroup"):
            raise ArmError(400, "BadRequest", "A log is given by category or by category group, not by both.")
    _check_categories(change)
    for other in change.cloud.store.of_type("Microsoft.Insights/diagnosticSettings", change.address.scope):
        if (
            other.key != change.address.key
            and other.key.rsplit("/providers/", 1)[0] == change.address.scope.lower()
            and _same_sink(other, change)
        ):
            raise ArmError(
                409,
                "Conflict",
                f"Data sink '{properties.get('workspaceId')}' is already used in diagnostic setting '{other.name}' for the same "
                "categories. "
                "Data sinks can't be reused in different settings on the same category for the same resource.",
            )


def _check_categories(change: Change) -> None:
    """What a resource type cannot export is refused, and so is a setting of a type that exports nothing."""
    about = change.cloud.address(change.address.scope)
    kind = about.type if about else ""
    exports: dict[str, Any] = next((row for name, row in table("diagnostics").items() if name.lower() == kind.lower()), {})
    if not exports:
        raise ArmError(400, "ResourceTypeNotSupported", f"The resource type '{kind.lower()}' does not support diagnostic settings.")
    known = {name: {str(one).lower() for one in exports.get(name) or ()} for name in ("logs", "groups", "metrics")}
    for row in change.properties.get("logs") or []:
        for key, name, word in (("category", "logs", "Category"), ("categoryGroup", "groups", "Category group")):
            if row.get(key) and str(row[key]).lower() not in known[name]:
                raise ArmError(400, "BadRequest", f"{word} '{row[key]}' is not supported.")
    for row in change.properties.get("metrics") or []:
        if str(row.get("category")).lower() not in known["metrics"]:
            offered = ", ".join(f"'{one}'" for one in exports.get("metrics") or ())
            more = f", supported categories are: {offered}" if offered else ""
            raise ArmError(400, "BadRequest", f"Metric category '{row.get('category')}' is not supported{more}.")


def _view_diagnostics(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    """The id of the workspace comes back in small letters; hashicorp/terraform-provider-azurerm#22000, #31822, read 2026-11-29."""
    if sink := shown["properties"].get("workspaceId"):
        shown["properties"]["workspaceId"] = str(sink).lower()


def _view_alert(cloud: Cloud, resource: Resource, shown: dict[str, Any]) -> None:
    """Scopes and the names of tags come back in small letters; hashicorp/terraform-provider-azurerm#10857,
    Azure/azure-rest-api-specs#16047, read 2026-11-29."""
    shown["properties"]["scopes"] = [str(scope).lower() for scope in shown["properties"].get("scopes") or ()]
    if shown.get("tags"):
        shown["tags"] = {name.lower(): value for name, value in shown["tags"].items()}


def _same_sink(other: Resource, change: Change) -> bool:
    sink = str(change.properties.get("workspaceId") or "").lower()
    if not sink or str(other.properties.get("workspaceId") or "").lower() != sink:
        return False
    mine, theirs = (
        {str(row.get("category") or row.get("categoryGroup")) for key in ("logs", "metrics") for row in p.get(key) or []}
        for p in (change.properties, other.properties)
    )
    return bool(mine & theirs)


def _check_alert(change: Change) -> None:
    properties = change.properties
    for name in ("severity", "criteria"):
        if properties.get(name) is None:
            raise ArmError(400, "BadRequest", f"The alert rule '{change.name}' has no '{name}'.")
    if not isinstance(properties["severity"], int) or not 0 <= properties["severity"] <= 4:
        raise ArmError(400, "BadRequest", f"The severity of '{change.name}' must be from 0 to 4, not {properties['severity']}.")
    for scope in properties.get("scopes") or []:
        if not change.cloud.scope_exists(scope):
            raise ArmError(400, "ResourceNotFound", f"The scope '{scope}' of the alert rule '{change.name}' was not found.")
    _check_metric(change)
    rows = properties.get("actions") or []
    groups = rows.get("actionGroups") or [] if isinstance(rows, dict) else [row.get("actionGroupId") for row in rows]
    for group in groups:
        if change.cloud.find(str(group)) is None:
            raise ArmError(400, "BadRequest", f"The action group '{group}' of the alert rule '{change.name}' was not found.")


def _check_metric(change: Change) -> None:
    """An alert of something that the type does not measure is refused when it is made: Azure/azure-rest-api-specs, metricAlerts 2018-03-01,
    skipMetricValidation, read 2026-12-01. The words are a model's."""
    for one in (change.properties.get("criteria") or {}).get("allOf") or []:
        known = {name.lower(): rows for name, rows in table("metrics").items()}.get(str(one.get("metricNamespace", "")).lower())
        if known and one.get("metricName") not in known and not one.get("skipMetricValidation"):
            raise ArmError(400, "BadRequest", f"Couldn't find a metric named {one.get('metricName')} in {one.get('metricNamespace')}.")


def _check_action_group(change: Change) -> None:
    short = change.properties.get("groupShortName")
    if not short or len(str(short)) > 12:
        raise ArmError(
            400,
            "InvalidRequestContent",
            f"The short name '{short}' of action group '{change.name}' must have 1 to 12 characters.",
        )


def _fill_component(change: Change) -> None:
    properties = change.properties
    properties |= {
        "AppId": change.guid("app"),
        "InstrumentationKey": change.guid("key"),
        "CreationDate": stamp(change.before.created_at_s if change.before else change.cloud.now),
    }


def _check_budget(change: Change) -> None:
    amount = change.properties.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
        raise ArmError(400, "400", f"Invalid budget amount: {amount}. The amount must be more than zero.")
    # learn.microsoft.com, REST reference "Budgets - Create Or Update", read 2026-11-29.
    start = str((change.properties.get("timePeriod") or {}).get("startDate", ""))
    if not re.fullmatch(r"\d{4}-\d{2}-01(T00:00:00(\.0+)?Z)?", start):
        raise ArmError(400, "400", f"Invalid start date: {start}. A monthly budget begins on the first day of a month.")
    for name, one in (change.properties.get("notifications") or {}).items():
        if not any(one.get(to) for to in ("contactEmails", "contactRoles", "contactGroups")):
            raise ArmError(400, "400", f"Notification {name} has nobody to tell: contactEmails, contactRoles or contactGroups.")
        if not 0 < float(one.get("threshold") or 0) <= 1000:
            raise ArmError(400, "400", f"Notification {name} has the threshold {one.get('threshold')}, which is not from 1 to 1000.")
    if len(change.properties.get("notifications") or {}) > NOTIFICATIONS_MAX:
        raise ArmError(400, "400", f"A budget has at most {NOTIFICATIONS_MAX} notifications.")


KINDS = (
    Kind(
        _W,
        name=_WORKSPACE_NAME,
        check=_check_workspace,
        fill=_fill_workspace,
        removed=_removed_workspace,
        actions={"sharedKeys": _shared_keys, "listKeys": _shared_keys},
    ),
    *(Kind(f"{_W}/{part}", located=False, slow=False) for part in ("tables", "savedSearches", "linkedServices", "dataExports")),
    Kind("Microsoft.OperationsManagement/solutions"),
    Kind(
        "Microsoft.Insights/diagnosticSettings",
        located=False,
        slow=False,
        state=False,
        created=200,
        extends=True,
        check=_check_diagnostics,
        view=_view_diagnostics,
    ),
    Kind("Microsoft.Insights/metricAlerts", everywhere=True, slow=False, state=False, created=200, check=_check_alert, view=_view_alert),
    Kind("Microsoft.Insights/scheduledQueryRules", slow=False, state=False, check=_check_alert, stamped=True),
    Kind("Microsoft.Insights/activityLogAlerts", everywhere=True, slow=False, state=False),
    Kind("Microsoft.Insights/actionGroups", everywhere=True, slow=False, state=False, check=_check_action_group),
    Kind("Microsoft.Insights/components", slow=False, created=200, fill=_fill_component),
    Kind("Microsoft.Insights/dataCollectionRules", slow=False, created=200, stamped=True),
    Kind("Microsoft.Insights/dataCollectionEndpoints", slow=False, created=200, stamped=True),
    Kind("Microsoft.Insights/dataCollectionRuleAssociations", located=False, slow=False, created=200, extends=True),
    Kind("Microsoft.Monitor/accounts", stamped=True),
    Kind("Microsoft.AlertsManagement/prometheusRuleGroups", slow=False, state=False),
    Kind("Microsoft.Consumption/budgets", located=False, slow=False, state=False, extends=True, check=_check_budget),
)

_PLACE = r"{subscription}(/resourceGroups/(?P<group>[^/]+))?/providers/Microsoft\.OperationalInsights/deletedWorkspaces"
ROUTES = (
    ("GET", _PLACE, _deleted),
    ("GET", r"{subscription}(/resourceGroups/[^/]+)?/providers/Microsoft\.Consumption/usageDetails", _usage),
)
