"""A data workspace from the sentence to a second plan without changes, a clean removal, and bodies that Azure's own models know."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.capabilities import chain
from tools.clients.settings import Settings
from tools.pipeline.context import PartContext
from tools.pipeline.inside_cluster import Inside
from tools.pipeline.platforms.azure.verify import verify
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.policy import refused
from tools.values.site import Site
from tools.values.trouble import WorldProblem

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, name_of, owning, required, wanted_changes

WORDS = "Spark environment for our ML team, 5 TB of customer data daily, GPU for training, $8K/month"


def test_from_a_sentence_to_an_empty_plan_and_back(folder: Callable[[str], Folder], look: Look, azure_settings: Settings) -> None:
    needs = required(WORDS)
    regions, names = chain.places_to_look(needs, Site())
    before = look(regions, names)
    part = composed(WORDS, before).parts[0]
    place = folder(part.module)
    place.vary(part, team_group_id="0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c")
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []

    told: list[str] = []
    context = PartContext(azure_settings, place.path, place.path, part, outputs=place.terraform.outputs())
    assert verify(context, told.append) == tuple(told)
    assert all(name_of(part, kind) in told[0] for kind in ("cluster", "storage", "vault", "network"))
    context.outputs["resources"].append(f"{context.outputs['resources'][1]}-gone")
    with pytest.raises(WorldProblem, match="-gone is not there"):
        verify(context, told.append, lambda _: None)

    # Inside, everything is applied through Azure's run command, once; where a kubelet would be needed, it is told and not taken for done.
    inside = Inside(context, told.append, lambda _: pytest.fail("the roles have come through"))
    inside.apply()
    assert "role.rbac.authorization.k8s.io/spark-driver" in told[-1] and "daemonset.apps/nvidia-device-plugin" in told[-1]
    inside.apply()
    assert told[-1] == "Inside the cluster everything was there already."
    (there,), (open_,) = inside.look()
    assert "serviceaccount/spark" in there and "no kubelet" in open_
    account = next(one for one in inside.wanted["objects"]["items"] if one["kind"] == "ServiceAccount")
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"] == context.outputs["jobs"]["client_id"]
    assert (place.path / "spark-check.json").exists() and (place.path / "gpu-check.json").exists()

    # What it made is not in its own way when it is taken up again, and is in the way of anybody else.
    after = look(regions, names)
    assert errors(part, after) == {"name.free", "addresses.free"}
    assert errors(owning(part, place), after) == set()
    second = composed(WORDS, after).parts[0]
    assert name_of(second, "resource_group").endswith("-02")
    assert not {name for _, name in cloud_of(second).names} & {name for _, name in cloud_of(part).names}

    place.plan(destroy=True)
    place.apply()
    assert place.terraform.state_is_empty()
    # The vault is soft-deleted and keeps its name: the next workspace takes another.
    assert name_of(composed(WORDS, look(regions, names)).parts[0], "vault") != name_of(part, "vault")


@pytest.mark.parametrize("pick", ["a100/private-endpoint/on-demand", "t4/service-endpoint/spot"])
def test_bodies_are_those_that_azure_knows(folder: Callable[[str], Folder], look: Look, pick: str) -> None:
    words = (
        "spark for the ML team, 5 TB daily, GPU, alerts to ml@example.org, kept 30 days"
        if pick.startswith("t4")
        else "spark 1 TB daily, A100"
    )
    needs = required(words)
    part = composed(words, look(*chain.places_to_look(needs, Site())), pick).parts[0]
    place = folder(part.module)
    place.vary(part, team_group_id="0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c", cool_after_days=30, api_ranges=["198.51.100.0/24"])
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()


def test_a_wrong_body_is_noticed() -> None:
    def plan(kind: str, body: object) -> object:
        return {"resource_changes": [{"type": "azapi_resource", "address": "x", "change": {"after": {"type": kind, "body": body}}}]}

    storage = "Microsoft.Storage/storageAccounts@2025-01-01"
    assert bodies.faults(plan(storage, {"properties": {"isHnsEnabledd": True}})) == [
        "x: properties.isHnsEnabledd is not known to StorageAccountPropertiesCreateParameters"
    ]
    alert = {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", "allOf": [{"metricNam": "x"}]}
    assert len(bodies.faults(plan("Microsoft.Insights/metricAlerts@2018-03-01", {"properties": {"criteria": alert}}))) == 1
    pool = {"properties": {"agentPoolProfiles": [{"vmsize": "x"}], "addonProfiles": {"omsagent": {"enable": True}}, "fqdn": "x"}}
    assert len(bodies.faults(plan("Microsoft.ContainerService/managedClusters@2025-05-01", pool))) == 3
    assert bodies.faults(plan("Microsoft.Insights/diagnosticSettings@2021-05-01-preview", {"properties": {"logs": [{"on": True}]}}))
