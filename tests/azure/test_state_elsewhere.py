"""Terraform's record of what exists in a blob: Terraform's own backend against the simulated subscription, and what is told of locks."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cluster_sim.serve import Settings as ServeSettings
from cluster_sim.serve import open_world
from cluster_sim.world import read_world
from tests.engine.test_terraform import in_environment
from tools.clients import detached
from tools.clients.settings import Settings
from tools.clients.terraform import BACKEND, Terraform
from tools.clients.terraform_words import Lock, lock_of, problem_of_events
from tools.pipeline.begun import mend_record
from tools.pipeline.state_place import is_chosen, spelled
from tools.values.trouble import WorldProblem
from tools.values.value import Json

ROOT = Path(__file__).parents[2]
HOST = socket.gethostname()
PRODUCTION = "9a1d4c70-6b2e-4f83-8c55-02e7b1f3d946"
HELD = """Error acquiring the state lock: Error message: state blob is already locked
Lock Info:
  ID:        10e7f18b-b1b0-5144-f23c-c2c009325a4e
  Path:      tfstate/a/b.tfstate
  Operation: OperationTypeApply
  Who:       alice@laptop
  Version:   1.11.4
  Created:   2026-11-30 06:00:37.600494124 +0000 UTC
  Info:

Terraform acquires a state lock to protect the state from being written"""
"""As Terraform 1.11.4 said it, 2026-11-30."""
MODULE = """
variable "fifo" { type = string }
resource "terraform_data" "slow" {
  input = var.fifo
  provisioner "local-exec" { command = "cat '${var.fifo}'" }
}
"""


def backend(key: str, container: str = "tfstate") -> Json:
    settings = {"storage_account_name": "stnorthwindstate", "container_name": container, "key": key, "use_azuread_auth": True}
    return {"terraform": {"backend": {"azurerm": settings}}}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Of a subscription where the record may be kept, reached through a proxy as at many a site."""
    folder = tmp_path_factory.mktemp("state_elsewhere")
    with ExitStack() as stack:
        read = read_world(ROOT / "cluster_sim" / "worlds" / "azure_two_subscriptions.yaml")
        ready = open_world(read, ServeSettings(guests="none", folder=folder), stack)
        azure = ready["azure"]
        stack.enter_context(in_environment(HTTPS_PROXY=azure["proxy"]))
        named = {f"ARM_{name.upper()}": azure[name] for name in ("tenant_id", "client_id", "client_secret")}
        places = ("ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "ARM_RESOURCE_MANAGER_AUDIENCE")
        yield Settings.from_environment(
            {
                **named,
                **dict.fromkeys(places, azure["url"]),
                "ARM_SUBSCRIPTION_ID": PRODUCTION,
                "BERTH_CA_FILE": str(ready["ca_file"]),
                "BERTH_PROVIDER_MIRROR": str(ready["mirror"]),
                "BERTH_HOME": str(folder / "home"),
                "HOME": str(folder),
            }
        )


Make = Callable[[str], Terraform]


@pytest.fixture
def made(settings: Settings, tmp_path: Path) -> Make:
    """A folder whose record is in the blob of that name."""

    def make(key: str) -> Terraform:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / BACKEND).write_bytes(spelled(backend(key)))
        (folder / "main.tf").write_text(MODULE)
        os.mkfifo(folder / "fifo")
        (folder / "terraform.tfvars.json").write_text(json.dumps({"fifo": str(folder / "fifo")}))
        terraform = Terraform(settings, folder)
        terraform.write_configuration()
        terraform.init()
        return terraform

    return make


class Applying(NamedTuple):
    process: subprocess.Popen[str]
    said: list[str]

    def end(self) -> int:
        assert self.process.stdout is not None
        self.said.extend(self.process.stdout)
        return self.process.wait()


@contextmanager
def applying(terraform: Terraform) -> Iterator[Applying]:
    """An apply in the middle of what it does: it holds the lock, and goes on when its FIFO is written to."""
    terraform.plan(validate=False)
    command = terraform.apply_command(terraform.folder / "tfplan")
    process = subprocess.Popen(command, cwd=terraform.folder, env=terraform.environment(), text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    found = Applying(process, [])
    try:
        for line in process.stdout:
            found.said.append(line)
            if '"apply_start"' in line:
                break
        else:
            raise AssertionError("".join(found.said))
        yield found
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):  # Whoever still reads there ends; nobody does when it went on.
            os.close(os.open(terraform.folder / "fifo", os.O_WRONLY | os.O_NONBLOCK))
        process.stdout.close()


def go_on(terraform: Terraform) -> None:
    with (terraform.folder / "fifo").open("w") as fifo:
        fifo.write("go on\n")


def break_lock(terraform: Terraform) -> None:
    """As somebody does who is sure that nobody works there."""
    said = terraform._run("force-unlock", "-force", "00000000-0000-0000-0000-000000000000", seconds_max=20).err
    lock = lock_of(said)
    assert lock is not None, said
    assert terraform._run("force-unlock", "-force", lock.id, seconds_max=20).code == 0


def test_the_record_is_in_the_blob_and_not_in_the_folder(made: Make) -> None:
    terraform = made("run-1/part.tfstate")
    assert terraform.state_is_empty()
    before = terraform.record_sha256()
    with applying(terraform) as apply:
        go_on(terraform)
        assert apply.end() == 0
    assert [one["type"] for one in terraform.state()["resources"]] == ["terraform_data"]
    assert terraform.record_sha256() not in ("", before)
    assert not (terraform.folder / "terraform.tfstate").exists()
    again = made("run-1/part.tfstate")
    assert again.state() == terraform.state(), "whoever has the folder has the record"
    assert is_chosen((again.folder / ".terraform" / "terraform.tfstate").read_bytes(), (again.folder / BACKEND).read_bytes())


def test_of_two_on_one_record_the_second_is_told_who_has_it(made: Make) -> None:
    first, second = made("run-2/part.tfstate"), made("run-2/part.tfstate")
    second.folder.joinpath("fifo").unlink()
    with applying(first) as apply:
        said = second._run("plan", "-json", "-lock-timeout=0s", seconds_max=30).out
        trouble = problem_of_events("Terraform could not make a plan.", said, ())
        assert isinstance(trouble, WorldProblem) and trouble.retryable
        assert f"{getpass.getuser()}@{HOST}" in trouble.detail and "terraform force-unlock" in trouble.remedy
        go_on(first)
        assert apply.end() == 0
    assert second._run("plan", "-json", "-lock-timeout=0s", seconds_max=30).code == 0


def test_a_lock_that_is_lost_in_mid_apply_loses_no_record(made: Make) -> None:
    terraform = made("run-3/part.tfstate")
    with applying(terraform) as apply:
        break_lock(terraform)
        go_on(terraform)
        assert apply.end() == 1
    trouble = problem_of_events("Terraform could not finish.", "".join(apply.said), ())
    assert "somebody broke the lock" in trouble.detail and "errored.tfstate" in trouble.detail and "say retry" in trouble.remedy
    assert terraform.state_is_empty()
    assert "taken back" in terraform.mend_state(terraform.folder / "state.before")
    assert not terraform.state_is_empty()


def place_of_another_time(place: Path, began: float) -> Path:
    """Of a program of this machine, in files whose keeper's clock is an hour ahead."""
    place.mkdir()
    (place / "begun").write_text(json.dumps({"at": began, "machine": detached.this_machine()}))
    for name, at in (("begun", began), ("output", time.time())):
        (place / name).touch()
        os.utime(place / name, (at + 3600, at + 3600))
    return place


def test_what_was_killed_leaves_a_lock_that_its_own_retry_takes_away(made: Make) -> None:
    terraform = made("run-4/part.tfstate")
    began = time.time()
    with applying(terraform) as apply:
        apply.process.kill()
        apply.process.wait()
    assert terraform.free_lock(HOST, began - 900, began - 600) == "", "a lock of another time is somebody's"
    assert terraform._run("plan", "-json", "-lock-timeout=0s", seconds_max=30).code == 1
    assert "taken away" in mend_record(terraform, place_of_another_time(terraform.folder / "place", began))
    assert terraform._run("plan", "-json", "-lock-timeout=0s", seconds_max=30).code == 0
    assert terraform.free_lock(HOST, began, time.time()) == ""


@pytest.mark.parametrize(
    ("content", "next_move"),
    [
        (backend("a.tfstate", "elsewhere"), "Storage Blob Data Contributor"),
        (backend("a.tfstate", "tfstate2"), "Storage Blob Data Contributor"),
    ],
)
def test_a_container_that_is_not_ours_is_told_before_anything_is_planned(made: Make, content: Json, next_move: str) -> None:
    terraform = made("run-5/part.tfstate")
    (terraform.folder / ".terraform" / "terraform.tfstate").unlink()
    (terraform.folder / BACKEND).write_bytes(spelled(content))
    with pytest.raises(WorldProblem) as told:
        terraform.init()
    assert next_move in told.value.remedy


@pytest.mark.parametrize(
    ("user", "host", "after", "before", "ours"),
    [
        ("alice", "laptop", -5, 5, True),
        ("alice", "laptop", 5, 10, False),
        ("alice", "laptop", -10, -5, False),
        ("alice", "desktop", -5, 5, False),
        ("bob", "laptop", -5, 5, False),
    ],
)
def test_whose_lock_it_is(user: str, host: str, after: float, before: float, ours: bool) -> None:
    lock = lock_of(HELD)
    assert lock is not None and lock.breakable and lock.operation == "OperationTypeApply"
    at = lock.created.timestamp()
    assert at == 1_796_018_437
    assert lock.is_of(user, host, at + after, at + before) is ours


@pytest.mark.parametrize(
    "text", ["", "nothing of a lock", HELD.replace("Created:   2026", "Created:   when"), HELD.replace("  Who", "  Whose")]
)
def test_no_lock_is_read_out_of_other_words(text: str) -> None:
    assert lock_of(text) is None


def test_a_local_lock_is_nothing_to_break() -> None:
    lock = lock_of(HELD.replace("tfstate/a/b.tfstate", "terraform.tfstate"))
    assert isinstance(lock, Lock) and not lock.breakable


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ({"type": "azurerm", "config": {**backend("a")["terraform"]["backend"]["azurerm"], "sas_token": None}}, True),
        ({"type": "azurerm", "config": {**backend("a")["terraform"]["backend"]["azurerm"], "sas_token": "x"}}, False),
        ({"type": "azurerm", "config": backend("b")["terraform"]["backend"]["azurerm"]}, False),
        ({"type": "http", "config": backend("a")["terraform"]["backend"]["azurerm"]}, False),
        (None, False),
    ],
)
def test_what_terraform_wrote_down_of_a_backend_must_be_the_one_that_is_configured(written: Any, same: bool) -> None:
    assert is_chosen(json.dumps({"backend": written}).encode(), spelled(backend("a"))) is same
    assert not is_chosen(b"{", spelled(backend("a")))
