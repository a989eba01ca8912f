"""The run's ssh_config as OpenSSH itself reads it, and the first contact with a machine that is not there."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.clients import ssh
from tools.clients.ssh import Host
from tools.values.trouble import RequestProblem, WorldProblem

from .guests import new_run_folder


def as_openssh_reads(folder: Path, name: str) -> dict[str, str]:
    done = subprocess.run(["ssh", "-F", str(ssh.config_file(folder)), "-G", name], capture_output=True, text=True, check=True)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


def test_openssh_reads_what_was_meant(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path)
    ssh.write_ssh_config(folder, [Host("db-01", "10.20.0.31", "ops")], "python dial.py %h %p")
    ssh.write_ssh_config(folder, [Host("web-01", "fd00::5", "ops")])
    ssh.write_ssh_config(folder, [Host("web-01", "10.20.0.32", "ops")])
    read = as_openssh_reads(folder, "db-01")
    assert read["hostname"] == "10.20.0.31"
    assert read["user"] == "ops"
    assert read["proxycommand"] == "python dial.py %h %p"
    assert read["stricthostkeychecking"] == "true"
    assert read["hostkeyalias"] == "db-01"
    assert as_openssh_reads(folder, "web-01")["hostname"] == "10.20.0.32"
    assert as_openssh_reads(folder, "elsewhere")["hostname"] == "elsewhere"
    assert ssh.config_file(folder).stat().st_mode & 0o077 == 0


def test_parts_that_write_side_by_side_lose_nothing(tmp_path: Path) -> None:
    names = [f"m-{number:02d}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: ssh.write_ssh_config(tmp_path, [Host(name, "10.0.0.1", "ops")]), names))
    assert [line.split()[1] for line in ssh.config_file(tmp_path).read_text().splitlines() if line.startswith("Host ")] == names


@pytest.mark.parametrize(
    ("host", "proxy", "kind"),
    [
        (Host("db-01\nProxyCommand touch x", "10.0.0.1", "ops"), "", RequestProblem),
        (Host("-oProxyCommand=x", "10.0.0.1", "ops"), "", RequestProblem),
        (Host("*", "10.0.0.1", "ops"), "", RequestProblem),
        (Host("db-01", "10.0.0.1", "ops\nx"), "", RequestProblem),
        (Host("db-01", "10.0.0.1; x", "ops"), "", WorldProblem),
        (Host("db-01", "", "ops"), "", WorldProblem),
        (Host("db-01", "10.0.0.1", "ops"), "x\nHost *", RequestProblem),
    ],
)
def test_what_would_be_more_than_a_value_is_refused(tmp_path: Path, host: Host, proxy: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        ssh.write_ssh_config(tmp_path, [host], proxy)
    assert not ssh.config_file(tmp_path).exists()


def test_a_machine_that_never_answers_is_given_up_on_in_words(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path)
    host = Host("db-01", "10.20.0.31", "ops")
    ssh.write_ssh_config(folder, [host], "false")
    said: list[str] = []
    pauses: list[float] = []
    with pytest.raises(WorldProblem) as trouble:
        ssh.wait_for(folder, host, said.append, unreached="Look there.", looks_max=12, pause=pauses.append)
    assert trouble.value.retryable and trouble.value.remedy == "Look there. Then say retry."
    assert "did not let ops in after 12 attempts" in trouble.value.detail
    assert len(pauses) == 12
    assert said == ["db-01: still waiting for SSH at 10.20.0.31."]


def test_the_fingerprint_is_the_one_ssh_keygen_prints(tmp_path: Path) -> None:
    folder = new_run_folder(tmp_path)
    public = (folder / "secrets" / "ssh_key.pub").read_text()
    ssh.known_hosts_file(folder).write_text(f"# a comment\ndb-01 {public}\n@revoked db-01 {public}\n")
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(folder / "secrets" / "ssh_key.pub")], capture_output=True, text=True, check=True)
    assert ssh.fingerprint(folder, "db-01") == done.stdout.split()[1]
    assert ssh.fingerprint(folder, "web-01") == ""


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\nerr\n"),
        (("sh", "-c", "echo out; echo err >&2"), 0, "out\n"),
        (("no-such-program",), 127, "There is no program no-such-program on this computer."),
        (("sleep", "9"), 255, "There was no answer within 0 s."),
    ],
)
def test_a_command_ends_in_bounded_time_with_a_bounded_answer(argv: tuple[str, ...], code: int, words: str) -> None:
    answer = ssh.run_command(argv, 0.3 if argv[0] == "sleep" else 10)
    assert (answer.code, answer.output) == (code, words)
