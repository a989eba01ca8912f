"""What Databricks asks of the security groups of its subnets: it puts rules of its own there, and Azure takes no group without them.

Names and values of the rules: Azure/azure-quickstart-templates, issue 6670 and pull request 8931, and the words of the refusal from the
same issue. Without the way to the control plane where that is by private link: learn.microsoft.com, "Deploy Azure Databricks in your Azure
virtual network", network security group rules. All read 2026-12-01.
"""

from __future__ import annotations

from typing import Any

from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.errors import ArmError
from cluster_sim.azure.kinds import Change
from cluster_sim.azure.store import Resource

WORKSPACE = "Microsoft.Databricks/workspaces"
SUBNETS = ("customPublicSubnetName", "customPrivateSubnetName")
_RULES = "Microsoft.Network/networkSecurityGroups/securityRules"
_PREFIX = "Microsoft.Databricks-workspaces_UseOnly_databricks-"
_CONTROL_PLANE = "worker-to-databricks-webapp"
_WITHIN, _REACH = "Required for worker nodes communication within a cluster.", "Required for workers communication with"
_ROWS = (
    ("worker-to-worker-inbound", 100, "Inbound", "*", "VirtualNetwork", "*", _WITHIN),
    (_CONTROL_PLANE, 100, "Outbound", "Tcp", "AzureDatabricks", "443", f"{_REACH} Databricks Webapp."),
    ("worker-to-sql", 101, "Outbound", "Tcp", "Sql", "3306", f"{_REACH} Azure SQL services."),
    ("worker-to-storage", 102, "Outbound", "Tcp", "Storage", "443", f"{_REACH} Azure Storage services."),
    ("worker-to-worker-outbound", 103, "Outbound", "*", "VirtualNetwork", "*", _WITHIN),
    ("worker-to-eventhub", 104, "Outbound", "Tcp", "EventHub", "9093", "Required for worker communication with Azure Eventhub services."),
)


def parameter(properties: dict[str, Any], name: str) -> Any:
    return ((properties.get("parameters") or {}).get(name) or {}).get("value")


def _rules(properties: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of a workspace, by name."""
    private = properties.get("requiredNsgRules") == "NoAzureDatabricksRules"
    return {
        f"{_PREFIX}{name}": {
            "description": why,
            "protocol": protocol,
            "sourcePortRange": "*",
            "destinationPortRange": port,
            "sourceAddressPrefix": "VirtualNetwork",
            "destinationAddressPrefix": to,
            "access": "Allow",
            "priority": priority,
            "direction": direction,
        }
        for name, priority, direction, protocol, to, port, why in _ROWS
        if not (private and name == _CONTROL_PLANE)
    }


def _groups(cloud: Cloud, properties: dict[str, Any]) -> dict[str, Resource]:
    """The security groups of a workspace's subnets, by key."""
    network = parameter(properties, "customVirtualNetworkId")
    subnets = [cloud.find(f"{network}/subnets/{parameter(properties, name)}") for name in SUBNETS] if network else []
    ids = [str((one.properties.get("networkSecurityGroup") or {}).get("id", "")) for one in subnets if one]
    return {found.key: found for id_ in ids if (found := cloud.find(id_))}


def put_rules(change: Change) -> None:
    """Into the groups of the subnets that a workspace was given, but for those that are there by name."""
    cloud = change.cloud
    for group in _groups(cloud, change.properties).values():
        there = {one.name for one in cloud.store.of_type(_RULES, group.id)}
        for name, properties in _rules(change.properties).items():
            if name not in there:
                body = {"properties": properties}
                rule = Resource(f"{group.id}/securityRules/{name}", _RULES, body, change.generation, cloud.now, cloud.now, "")
                rule.complete = True
                cloud.store.resources[rule.key] = rule


def check_group(change: Change) -> None:
    if change.creating or "securityRules" not in change.parts:
        return
    named = {str(one.get("name")) for one in change.parts["securityRules"] or []}
    for workspace in change.cloud.store.of_type(WORKSPACE):
        lacks = [name for name in _rules(workspace.properties) if name not in named]
        if lacks and change.address.key in _groups(change.cloud, workspace.properties):
            raise ArmError(
                400,
                "ConflictWithNetworkIntentPolicy",
                "Found conflicts with NetworkIntentPolicy. Details: Network Security Group cannot have resources which conflict with its "
                f"subnets' network intent policies. Network Security Group: {change.address.id} doesn't have supporting Security Rule for "
                f"Network Intent Policy Security Rule: Name: {', '.join(lacks)}.",
            )
