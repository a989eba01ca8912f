"""Every `az` line of a guide is run as it is printed, by the Azure CLI from PyPI, against the world that the run was carried out in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.azure.azure_cli import Az, logged_in
from tests.conftest import Berth
from tests.stories_azure.conftest import approve

pytestmark = [pytest.mark.systems, pytest.mark.timeout(4000)]
FILLED = {
    "<object id>": "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c",
    "<group>": "rg-network-hub",
    "<network>": "vnet-hub-eastus",
    "<subnet>": "snet-shared",
    "GROUP": "0b6f2c11-3d4e-4a5f-8b6c-7d8e9f0a1b2c",
}
"""What a guide leaves to whoever reads it; a group of the directory, and the hub of the world."""
NOT_IN_THE_WORLD = {
    "az databricks": "an extension of the CLI, which is not on PyPI",
    "az storage fs": "the endpoint dfs is not simulated",
    "az storage container list": "the account's rules refuse this computer, which is in none of its networks",
    "az storage blob": "likewise",
    "az vm run-command": "no guest runs in a machine there",
    "az vm boot-diagnostics": "likewise, so that nothing is logged",
    "kubectl logs": "no kubelet runs a job's pod there",
}


@pytest.fixture(scope="module")
def az(azure_world: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory) -> Az:
    return logged_in(azure_world[0], tmp_path_factory.mktemp("guides"))


def lines(guide: str) -> Iterator[str]:
    """The `az` commands that stand alone in a block, each once."""
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    typed = (line.rstrip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    yield from dict.fromkeys(line for line in typed if line.startswith("az "))


@pytest.mark.parametrize(
    "typed",
    [
        "a storage account for the ml team, 200 GB, containers raw and gold, in eastus",
        "open port 443 from 10.1.0.0/16 on nsg-shared in eastus",
        "a PostgreSQL database in Azure for 100 users, for the ml team, in eastus",
        "a VM in Azure with 2 cores and 4 GB, for the ml team, in eastus",
        "Databricks with 2 workers and Azure OpenAI for the ml team, in eastus",
        "Spark environment with 2 GPUs, 5 TB of data daily, $8,000 a month, production, for the ml team",
    ],
)
def test_the_lines_of_a_guide_are_run_as_they_are_printed(azure: Berth, az: Az, typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    chat = azure.chat()
    planned = chat.say(typed)
    assert chat.kept is not None, planned.text
    done = approve(chat)
    assert chat.run.status == "done", done.text
    found = list(lines((chat.folder / "guide.md").read_text()))
    assert found, "a guide of Azure has lines for the Azure CLI"
    wrong, ran = [], 0
    for line in found:
        if any(words in line for words in NOT_IN_THE_WORLD):
            continue
        for gap, value in FILLED.items():
            line = line.replace(gap, value)
        answer = az.run(line.removeprefix("az "))
        ran += 1
        if answer.code != 0:
            wrong.append(f"{line}: {answer.err.strip()[-400:]}")
    with capsys.disabled():
        print(f"\n{ran} of {len(found)} az lines of the guide were run: {typed[:50]}")
    assert not wrong, "\n".join(wrong)
    assert ran > 0 or all(any(words in line for words in NOT_IN_THE_WORLD) for line in found)
    spent = chat.say("what do we spend?")
    assert "by the plans" in spent.text.lower(), spent.text
    chat.say("remove it")
    removed = approve(chat)
    assert chat.run.status == "removed", removed.text
