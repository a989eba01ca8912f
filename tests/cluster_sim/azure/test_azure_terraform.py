"""Real Terraform with the stand-in azapi against the served Azure: apply, plan again, change in place, destroy."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure_site import Site
from test_azure_azapi import ID, WORKSPACE

from cluster_sim.mirror import lay_out

TERRAFORM_S_MAX = 120
LEFT_OUT = ("/agentPools/gpu",)
"""A pool made beside its cluster shows in the cluster's own list, in Azure as here; a module gives all pools in the cluster."""


def _configuration(site: Site) -> dict[str, Any]:
    at = f"/subscriptions/{site.subscription}"
    resources: dict[str, Any] = {}
    names: dict[str, str] = {}
    for raw_id, raw in WORKSPACE:
        if raw_id.endswith(LEFT_OUT):
            continue
        id_, body = raw_id.replace("{sub}", at), json.loads(json.dumps(raw).replace("{sub}", at))
        resource = {**_address(id_, at), "schema_validation_enabled": False, "ignore_casing": True}
        resource |= {k: body.pop(k) for k in ("location", "tags") if k in body}
        if identity := body.pop("identity", None):
            resource["identity"] = [{"type": identity["type"], "identity_ids": list(identity.get("userAssignedIdentities", {}))}]
        if raw_id == ID:
            resource["response_export_values"] = ["properties.principalId"]
        if "principalId" in body.get("properties", {}):
            body["properties"]["principalId"] = f"${{azapi_resource.{names[ID]}.output.properties.principalId}}"
        if body:
            resource["body"] = body
        if resources:
            resource["depends_on"] = [f"azapi_resource.{list(resources)[-1]}"]
        names[raw_id] = f"r{len(resources):02d}"
        resources[names[raw_id]] = resource
    ready = site.part.ready()
    provider = {
        "disable_instance_discovery": True,
        "skip_provider_registration": True,
        "use_cli": False,
        "endpoint": [
            {
                "resource_manager_endpoint": site.url,
                "active_directory_authority_host": site.url,
                "resource_manager_audience": site.url,
            }
        ],
    } | {k: ready[k] for k in ("tenant_id", "subscription_id", "client_id", "client_secret")}
    return {
        "terraform": {"required_providers": {"azapi": {"source": "Azure/azapi", "version": "~> 2.12.0"}}},
        "provider": {"azapi": provider},
        "resource": {"azapi_resource": resources},
    }


def _address(id_: str, at: str) -> dict[str, str]:
    before, _, rest = id_.rpartition("/providers/")
    if not before:
        return {"type": "Microsoft.Resources/resourceGroups@2024-11-01", "name": id_.rsplit("/", 1)[1], "parent_id": at}
    parts = rest.split("/")
    parent = before if len(parts) == 3 else f"{before}/providers/{'/'.join(parts[:-2])}"
    return {"type": f"{'/'.join((parts[0], *parts[1::2]))}@2025-01-01", "name": parts[-1], "parent_id": parent}


@pytest.fixture
def terraform(site: Site, tmp_path: Path) -> Callable[..., int]:
    settings = tmp_path / "cli.tfrc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{lay_out(tmp_path / "mirror")}"\n  }}\n}}\n')
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": site.ca_file,
        "TF_CLI_CONFIG_FILE": str(settings),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
    }

    def run(*arguments: str, allowed: tuple[int, ...] = (0,)) -> int:
        command = ["terraform", *arguments, "-no-color", "-input=false"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TERRAFORM_S_MAX, check=False)
        assert done.returncode in allowed, done.stdout[-4000:] + done.stderr[-4000:]
        return done.returncode

    return run


def test_a_data_workspace_by_terraform(site: Site, terraform: Callable[..., int], tmp_path: Path) -> None:
    cloud = site.part.cloud
    before = set(cloud.store.resources)
    configuration = _configuration(site)
    file = tmp_path / "main.tf.json"
    file.write_text(json.dumps(configuration))
    terraform("init")
    terraform("apply", "-auto-approve")
    assert len(set(cloud.store.resources) - before) >= len(configuration["resource"]["azapi_resource"])
    assert terraform("plan", "-detailed-exitcode", allowed=(0, 2)) == 0, "a second plan shows no changes"

    configuration["resource"]["azapi_resource"]["r00"]["tags"] = {"team": "data"}
    file.write_text(json.dumps(configuration))
    generation = cloud.store.resources[f"/subscriptions/{site.subscription}/resourcegroups/rg-dw"].generation
    terraform("apply", "-auto-approve")
    group = cloud.store.resources[f"/subscriptions/{site.subscription}/resourcegroups/rg-dw"]
    assert (group.body["tags"], group.generation) == ({"team": "data"}, generation), "changed in place"
    terraform("destroy", "-auto-approve")
    assert set(cloud.store.resources) == before
