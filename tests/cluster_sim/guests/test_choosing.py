"""Which body guests get, and the sentence that says why."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from guest_worlds import NETWORKS, Key, spec

from cluster_sim.guests import GuestProblem, chosen_kind, open_bodies
from cluster_sim.guests.probe import Finding, probe

GOOD = Finding("Linux", True, "Linux 6.1.")
CASES = [
    ((GOOD,), "pod", "real systemd"),
    (
        (Finding("Linux", False, "This is Darwin; system containers need Linux."),),
        "emulated",
        "for want of Linux: This is Darwin",
    ),
    ((GOOD, Finding("cgroups", False, "No cgroup version 2 is mounted.")), "emulated", "for want of cgroups: No cgroup"),
]


@pytest.mark.parametrize(("found", "kind", "why"), CASES)
def test_the_choice_and_its_reason(found: tuple[Finding, ...], kind: str, why: str) -> None:
    chosen, sentence = chosen_kind(found)
    assert chosen == kind
    assert why in sentence
    assert re.fullmatch(r"[A-Z].*[.]", sentence)


def test_the_probe_prints_a_table_and_its_conclusion() -> None:
    done = subprocess.run([sys.executable, "-m", "cluster_sim.guests", "probe"], check=True, capture_output=True, text=True)
    *rows, conclusion = done.stdout.splitlines()
    assert all(re.match(r"(yes|no ) +\S", row) for row in rows)
    assert conclusion.startswith("Guests are ")


def test_without_mmdebstrap_and_an_image_the_one_line_to_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("ip", "nsenter", "tar"):
        (tools / name).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tools))
    (image,) = [finding for finding in probe(tmp_path) if finding.what == "base image"] or [None]
    if image is None:
        pytest.skip("This machine lacks something before the image.")
    assert not image.good
    assert "apt-get install -y mmdebstrap uidmap iproute2" in image.why
    said: list[str] = []
    bodies = open_bodies("auto", tmp_path / "run", NETWORKS, said.append)
    assert bodies.kind == "emulated"
    assert "for want of base image" in said[0]
    bodies.close()
    with pytest.raises(GuestProblem, match="for want of base image"):
        open_bodies("pod", tmp_path / "run", NETWORKS, said.append)


def test_an_image_that_cannot_be_built_means_emulated_guests(pod_possible: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("CLUSTER_SIM_APT_MIRROR", "http://127.0.0.1:9/debian")
    said: list[str] = []
    bodies = open_bodies("auto", tmp_path / "run", NETWORKS, said.append)
    assert bodies.kind == "emulated"
    assert "mmdebstrap could not build" in said[-1]
    assert "emulated instead" in said[-1]
    assert not list((tmp_path / "empty").rglob("*.part"))
    bodies.close()


def test_no_body_is_up_at_once_and_answers_nothing(tmp_path: Path, key: Key) -> None:
    bodies = open_bodies("none", tmp_path, NETWORKS, print, keep=False)
    guest = spec(key, 1)
    bodies.boot(guest)
    assert bodies.is_up(guest.key)
    assert bodies.running() == (guest.key,)
    assert bodies.proxy_command is None
    with pytest.raises(GuestProblem, match="no body"):
        bodies.exec(guest.key, ["id"])
    bodies.shutdown(guest.key)
    assert not bodies.is_up(guest.key)
    bodies.close()


def test_an_unknown_body_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GuestProblem, match="no body called qemu"):
        open_bodies("qemu", tmp_path, NETWORKS, print, keep=False)


def test_the_proxy_command_is_plain_words_and_starts_fast(bodies, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    command = bodies.proxy_command
    assert re.fullmatch(r"[A-Za-z0-9_./+%-]+( [A-Za-z0-9_./+%-]+)*", command)
    assert command.endswith(" %h %p")
    words = command.replace("%h", "10.10.20.250").replace("%p", "22").split()
    assert "-S" in words
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "10.10.20.250" in done.stderr
