"""The `az` lines of a guide, run as they are printed by the Azure CLI from PyPI, against the world that the run was carried out in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.azure.azure_cli import Az
from tests.conftest import Chat

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
    "--attach-acr": "there is no registry there",
    "kubectl logs": "no kubelet runs a job's pod there",
}


def lines(guide: str) -> Iterator[str]:
    """The `az` commands that stand alone in a block, each once."""
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    typed = (line.rstrip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    yield from dict.fromkeys(line for line in typed if line.startswith("az "))


def run_lines(chat: Chat, az: Az) -> str:
    """How many of them were run. Fails with those that Azure did not take."""
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
    assert not wrong, "\n".join(wrong)
    assert ran > 0 or all(any(words in line for words in NOT_IN_THE_WORLD) for line in found)
    return f"{ran} of {len(found)} az lines of the guide were run"
