"""A type that the simulated Azure does not know yet."""

from __future__ import annotations

import json

from azure_site import Direct, section

from cluster_sim.azure import AzurePart
from cluster_sim.azure.arm import Arm
from cluster_sim.azure.cloud import Cloud
from cluster_sim.azure.families import KINDS
from cluster_sim.azure.faults import Faults
from cluster_sim.azure.kinds import Kind, by_key, resource_name
from cluster_sim.azure.seed import seed
from cluster_sim.azure.store import Store
from cluster_sim.azure.world import read_world
from cluster_sim.clock import ManualClock


def test_one_more_type_is_a_line_of_the_table() -> None:
    """What the engine does of every type it does of one that is not there yet; only what is that type's own (rules, children) is more."""
    clock = ManualClock()
    world = read_world(section())
    more = by_key(Kind("Microsoft.Search/searchServices", stamped=True, name=resource_name(r"[a-z0-9-]{2,60}")))
    cloud = Cloud(world, Store(None), clock, KINDS | more, "", Faults(world.faults))
    seed(cloud)
    azure = Direct(AzurePart(cloud, {"arm": Arm(cloud)}, {}, {}), clock)
    azure.token = json.loads(azure.log_in().body)["access_token"]
    azure.make("{sub}/resourceGroups/rg", location="eastus")
    at = "{sub}/resourceGroups/rg/providers/Microsoft.Search/searchServices"
    made = azure.make(f"{at}/search-1", location="East US", tags={"team": "bi"}, sku={"name": "basic"}, properties={"replicaCount": 1})
    assert (made["location"], made["properties"]["replicaCount"]) == ("eastus", 1) and made["systemData"]["createdBy"]
    assert azure.json("GET", f"{at}/search-1")["properties"]["provisioningState"] == "Succeeded"
    assert [one["name"] for one in azure.json("GET", at)["value"]] == ["search-1"]
    assert "search-1" in {one["name"] for one in azure.json("GET", "{sub}/resources")["value"]}
    azure.json("PATCH", f"{at}/search-1", {"tags": {"team": "ml"}})
    assert azure.json("GET", f"{at}/search-1")["tags"] == {"team": "ml"}
    refused = {
        "LocationNotAvailableForResourceType": azure.json("PUT", f"{at}/search-2", {"location": "marsnorth", "properties": {}}),
        "InvalidResourceName": azure.json("PUT", f"{at}/Search_2", {"location": "eastus", "properties": {}}),
        "ResourceNotFound": azure.json("GET", f"{at}/search-2"),
    }
    assert [answer["error"]["code"] for answer in refused.values()] == list(refused)
    assert azure.json("GET", "{sub}/providers/Microsoft.Search")["resourceTypes"][0]["resourceType"] == "searchServices"
    assert azure.ask("DELETE", f"{at}/search-1").status in (200, 202, 204)
    assert azure.json("GET", at)["value"] == []
