"""What a strict reviewer of Azure asks of every module, by kind of resource: each module that is added is held to it, too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from .conftest import ROOT

OPENS = re.compile(r'^resource "azapi_\w+" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
TYPE = re.compile(r'^  type\s+= "(Microsoft[^@"]+)@([\d-]+(?:-preview)?)"', re.MULTILINE)


def resources() -> Iterator[tuple[str, str, str]]:
    """(module and name, type, text) of every resource of Azure."""
    for path in sorted((ROOT / "terraform").glob("*/*.tf")):
        for name, text in OPENS.findall(path.read_text()):
            if kind := TYPE.search(text):
                yield f"{path.parent.name}.{name}", kind[1], text


ALL = tuple(resources())
ASKED: dict[str, tuple[str, ...]] = {
    # A network, and a storage account, takes one change at a time; a name has 64 characters.
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": (
        r"\blocks\s+= \[",
        "ReferencedResourceNotProvisioned",
        "AnotherOperationInProgress",
    ),
    "Microsoft.Network/privateEndpoints": (r"\blocks\s+= \[", r"substr\(.*, 0, 64\)"),
    # Azure answers ids, and names of tags, in small letters.
    "Microsoft.Insights/diagnosticSettings": (r"\bignore_casing\s+= true",),
    "Microsoft.Insights/metricAlerts": (r"\bignore_casing\s+= true", r"\bactions\s+=", "lower"),
    # A new principal may not be there yet when it gets its role; whoever applies is there.
    "Microsoft.Authorization/roleAssignments": (r"\bprincipalType\s+=|azapi_client_config", r"uuidv5\("),
    "Microsoft.Storage/storageAccounts": (
        r'minimumTlsVersion\s+= "TLS1_2"',
        r"supportsHttpsTrafficOnly\s+= true",
        r"allowBlobPublicAccess\s+= false",
        r"allowSharedKeyAccess\s+= false",
        r'defaultAction\s+= "Deny"',
    ),
    "Microsoft.KeyVault/vaults": (r"enablePurgeProtection\s+= true", r"enableRbacAuthorization\s+= true", r'defaultAction\s+= "Deny"'),
    "Microsoft.ContainerService/managedClusters": (
        r"disableLocalAccounts\s+= true",
        r"enableAzureRBAC\s+= true",
        r"upgradeChannel\s+=",
        r"enablePrivateCluster\s+=",
        r"MissingPermission",
    ),
    "Microsoft.CognitiveServices/accounts": (r"disableLocalAuth\s+= true", r'publicNetworkAccess\s+= "Disabled"'),
    "Microsoft.DBforPostgreSQL/flexibleServers": (r'passwordAuth\s+= "Disabled"', r'publicNetworkAccess\s+= "Disabled"'),
    "Microsoft.Databricks/workspaces": (r"enableNoPublicIp\s+= \{ value = true \}", r'publicNetworkAccess\s+= "Disabled"'),
    "Microsoft.Compute/virtualMachines": (r"disablePasswordAuthentication\s+= true", r'securityType\s+= "TrustedLaunch"'),
    "Microsoft.OperationalInsights/workspaces": (r"disableLocalAuth\s+= true", r"retentionInDays\s+= var\."),
}


@pytest.mark.parametrize("kind", ASKED)
def test_each_resource_has_what_its_kind_needs(kind: str) -> None:
    found = [(name, text) for name, one, text in ALL if one == kind]
    assert found, "some module makes it"
    assert [(name, asked) for name, text in found for asked in ASKED[kind] if not re.search(asked, text)] == []


def test_subnets_have_no_way_out_that_nobody_made() -> None:
    """Delegated ones have the service's own: learn.microsoft.com, "Default outbound access in Azure", read 2026-12-01."""
    open_ = [name for name, kind, text in ALL if kind.endswith("/virtualNetworks") and not _shut(text)]
    assert open_ == []


def _shut(text: str) -> bool:
    subnets = re.findall(r"properties\s+= \{\n\s+addressPrefix\s.*?\n {10,}\}\n", text, re.DOTALL)
    assert subnets, "each network has its subnets in its own body"
    return all("defaultOutboundAccess" in one or "delegations" in one for one in subnets)


def test_a_cluster_is_changed_by_azure_in_hours_that_are_said() -> None:
    clusters = {name.split(".")[0] for name, kind, _ in ALL if kind.endswith("/managedClusters")}
    assert clusters == {name.split(".")[0] for name, kind, _ in ALL if kind.endswith("/maintenanceConfigurations")}


def test_whatever_is_peered_with_the_hub_is_peered_from_both_sides() -> None:
    hubs = [text for name, _, text in ALL if name.endswith(".peering")]
    assert len(hubs) >= 6 and all("there = " in text and "back = " in text for text in hubs)


def test_whoever_may_run_a_command_in_a_cluster_may_read_what_it_answered() -> None:
    """The built-in role has the action and not its results (azadvertizer.net, role 0ab0b1a8, read 2026-12-01); a reader has them."""
    teams = [(name, text) for name, kind, text in ALL if kind.endswith("/roleAssignments") and '"run_command"' in text]
    assert len(teams) == 2 and all('"reader"' in text for _, text in teams)


def test_a_security_group_is_put_with_its_rules_or_not_again() -> None:
    """Put without a word of them it loses those that were made by themselves (pulumi/pulumi-azure-native, issue 1087)."""
    groups = [(name, text) for name, kind, text in ALL if kind.endswith("/networkSecurityGroups")]
    assert [name for name, text in groups if "securityRules = " not in text and "ignore_changes = [tags]" not in text] == []


def test_nothing_is_made_in_a_version_that_ends_as_a_preview() -> None:
    previews = {TYPE.search(text)[0] for _, _, text in ALL if (found := TYPE.search(text)) and found[2].endswith("-preview")}  # type: ignore[index]
    # Azure has no other version of these.
    assert {one.split('"')[1].split("@")[0] for one in previews} <= {"Microsoft.Insights/diagnosticSettings"}
