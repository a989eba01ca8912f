"""Networks of services: a free range of the site's own, one hub that reaches them all, and names of the site's zones."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from tools.capabilities import chain
from tools.pipeline.platforms.azure.scan import scan
from tools.platforms import azure as platform
from tools.rules.azure.placing import address_space
from tools.values.review import Severity
from tools.values.site import Environment, Networking, Reserved, Site
from tools.values.situation import Situation
from tools.values.snapshot import CloudNetwork, SubscriptionSnapshot
from tools.values.trouble import RequestProblem

from . import bodies
from .conftest import NOW, PRICES, WORLD, Folder, composed, errors, required, served, situation, wanted_changes

TWO = "Databricks with 2 workers and Azure OpenAI for the ml team, in eastus"
MORE = "spark 1 TB daily for the ml team, private endpoints, production, in eastus"


def laid_out(**network: object) -> Site:
    return Site(environments=(Environment(name="development", network=Networking.model_validate(network)),))


def test_two_services_of_one_hub_have_ranges_apart(seen: SubscriptionSnapshot) -> None:
    hub = next(one for one in seen.networks if one.id.endswith("/vnet-hub-eastus"))
    zones = f"/subscriptions/{seen.subscription_id}/resourceGroups/rg-network-hub"
    site = laid_out(ranges=["10.80.0.0/22"], hub=hub.id, dns_zones=zones)
    parts = composed(TWO, seen, site=site).parts
    ranges = [ip_network(part.variables["address_space"]) for part in parts]
    assert not ranges[0].overlaps(ranges[1]) and all(one.subnet_of(ip_network("10.80.0.0/22")) for one in ranges)
    for part in parts:
        assert (part.variables["hub_id"], part.variables["dns_zones_id"]) == (hub.id, zones)
        assert errors(part, seen) == set()
        assert str(part.variables["address_space"]) in platform.reserves(part).names
    databricks = chain.footing(parts[0]).review(parts[0], situation(seen, site))[0]
    assert "login" in {one.check for one in databricks}, "workspaces that share a zone share the endpoint that people log in by"


@pytest.mark.parametrize("words", [MORE, "a PostgreSQL database in Azure for 20 users, in eastus"])
def test_whatever_has_a_private_door_is_peered_with_the_hub_and_stays_so(seen: SubscriptionSnapshot, words: str) -> None:
    hub = next(one.id for one in seen.networks if one.id.endswith("/vnet-hub-eastus"))
    site = Site(environments=tuple(Environment(name=name, network=Networking(hub=hub)) for name in ("development", "production")))
    with_hub, without = composed(words, seen, site=site).parts[0], composed(words, seen).parts[0]
    assert (with_hub.variables["hub_id"], without.variables["hub_id"]) == (hub, "")
    keep = chain.footing(without).keep
    assert keep is not None and keep(without, with_hub).variables["hub_id"] == "", "a change joins nothing that was not joined"


def test_one_hub_and_zones_of_the_site_where_azure_takes_its_time(tmp_path: Path) -> None:
    """Networks and storage accounts that are at another change refuse; names are as long as they may be."""
    world = yaml.safe_load(WORLD.read_text())
    at = world["azure"]
    at["operation_s_by_type"] = dict.fromkeys(
        ("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "Microsoft.Network/privateEndpoints"), 1
    )
    at["subscriptions"][0]["sku_restrictions"].append({"sku": "Standard_D4s_v5", "region": "eastus", "zones": ["2"]})
    resources = at["subscriptions"][0]["groups"]["rg-network-hub"]["resources"]
    names = [f"privatelink.{one}.core.windows.net" for one in ("dfs", "blob")] + ["privatelink.vaultcore.azure.net"]
    resources += [{"type": "Microsoft.Network/privateDnsZones", "name": name, "location": "global"} for name in names]
    (tmp_path / "world.yaml").write_text(yaml.safe_dump(world))
    with served(tmp_path / "world.yaml", tmp_path / "served") as settings:
        seen = scan(settings, NOW, regions=("eastus",))
        hub = next(one.id for one in seen.networks if one.id.endswith("/vnet-hub-eastus"))
        network = Networking(hub=hub, dns_zones=hub.partition("/providers/")[0])
        site = Site(environments=(Environment(name="production", network=network),))
        part = composed(MORE, seen, site=site).parts[0]
        zones = {one["name"]: one["zones"] for one in part.variables["pools"] if "zones" in one}
        assert zones == {"system": ["1", "3"], "drivers": ["1", "3"]}, "the subscription has the size in these alone"
        (tmp_path / "module").mkdir()
        place = Folder(settings, tmp_path / "module", part.module)
        called = platform.variables(part)["names"]
        place.vary(part, names={**called, "network": f"vnet-{'x' * 59}"})
        plan = place.plan()
        assert bodies.faults(plan) == []
        made = {one["change"]["after"]["type"].split("@")[0] for one in plan["resource_changes"] if "type" in one["change"]["after"]}
        assert "Microsoft.Network/privateDnsZones" not in made, "the site has them"
        place.apply()
        assert wanted_changes(place.plan()) == []
        place.plan(destroy=True)
        place.apply()


def test_a_range_that_is_taken_is_passed_over_until_none_is_left(seen: SubscriptionSnapshot) -> None:
    needs = required("Azure OpenAI for the ml team, in eastus").parts[0]
    at, found = situation(seen, laid_out(ranges=["10.80.0.0/25"])), set[str]()
    for _ in range(4):
        found.add(address_space(needs, at, "rg-x", 27))
        networks = (CloudNetwork(id="other", region="eastus", ranges=tuple(sorted(found))),)
        at = Situation({"azure": seen.model_copy(update={"networks": networks})}, at.site, prices=PRICES)
    assert found == {str(one) for one in ip_network("10.80.0.0/25").subnets(new_prefix=27)}
    with pytest.raises(RequestProblem, match="free"):
        address_space(needs, at, "rg-x", 27)
    promised = Situation({"azure": seen}, at.site, Reserved(names=frozenset({"10.80.0.0/26", "rg-other"})), PRICES)
    assert address_space(needs, promised, "rg-x", 26) == "10.80.0.64/26"


def test_review_finds_what_has_moved(seen: SubscriptionSnapshot) -> None:
    hub = next(one.id for one in seen.networks if one.id.endswith("/vnet-hub-eastus"))
    part = composed("Azure OpenAI for the ml team, in eastus", seen, site=laid_out(hub=hub)).parts[0]
    taken = CloudNetwork(id="/x/vnet-other", region="eastus", ranges=(str(part.variables["address_space"]),))
    assert errors(part, seen.model_copy(update={"networks": (*seen.networks, taken)})) == {"addresses.free"}
    own = part.model_copy(update={"owned": ("/x/vnet-other",)})
    assert errors(own, seen.model_copy(update={"networks": (*seen.networks, taken)})) == set()
    assert errors(part, seen.model_copy(update={"networks": ()})) == {"hub.there"}


@pytest.mark.parametrize(("has_hub", "severity"), [(True, Severity.NOTE), (False, Severity.WARNING)])
def test_the_plan_says_beforehand_how_a_private_workspace_is_reached(seen: SubscriptionSnapshot, has_hub: bool, severity: Severity) -> None:
    hub = next(one.id for one in seen.networks if one.id.endswith("/vnet-hub-eastus")) if has_hub else ""
    part = composed("Databricks with 2 workers for the ml team, in eastus", seen, site=laid_out(hub=hub)).parts[0]
    found, _ = chain.footing(part).review(part, situation(seen))
    assert [one.severity for one in found if one.check == "reach"] == [severity]
