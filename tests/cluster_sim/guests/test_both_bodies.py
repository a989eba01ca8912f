"""What the simulated cluster may expect of any body: the same stories on a pod and on emulated guests, with real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from guest_worlds import NETWORKS, Key, boot, make_key, spec, ssh

from cluster_sim.guests import Bodies, GuestProblem, open_bodies


def test_an_operator_logs_in_with_his_key_and_may_sudo(bodies: Bodies, key: Key) -> None:
    guest = spec(key, 11)
    boot(bodies, guest)
    seen = ssh(bodies, guest, key, "hostname; id -un; sudo -n id -un; cat /etc/hostname")
    assert seen.stdout.split() == ["web-11", "ops", "root", "web-11"], seen.stderr
    bodies.destroy(guest.key)


def test_a_stranger_is_refused(bodies: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 12)
    boot(bodies, guest)
    seen = ssh(bodies, guest, make_key(tmp_path), "id")
    assert seen.returncode == 255
    assert "Permission denied" in seen.stderr
    bodies.destroy(guest.key)


def test_exec_runs_as_root_without_a_login(bodies: Bodies, key: Key) -> None:
    guest = spec(key, 13)
    boot(bodies, guest)
    assert bodies.exec(guest.key, ["id", "-un"]).stdout == "root\n"
    assert bodies.exec(guest.key, ["cat", "/nowhere"]).returncode == 1
    bodies.destroy(guest.key)
    with pytest.raises(GuestProblem, match="not running"):
        bodies.exec(guest.key, ["id"])


def test_the_disk_outlives_a_shutdown_and_not_a_destroy(bodies: Bodies, key: Key) -> None:
    guest = spec(key, 14)
    boot(bodies, guest)
    ssh(bodies, guest, key, "echo kept > note")
    first_key = (key.private.parent / f"known_hosts-{bodies.kind}-{guest.key}").read_text()
    bodies.shutdown(guest.key)
    assert not bodies.is_up(guest.key)
    assert guest.key not in bodies.running()
    boot(bodies, guest)
    # The host key is the same too, or OpenSSH would refuse here.
    assert ssh(bodies, guest, key, "cat note").stdout == "kept\n"
    bodies.destroy(guest.key)
    (key.private.parent / f"known_hosts-{bodies.kind}-{guest.key}").unlink()
    boot(bodies, guest)
    assert ssh(bodies, guest, key, "cat note").stdout == ""
    assert (key.private.parent / f"known_hosts-{bodies.kind}-{guest.key}").read_text() != first_key
    bodies.destroy(guest.key)


@pytest.mark.parametrize("kind", ["pod", "emulated"])
def test_disks_are_found_again_by_the_next_simulator(pod_possible: None, kind: str, key: Key, tmp_path: Path) -> None:
    """What is kept is told again by its cloud-init drive when that says something else."""
    guest = spec(key, 19)
    first = open_bodies(kind, tmp_path / "run", NETWORKS, print, keep=True)
    boot(first, guest)
    assert ssh(first, guest, key, "echo kept > note").returncode == 0
    first.close()
    second = open_bodies(kind, tmp_path / "run", NETWORKS, print, keep=True)
    try:
        boot(second, guest)
        assert ssh(second, guest, key, "cat note").stdout == "kept\n"
        second.shutdown(guest.key)
        (key.private.parent / f"known_hosts-{kind}-{guest.key}").unlink()
        other = make_key(tmp_path)
        renamed = spec(other, 19, hostname="renamed")
        boot(second, renamed)
        assert ssh(second, renamed, other, "hostname; cat note").stdout == "renamed\nkept\n"
    finally:
        second.close()


def test_several_guests_are_started_and_stopped_at_once(bodies: Bodies, key: Key) -> None:
    guests = [spec(key, number) for number in (15, 16, 17)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda guest: boot(bodies, guest), guests))
        assert {guest.key for guest in guests} <= set(bodies.running())
        names = list(threads.map(lambda guest: ssh(bodies, guest, key, "hostname").stdout.strip(), guests))
        assert names == ["web-15", "web-16", "web-17"]
        list(threads.map(lambda guest: bodies.destroy(guest.key), guests))
    assert not {guest.key for guest in guests} & set(bodies.running())


def test_booting_twice_and_stopping_what_is_off_change_nothing(bodies: Bodies, key: Key) -> None:
    guest = spec(key, 18)
    boot(bodies, guest)
    bodies.boot(guest)
    assert bodies.running().count(guest.key) == 1
    bodies.shutdown(guest.key, force=True)
    bodies.shutdown(guest.key)
    bodies.destroy(guest.key)
    bodies.destroy(guest.key)


def test_a_guest_that_is_not_there_is_a_sentence_to_the_ssh_client(bodies: Bodies, key: Key) -> None:
    seen = ssh(bodies, spec(key, 99), key, "id")
    assert seen.returncode == 255
    assert "10.10.20.99" in seen.stderr
    assert "Traceback" not in seen.stderr


PLAY = """
- hosts: all
  become: true
  gather_facts: true
  tasks:
    - ansible.builtin.assert: {that: ansible_facts.os_family == "Debian"}
    - ansible.builtin.user: {name: ada, shell: /bin/bash, password: "*"}
    - ansible.builtin.file: {path: /srv/site, state: directory, owner: ada, group: ada, mode: "0750"}
    - ansible.builtin.copy: {content: "one\\ntwo\\n", dest: /srv/site/page, owner: ada, group: ada, mode: "0640"}
    - ansible.builtin.copy: {content: "a = 1\\n", dest: /etc/settings.conf, mode: "0644"}
    - ansible.builtin.file: {src: /usr/share/zoneinfo/Etc/UTC, dest: /etc/localtime, state: link}
    - ansible.builtin.stat: {path: /srv/site/page}
      register: page
    - ansible.builtin.command: {argv: [cat, /etc/settings.conf]}
      register: settings
      changed_when: false
    - ansible.builtin.service: {name: ssh, state: started, enabled: true}
    - ansible.builtin.assert:
        that:
          - page.stat.mode == "0640"
          - page.stat.pw_name == "ada"
          - page.stat.checksum == ("one\\ntwo\\n" | hash("sha1"))
          - settings.stdout == "a = 1"
"""


def run_play(bodies: Bodies, key: Key, number: int, folder: Path, text: str, *options: str, pipelining: bool = True) -> tuple[int, str]:
    """Runs a play with the installed ansible-core on nothing but its own settings. Returns how it ended and what it printed."""
    guest = spec(key, number)
    common = f'-F none -o UserKnownHostsFile={folder}/known -o ProxyCommand="{bodies.proxy_command}"'
    host = {
        "ansible_host": str(guest.address.ip),
        "ansible_user": guest.user,
        "ansible_ssh_private_key_file": str(key.private),
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": f"{common} -o StrictHostKeyChecking=accept-new",
    }
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {guest.hostname: host}}}))
    (folder / "play.yml").write_text(text)
    settings = {
        "ANSIBLE_HOME": str(folder / "home"),
        # Short, and of this body alone: a kept connection would lead to another guest with the same address.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"/tmp/cp-{os.getpid()}-{bodies.kind}",
        "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=5s",
        "ANSIBLE_PIPELINING": str(pipelining),
        "ANSIBLE_NOCOLOR": "1",
    }
    words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.json", "play.yml", *options]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=folder, env=os.environ | settings, timeout=240)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("bodies", ["emulated"], indirect=True)
def test_ansible_configures_it_and_a_second_run_changes_nothing(bodies: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 21)
    boot(bodies, guest)
    status, said = run_play(bodies, key, 21, tmp_path, PLAY)
    assert status == 0, said
    assert "changed=0" not in said
    status, said = run_play(bodies, key, 21, tmp_path, PLAY)
    assert status == 0, said
    assert "changed=0" in said, said
    bodies.destroy(guest.key)
