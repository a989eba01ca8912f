"""Markdown in a terminal: drawn to its width, and nothing in it steers the terminal."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.words.drawing import draw_markdown, is_progress

CARD = """## Plan 0123456789ab: 1 to create

- **db-01**: 2 vCPU, 4 GiB memory, 40 GiB disk
- **Where**: node pve2, storage ceph-vm, network 20 (vmbr0, VLAN 20), address by DHCP, and a good deal more to be said of it

| of | sum | limit |
|---|---|---|
| memory of pve2 | 65 (promised to guests) + 8 (this request) and so on and on until the line is full = 73 | ≤ 102.4 GiB |

```mermaid
flowchart LR
```

To approve exactly this plan, reply:

    approve 0123456789ab
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_card_is_drawn_to_the_width_and_no_markdown_is_left(columns: int) -> None:
    drawn = draw_markdown(CARD, columns, colour=False)
    assert max(len(line.rstrip()) for line in drawn.splitlines()) <= min(columns, 100)
    assert not re.search(r"\*\*|^\||```|^#|mermaid|\x1b", drawn, re.MULTILINE)
    assert "\n    approve 0123456789ab" in drawn, "and what is typed can be copied"


def test_a_line_to_be_typed_is_never_broken() -> None:
    command = "ssh -F /somewhere/far/away/runs/run-1/ssh_config db-01 " + "'a long command' " * 10
    assert command.strip() in draw_markdown(f"Log in:\n\n    {command}\n", 80, colour=False)


def test_colour_is_there_where_it_is_wanted() -> None:
    assert "\x1b[" in draw_markdown(CARD, 80) and COLOUR.sub("", draw_markdown(CARD, 80)).strip()


@given(st.text())
def test_whatever_is_said_cannot_steer_the_terminal(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", draw_markdown(text, 80, colour=False))


@pytest.mark.parametrize(
    ("text", "progress"),
    [("Terraform is planning…", True), ("4 nodes…  \nTerraform is planning…", True), ("Done.", False), ("Trying again…\n\nDone.", False)],
)
def test_what_only_says_what_is_being_done_is_progress(text: str, progress: bool) -> None:
    assert is_progress(text) is progress


def test_rich_is_not_loaded_before_something_is_drawn() -> None:
    program = "import sys; import tools.rules.words.drawing; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
