"""Networks of services: a free range of the site's own, one hub that reaches them all, and names of the site's zones."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from tools.capabilities import chain
from tools.platforms import azure as platform
from tools.rules.azure.placing import address_space
from tools.values.review import Severity
from tools.values.site import Environment, Networking, Reserved, Site
from tools.values.situation import Situation
from tools.values.snapshot import CloudNetwork, SubscriptionSnapshot
from tools.values.trouble import RequestProblem

from .conftest import PRICES, composed, errors, required, situation

TWO = "Databricks with 2 workers and Azure OpenAI for the ml team, in eastus"


def laid_out(**network: object) -> Site:
    return Site(environments=(Environment(name="development", network=Networking.model_validate(network)),))


def test_two_services_of_one_hub_have_ranges_apart(seen: SubscriptionSnapshot) -> None:
    hub = next(one for one in seen.networks if one.id.endswith("/vnet-hub-eastus"))
    zones = f"/subscriptions/{seen.subscription_id}/resourceGroups/rg-network-hub"
    parts = composed(TWO, seen, site=laid_out(ranges=["10.80.0.0/22"], hub=hub.id, dns_zones=zones)).parts
    ranges = [ip_network(part.variables["address_space"]) for part in parts]
    assert not ranges[0].overlaps(ranges[1]) and all(one.subnet_of(ip_network("10.80.0.0/22")) for one in ranges)
    for part in parts:
        assert (part.variables["hub_id"], part.variables["dns_zones_id"]) == (hub.id, zones)
        assert errors(part, seen) == set()
        assert str(part.variables["address_space"]) in platform.reserves(part).names


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
