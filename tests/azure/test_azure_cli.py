"""The Azure CLI against the simulated Azure: what operators type about the things that Berth makes, each command with what it must tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_sim.serve import Settings, open_world
from cluster_sim.world import read_world
from tests.azure.azure_cli import Az, logged_in

pytestmark = [pytest.mark.systems, pytest.mark.timeout(4000)]
COMMANDS = yaml.safe_load(Path(__file__).with_name("az_commands.yaml").read_text())


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Az, dict[str, Any], Path]]:
    world = Path(__file__).parents[2] / "cluster_sim" / "worlds" / "azure_subscription.yaml"
    folder = tmp_path_factory.mktemp("azure_cli")
    with ExitStack() as stack:
        ready = open_world(read_world(world), Settings(guests="none", folder=folder / "world"), stack)
        yield stack.enter_context(logged_in(ready, folder)), ready, folder


def test_what_operators_type_is_answered_as_azure_answers(at: tuple[Az, dict[str, Any], Path]) -> None:
    az, ready, folder = at
    (folder / "file").write_text("some text\n")
    wrong = []
    for command, *wanted in COMMANDS:
        line = command.replace("{sub}", ready["azure"]["subscription_id"]).replace("{tmp}", str(folder))
        answer = az.run(line, "-o", "json", *(["--query", wanted[0]] if wanted else []))
        if answer.code != 0:
            wrong.append(f"az {command}: {answer.err.strip()[-300:]}")
        elif wanted and answer.json != wanted[1]:
            wrong.append(f"az {command}: {wanted[0]} is {answer.json!r} and not {wanted[1]!r}")
    assert (folder / "back").read_text() == "some text\n"
    assert wrong == [], f"{len(COMMANDS) - len(wrong)} of {len(COMMANDS)} right"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("group create -n rg-c -l marsnorth", "LocationNotAvailableForResourceGroup"),
        ("storage account create -g rg-network-hub -n data -l eastus --sku Standard_LRS", "StorageAccountAlreadyTaken"),
        ("storage account create -g rg-network-hub -n stother -l japaneast --sku Standard_LRS", "RequestDisallowedByPolicy"),
        ("storage account show -g rg-gone -n stnone", "ResourceGroupNotFound"),
        ("postgres flexible-server show -g rg-network-hub -n psql-none", "ResourceNotFound"),
        ("keyvault show -n kv-none", "not found within subscription"),
        (
            "network vnet subnet create -g rg-network-hub --vnet-name vnet-hub-eastus -n s --address-prefixes 10.200.0.0/24",
            "NetcfgInvalidSubnet",
        ),
        ("eventhubs namespace show -g rg-network-hub -n evhns-none", "ResourceNotFound"),
        ("ad group show --group nobody", "nobody"),
    ],
)
def test_what_azure_refuses_is_refused_with_its_code(at: tuple[Az, dict[str, Any], Path], command: str, code: str) -> None:
    answer = at[0].run(command)
    assert answer.code != 0 and code.lower() in answer.err.lower(), answer.err
