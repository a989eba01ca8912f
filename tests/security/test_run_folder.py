"""Whoever can write in a run's folder shows nobody what stands elsewhere, and overwrites nothing there."""

from __future__ import annotations

from pathlib import Path

from tests.engine.builders import world_at
from tools.clients.files import copy_private, private_folder
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.pipeline.requests import KEPT, find, keep
from tools.pipeline.showing import files_to_show
from tools.values.conversation import Conversation, Phase
from tools.values.request import Item, Request


def test_a_link_shows_nothing_that_stands_elsewhere(tmp_path: Path) -> None:
    world = world_at(tmp_path / "home")
    folder = private_folder(world.run_folder("run-1") / "web")
    (folder / "guide.md").write_text("the guide")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "id.md").write_text("a key of the operator's")
    (folder / "id.md").symlink_to(tmp_path / "elsewhere" / "id.md")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "within.md").symlink_to(folder / "guide.md")
    shown = files_to_show(world, Conversation(phase=Phase.DONE, run_id="run-1"))
    assert set(shown) == {"web__guide.md"}
    world.ledger.close()


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "plan").write_text("the plan")
    (tmp_path / "copy").symlink_to(tmp_path / "theirs")
    copy_private(tmp_path / "plan", tmp_path / "copy")
    assert (tmp_path / "theirs").read_text() == "theirs" and (tmp_path / "copy").read_text() == "the plan"
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_every_command_of_terraform_goes_by_our_own_configuration(tmp_path: Path) -> None:
    """`dev_overrides` there would run another program as the provider, whatever the lock file says."""
    folder, program = private_folder(tmp_path / "web"), tmp_path / "terraform"
    program.write_text("#!/bin/sh\necho '{}'; cp \"$TF_CLI_CONFIG_FILE\" read\n")
    program.chmod(0o755)
    settings = Settings.from_environment({"HOME": str(tmp_path), "BERTH_HOME": str(tmp_path / "home"), "BERTH_TERRAFORM": str(program)})
    (folder / "terraform.rc").write_text('provider_installation { dev_overrides { "bpg/proxmox" = "/tmp/evil" } }')
    Terraform(settings, folder).outputs()
    assert "dev_overrides" not in (folder / "read").read_text()


def test_a_request_that_was_made_to_have_another_one_s_name_does_not_take_its_place(tmp_path: Path) -> None:
    world = world_at(tmp_path / "home")
    mine, other = (Request(items=(Item(label=label, capability="web_server"),)) for label in ("mine", "other"))
    name = keep(world, mine)
    # Eight digits fit after some billions of tries; here it is put there at once.
    world.ledger.put(KEPT + f"request-{other.digest[:8]}", world.ledger.get(KEPT + name))
    longer = keep(world, other)
    assert longer == f"request-{other.digest[:16]}" and keep(world, mine) == name
    assert find(world, f"request-{other.digest[:8]}").request == mine and find(world, longer).request == other
    world.ledger.close()
