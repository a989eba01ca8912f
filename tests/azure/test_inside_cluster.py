"""A part's objects go into its cluster through Azure's run command, when the roles have come through and a node takes the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.authority import make_authority
from cluster_sim.azure import build
from cluster_sim.clock import ManualClock
from cluster_sim.http import Server
from tools.capabilities.data_workspace.objects import wanted
from tools.clients.aks import STARTS_MAX
from tools.clients.settings import Settings
from tools.pipeline.context import PartContext
from tools.pipeline.inside_cluster import ALLOWED_SECONDS, Inside
from tools.values.snapshot import SubscriptionSnapshot
from tools.values.trouble import WorldProblem

from .conftest import ROOT, composed

SLOW_S = 100
ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
Given = Callable[..., tuple[Inside, list[str]]]


@pytest.fixture
def given(tmp_path: Path, seen: SubscriptionSnapshot) -> Iterator[Given]:
    """A cluster in a world where roles take their time, and whose clock goes on while somebody waits."""
    clock, told, servers = ManualClock(), list[str](), list[Server]()
    part = composed("spark 1 TB daily", seen).parts[0]

    def make(*taints: str) -> tuple[Inside, list[str]]:
        world = yaml.safe_load((ROOT / "cluster_sim/worlds/azure_subscription.yaml").read_text())["azure"] | {"role_propagation_s": SLOW_S}
        simulated, authority = build(world, clock), make_authority(tmp_path)
        servers.append(Server(simulated.services["arm"], authority.server_tls("azure")).start())
        url = f"https://localhost:{servers[0].port}"
        simulated.bind({"arm": url})
        ready = simulated.ready()
        names = {f"ARM_{name.upper()}": ready[name] for name in ("tenant_id", "subscription_id", "client_id", "client_secret")}
        places = ("ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "ARM_RESOURCE_MANAGER_AUDIENCE")
        settings = Settings.from_environment({**names, **dict.fromkeys(places, url), "BERTH_CA_FILE": str(authority.ca_file)})
        cluster_id = _cluster(simulated, taints)
        context = PartContext(settings, tmp_path, tmp_path, part, outputs=_outputs(cluster_id))
        return Inside(context, told.append, clock.advance), told

    yield make
    for server in servers:
        server.stop()


def _cluster(simulated: Any, taints: tuple[str, ...]) -> str:
    """Made as ARM makes it, and its administrator's role beside it."""
    from cluster_sim.azure import changes
    from cluster_sim.azure.login import Caller

    cloud = simulated.cloud
    subscription, caller = cloud.world.subscriptions[0].id, Caller(cloud.world.tenant.client_id, cloud.world.tenant.object_id)
    cluster_id = f"/subscriptions/{subscription}/resourceGroups/rg-monitoring/providers/Microsoft.ContainerService/managedClusters/aks"
    pools = [
        {"name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5", "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"]},
        {"name": "drivers", "count": 1, "vmSize": "Standard_D4s_v5", "nodeTaints": list(taints)},
    ]
    properties = {"dnsPrefix": "aks", "aadProfile": {"managed": True, "enableAzureRBAC": True}, "agentPoolProfiles": pools}
    body = {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": properties}
    role = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ADMIN}"
    assignment = f"{cluster_id}/providers/Microsoft.Authorization/roleAssignments/6f1b5d5c-31a7-4f2e-9f0e-5a6b7c8d9e01"
    given = {"properties": {"roleDefinitionId": role, "principalId": caller.object_id, "principalType": "ServicePrincipal"}}
    for id_, written in ((cluster_id, body), (assignment, given)):
        address = cloud.address(id_)
        changes.put(cloud, address, cloud.kind(address.type), written, caller, seeding=True)
    return cluster_id


def _outputs(cluster_id: str) -> dict[str, Any]:
    lake = {"name": "stx", "container": "bronze"}
    return {"cluster": {"id": cluster_id}, "jobs": {"client_id": "client"}, "tenant_id": "tenant", "storage": lake}


def test_what_is_not_allowed_yet_is_tried_again_until_the_role_counts(given: Given) -> None:
    inside, told = given()
    began = inside.pause.__self__.now()  # type: ignore[attr-defined]
    inside.apply()
    waited = inside.pause.__self__.now() - began  # type: ignore[attr-defined]
    assert SLOW_S <= waited < SLOW_S + 2 * ALLOWED_SECONDS
    assert len(told) == 2 and "serviceaccount/spark" in told[1], "once that it waits, once what was made"
    (there,), (open_,) = inside.look()
    assert "configmap/spark-settings" in there and open_.startswith("The Spark job spark-check was handed in")
    told.clear()
    inside.apply()
    assert told == ["Inside the cluster everything was there already."]


def test_without_a_node_that_takes_the_command_it_is_said_whose_move_it_is(given: Given) -> None:
    inside, _ = given("dedicated=x:NoSchedule")
    began = inside.pause.__self__.now()  # type: ignore[attr-defined]
    with pytest.raises(WorldProblem, match=f"no node for its pod, {STARTS_MAX} times") as problem:
        inside.apply()
    assert problem.value.retryable and "drivers" in problem.value.remedy
    assert inside.pause.__self__.now() > began  # type: ignore[attr-defined]


def test_an_object_that_is_gone_is_missed_and_made_again(given: Given) -> None:
    inside, _ = given()
    inside.apply()
    assert inside.run("kubectl delete sa spark -n spark")[0] == 0
    with pytest.raises(WorldProblem, match='serviceaccounts "spark" not found'):
        inside.look()
    inside.apply()
    assert inside.look()[0]


@pytest.mark.parametrize(("spot", "gpu"), [(True, True), (False, False)])
def test_what_is_wanted_inside_fits_the_pools(spot: bool, gpu: bool) -> None:
    inside = wanted(10, 8, 64, spot=spot, gpu=gpu)
    kinds = [one["kind"] for one in inside["objects"]["items"]]
    assert ("DaemonSet" in kinds) is gpu and ("gpu_check" in inside) is gpu
    settings = next(one for one in inside["objects"]["items"] if one["kind"] == "ConfigMap")["data"]
    executor = yaml.safe_load(settings["executor.yaml"])["spec"]
    assert executor["nodeSelector"] == {"pool": "workers"}
    assert [one["value"] for one in executor.get("tolerations", [])] == (["spot"] if spot else [])
    lines = dict(line.split(" ", 1) for line in settings["spark-defaults.conf"].splitlines())
    assert int(lines["spark.executor.cores"]) < 8 and int(lines["spark.executor.memory"].rstrip("g")) * 1.1 < 64 * 0.9
    assert json.dumps(inside).count("${jobs.client_id}") == 2
