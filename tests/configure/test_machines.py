"""The story of two real guests: configured, configured again, verified, broken, verified again, and described in a guide."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tools.clients import ssh
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext
from tools.pipeline.guide import write_guide
from tools.pipeline.verify import is_free, ran, verify
from tools.rules.words import guiding
from tools.values.trouble import WorldProblem

from .guests import OPERATOR_FINGERPRINT, PASSWORD, Site, commands_in, receipt_of

SECOND_PASSWORD = "another' one"


def quiet(_: str) -> None:
    pass


def test_says_each_task_as_a_whole_line(site: Site) -> None:
    lines = site.said["postgresql"]
    assert any(re.fullmatch(r"db-01 answers at 10\.20\.0\.31; its host key is SHA256:\S{43}\.", line) for line in lines)
    assert "postgresql: Set the server's settings … changed" in lines
    assert "postgresql: Make the account and the database … done" in lines
    assert not any("\n" in line or PASSWORD in line for line in lines)


def test_the_second_run_changes_nothing(site: Site) -> None:
    lines: list[str] = []
    with ThreadPoolExecutor(len(site.contexts)) as pool:
        list(pool.map(lambda context: configure(context, lines.append), site.contexts.values()))
    assert [line for line in lines if line.startswith("Configured")] == ["Configured 1 machine: 0 changes made."] * 2


@pytest.mark.parametrize("capability", ["postgresql", "web_server"])
def test_every_command_of_the_guide_is_run_as_it_is_printed(site: Site, capability: str) -> None:
    context = site.contexts[capability]
    verified, not_verified = verify(context, quiet)
    # A client that this computer has not is the only reason.
    assert len(not_verified) == (0 if shutil.which({"postgresql": "psql", "web_server": "curl"}[capability]) else 1)
    assert len(verified) + len(not_verified) == len(context.part.commands)
    answered = [one.printed for one in ran(context.part_folder) if one.outcome == "answered"]
    guide = own_guide(context)
    assert commands_in(guide) == sorted(answered)
    assert f"{OPERATOR_FINGERPRINT} operator@example.org" in guide
    for line in answered:  # as a person would: pasted into a shell
        for port in re.findall(r"127\.0\.0\.1:(\d+):", line):
            until_free(int(port))
        done = subprocess.run(["sh", "-c", line], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30, check=False)
        assert done.returncode == 0, line


def own_guide(context: PartContext) -> str:
    """The part's own; the run's has the other part's beside it."""
    write_guide(context, receipt_of(context))
    return (context.part_folder / "guide.md").read_text()


def until_free(port: int) -> None:
    """The verify step's own tunnel waits for a moment whether somebody else will come."""
    for _ in range(300):
        if is_free(port):
            return
        time.sleep(0.1)
    raise AssertionError(f"port {port} is still taken")


def test_the_database_answers_as_it_should(site: Site) -> None:
    verified, _ = verify(site.contexts["postgresql"], quiet)
    assert any(re.search(r"version, over TCP with the password\. It answered: PostgreSQL \d+", line) for line in verified)
    assert "db-01: See that the settings of this plan are in force. It answered: max_connections|120" in verified


def test_what_cannot_be_run_from_here_is_no_failure_and_not_in_the_guide(site: Site) -> None:
    context = site.contexts["web_server"]
    missing = guiding.from_here("web-01", "Ask it in another way", 80, "no-such-client http://127.0.0.1:{port}/", "ok")
    context = replace(context, part=context.part.model_copy(update={"commands": (*context.part.commands, missing)}))
    # A hardened template does this.
    site.root("web-01", "sh", "-c", "echo AllowTcpForwarding no > /etc/ssh/sshd_config.d/forward.conf; systemctl reload ssh")
    try:
        not_verified = verify(context, quiet, lambda _: None)[1]
    finally:
        site.root("web-01", "sh", "-c", "rm /etc/ssh/sshd_config.d/forward.conf; systemctl reload ssh")
    tunnel, client = not_verified
    assert tunnel.startswith("web-01: Ask the site from this computer, through SSH: not verified from here: it ended with ")
    assert client.startswith("web-01: Ask it in another way: not verified from here: it ended with 127, and it answered `sh:")
    guide = own_guide(context)
    assert "127.0.0.1" not in "".join(commands_in(guide))
    assert f"- {tunnel}\n- {client}\n" in guide


def test_the_settings_are_in_force(site: Site) -> None:
    answer = site.root("db-01", "su", "postgres", "-c", "psql -Atc 'show max_connections' -c 'show shared_buffers'")
    assert answer.split() == ["120", "512MB"]


def test_only_the_password_opens_the_database(site: Site) -> None:
    wrong = "PGPASSWORD=wrong psql -h 10.20.0.31 -U shop shop -c 'select 1'"
    done = site.bodies.exec("db-01", ["su", "ops", "-c", wrong])
    assert done.returncode != 0
    assert "password authentication failed" in done.stderr
    other = site.bodies.exec("db-01", ["su", "ops", "-c", "PGPASSWORD=wrong psql -h 10.20.0.31 -U postgres postgres -c 'select 1'"])
    assert "no pg_hba.conf entry" in other.stderr


def test_users_time_and_keys_are_there(site: Site) -> None:
    assert site.root("db-01", "cat", "/home/anna/.ssh/authorized_keys") == "ssh-ed25519 AAAAC3Nz anna@example.org\n"
    assert site.root("db-01", "date", "+%Z").strip() in ("CET", "CEST")
    assert site.root("db-01", "systemctl", "is-enabled", "postgresql", "prometheus-node-exporter", "systemd-timesyncd")


def test_a_stopped_service_is_found_out(site: Site) -> None:
    context = site.contexts["web_server"]
    assert any("It answered: ok" in line for line in verify(context, quiet)[0])
    site.root("web-01", "systemctl", "stop", "nginx")
    pauses: list[float] = []
    with pytest.raises(WorldProblem) as trouble:
        verify(context, quiet, pauses.append)
    assert trouble.value.retryable
    assert "web-01: Ask the site whether it is well: it ended with 7, and it answered `curl: (7) Failed to connect" in trouble.value.detail
    assert pauses
    site.root("web-01", "systemctl", "start", "nginx")
    verified, not_verified = verify(context, quiet)
    assert len(verified) + len(not_verified) == len(context.part.commands)


def test_a_changed_password_is_taken_over(site: Site) -> None:
    context = site.contexts["postgresql"]
    (context.run_folder / "secrets" / "database_password").write_text(SECOND_PASSWORD)
    lines: list[str] = []
    configure(context, lines.append)
    # The file with the password and the account; the server itself is left in peace.
    assert lines[-1] == "Configured 1 machine: 2 changes made."
    assert verify(context, quiet)[0]


def test_no_secret_outside_the_folder_for_secrets(site: Site) -> None:
    run_folder = site.contexts["postgresql"].run_folder
    secrets = [PASSWORD, SECOND_PASSWORD, (run_folder / "secrets" / "ssh_key").read_text().splitlines()[1]]
    forms = {form for text in secrets for form in (text, json.dumps(text)[1:-1], text.replace("'", "''"), text.split()[0])}
    files = [path for path in run_folder.rglob("*") if path.is_file() and path.parent.name != "secrets"]
    assert len(files) > 10
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        assert not [form for form in forms if form in text], path
        assert path.stat().st_mode & 0o077 == 0, path


def test_another_host_key_is_refused(site: Site) -> None:
    context = site.contexts["web_server"]
    known = ssh.known_hosts_file(context.run_folder)
    before = known.read_text()
    changed = "\n".join(line for line in before.splitlines() if not line.startswith("web-01 "))
    other = next(line for line in before.splitlines() if line.startswith("db-01 "))
    known.write_text(f"{changed}\n{other.replace('db-01', 'web-01', 1)}\n")
    try:
        with pytest.raises(WorldProblem, match="host key has changed") as trouble:
            wait(replace(context, machines=()), quiet)
        assert not trouble.value.retryable
        with pytest.raises(WorldProblem, match="host key has changed"):
            wait(context, quiet)
        with pytest.raises(WorldProblem, match="could not be reached"):
            configure(context, quiet)
    finally:
        known.write_text(before)
    assert wait(context, quiet) == context.machines


def test_the_guide_says_what_an_operator_needs(site: Site) -> None:
    context = site.contexts["postgresql"]
    verified, not_verified = verify(context, quiet)
    text = write_guide(context, receipt_of(replace(context, verified=verified, not_verified=not_verified))).read_text()
    machine = context.machines[0]
    for words in (
        "# PostgreSQL database: db-01",
        "postgresql://shop@10.20.0.31:5432/shop",
        str(context.run_folder / "secrets" / "database_password"),
        machine.host_key_sha256,
        "<http://10.20.0.31:9100/metrics>",
        "`make it 4 cores`",
        "Say `remove it` in the chat.",
        "bpg/proxmox 0.111.1",
        "It was run at ",
    ):
        assert words in text
    assert PASSWORD not in text
