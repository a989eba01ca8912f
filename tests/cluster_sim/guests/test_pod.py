"""What only a guest with a real body has: systemd, packages, walls around it, and an end that leaves nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Interface
from pathlib import Path

import pytest
from guest_worlds import NETWORKS, Key, boot, spec, ssh, until

import cluster_sim
from cluster_sim.guests import Bodies, GuestProblem, GuestSpec
from cluster_sim.guests.cgroups import cgroup_parent, clean_stale
from cluster_sim.guests.image import image_folder
from cluster_sim.guests.pod import PodBodies


@pytest.fixture(scope="module")
def guest(pod: Bodies, key: Key) -> Iterator[GuestSpec]:
    made = spec(key, 41, cpu_count=3, memory_bytes=2 * 2**30)
    boot(pod, made)
    yield made
    pod.destroy(made.key)


def test_systemd_runs_and_nothing_has_failed(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    assert until(lambda: pod.exec(guest.key, ["systemctl", "is-system-running"]).stdout != "starting\n")
    seen = ssh(pod, guest, key, "systemctl is-system-running; systemctl --failed --no-legend; cat /proc/1/comm")
    assert seen.stdout.split() == ["running", "systemd"], seen.stdout
    assert pod.exec(guest.key, ["cloud-init", "status"]).stdout == "status: done\n"


def test_its_network_card_and_names_are_as_asked(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    seen = pod.exec(guest.key, ["ip", "-br", "-4", "address", "show", "eth0"]).stdout
    assert "10.10.20.41/24" in seen
    assert guest.mac.lower() in pod.exec(guest.key, ["ip", "-br", "link", "show", "eth0"]).stdout
    assert pod.exec(guest.key, ["ip", "route", "show", "default"]).stdout.startswith("default via 10.10.20.1 dev eth0")
    assert pod.exec(guest.key, ["getent", "hosts", "web-41"]).stdout.split()[0] == "10.10.20.41"


def test_it_says_the_processors_and_the_memory_that_its_machine_has(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    assert ssh(pod, guest, key, "grep -c ^processor /proc/cpuinfo").stdout.strip() == "3"
    memory = dict(line.split(":") for line in pod.exec(guest.key, ["cat", "/proc/meminfo"]).stdout.splitlines())
    total_kb, free_kb = (int(memory[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    assert 1.9 * 2**20 < total_kb < 2 * 2**20 and free_kb < total_kb


def test_the_user_has_no_password_unless_one_is_set(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    shadow = pod.exec(guest.key, ["getent", "shadow", "ops"]).stdout
    assert shadow.split(":")[1] in ("!", "!*", "*", "!!")
    other = spec(key, 42, password="$6$salt$hash", user="root")
    boot(pod, other)
    # cloud-init sets passwords in a later stage than keys.
    assert until(lambda: pod.exec(other.key, ["getent", "shadow", "root"]).stdout.startswith("root:$6$salt$hash:"), 20)
    assert ssh(pod, other, key, "id -un").stdout == "root\n"
    pod.destroy(other.key)


def test_a_package_comes_through_the_proxy_and_nothing_else_does(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    seen = ssh(
        pod,
        guest,
        key,
        "sudo apt-get -qq update && sudo DEBIAN_FRONTEND=noninteractive apt-get -qq install -y tree && tree --version",
    )
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.splitlines()[-1].startswith("tree v")
    refused = pod.exec(guest.key, ["curl", "-sS", "-x", "http://10.10.20.1:3142", "-w", "%{http_code}", "http://example.org/"])
    assert refused.stdout.endswith("403"), refused
    for address in ("1.1.1.1", _address_of_this_machine()):
        seen = pod.exec(guest.key, ["curl", "-sS", "-m", "3", f"http://{address}/"])
        assert seen.returncode in (7, 28), seen


def _address_of_this_machine() -> str:
    words = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()
    return words[0] if words else "192.0.2.1"


def test_guests_of_different_networks_reach_each_other(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    other = spec(key, 43, NETWORKS[1])
    boot(pod, other)
    assert pod.exec(guest.key, ["ping", "-c", "1", "-W", "3", str(other.address.ip)]).returncode == 0
    pod.destroy(other.key)


def test_the_guests_root_is_nobody_outside(pod: Bodies, guest: GuestSpec, key: Key) -> None:
    seen = ssh(pod, guest, key, "sudo mknod /srv/disk b 7 0; sudo cat /proc/self/uid_map; sudo mount -o remount,rw /sys; ls /dev")
    assert "Operation not permitted" in seen.stderr
    assert int(seen.stdout.split()[1]) > 0
    assert not {"kmsg", "mem", "sda", "vda", "loop0", "kvm"} & set(seen.stdout.split())
    assert pod.exec(guest.key, ["pgrep", "-f", "pytest"]).returncode == 1


def test_a_service_is_told_to_stop_at_a_shutdown(pod: Bodies, key: Key) -> None:
    guest = spec(key, 44)
    boot(pod, guest)
    unit = "[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c 'echo stopped in order > /var/told'\n"
    unit += "[Install]\nWantedBy=multi-user.target\n"
    made = ssh(pod, guest, key, "sudo tee /etc/systemd/system/told.service; sudo systemctl enable --now told", stdin=unit)
    assert made.returncode == 0, made.stderr
    pod.shutdown(guest.key)
    boot(pod, guest)
    assert ssh(pod, guest, key, "cat /var/told; systemctl is-active told").stdout == "stopped in order\nactive\n"
    pod.destroy(guest.key)


def test_a_guest_can_restart_and_power_off_by_itself(pod: Bodies, key: Key) -> None:
    guest = spec(key, 45)
    boot(pod, guest)
    before = pod.exec(guest.key, ["cat", "/proc/sys/kernel/random/boot_id", "/etc/machine-id"]).stdout.split()[1]
    started = pod.exec(guest.key, ["stat", "-c", "%Y", "/proc/1"]).stdout
    ssh(pod, guest, key, "sudo systemctl reboot")
    assert until(lambda: pod.is_up(guest.key) and pod.exec(guest.key, ["stat", "-c", "%Y", "/proc/1"]).stdout > started)
    assert before == pod.exec(guest.key, ["cat", "/etc/machine-id"]).stdout.strip()
    assert ssh(pod, guest, key, "id -un").stdout == "ops\n"
    ssh(pod, guest, key, "sudo systemctl poweroff")
    assert until(lambda: guest.key not in pod.running())
    pod.destroy(guest.key)


def test_a_key_of_any_letters_is_one_disk(pod: Bodies, key: Key) -> None:
    guest = spec(key, 46, key="pve1/46:ü,../x")
    boot(pod, guest)
    assert "web-46" in ssh(pod, guest, key, "hostname").stdout
    pod.destroy(guest.key)


def test_more_guests_than_the_machine_can_have_is_a_sentence(pod_possible: None, key: Key, tmp_path: Path) -> None:
    bodies = PodBodies(tmp_path, image_folder(print), NETWORKS, keep=False, guests_max=1)
    try:
        bodies.boot(spec(key, 47))
        with pytest.raises(GuestProblem, match="at most 1 run at once"):
            bodies.boot(spec(key, 48))
    finally:
        bodies.close()


def test_closing_leaves_no_process_no_disk_and_no_cgroup(pod_possible: None, key: Key, tmp_path: Path) -> None:
    bodies = PodBodies(tmp_path, image_folder(print), NETWORKS, keep=False)
    boot(bodies, spec(key, 49))
    assert _left_of(tmp_path)
    bodies.close()
    assert _left_of(tmp_path) == []
    assert list((tmp_path / "disks").iterdir()) == []
    bodies.close()


SIMULATOR = """
import sys
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from cluster_sim.guests import GuestSpec, open_bodies
bodies = open_bodies("pod", Path(sys.argv[1]), (IPv4Interface("10.10.20.1/24"),), print, keep=False)
network = IPv4Interface("10.10.20.7/24"), IPv4Address("10.10.20.1")
bodies.boot(GuestSpec("7", "doomed", "bc:24:11:00:00:07", *network, "ops", (sys.argv[2],)))
while not bodies.is_up("7"):
    pass
print("up", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("victim", ["simulator", "keeper"])
def test_nothing_outlives_a_killed(pod_possible: None, key: Key, tmp_path: Path, victim: str) -> None:
    words = [sys.executable, "-c", SIMULATOR, str(tmp_path), key.public]
    source = str(Path(cluster_sim.__file__).parents[1])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, cwd=source, **pipes) as simulator:  # type: ignore[call-overload]
        assert "up\n" in iter(simulator.stdout.readline, "")
        assert len(_left_of(tmp_path)) > 3
        if victim == "keeper":
            os.kill(_keeper_of(simulator.pid), signal.SIGKILL)
            assert until(lambda: [left.split()[0] for left in _left_of(tmp_path)] == [str(simulator.pid)], 20)
        simulator.kill()
    assert until(lambda: _left_of(tmp_path) == [], 20), _left_of(tmp_path)
    place = cgroup_parent()
    assert isinstance(place, Path)
    # The keeper cleans up after a killed simulator; after a killed keeper the next one does.
    clean_stale(place)
    assert not [left for left in place.glob("cluster_sim-*") if not _lives(left)]
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def _left_of(folder: Path) -> list[str]:
    """Processes that name the folder, have it mounted, or stand in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if process.name != str(os.getpid()) and (
                str(folder) in line
                or os.readlink(process / "cwd").startswith(str(folder))
                or str(folder) in (process / "mountinfo").read_text()
            ):
                found.append(f"{process.name} {line}")
    return found


def _keeper_of(simulator: int) -> int:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == simulator:
                return int(process.name)
    raise AssertionError("the simulator has no child")


def _lives(cgroup: Path) -> bool:
    return Path("/proc", cgroup.name.split("-")[1]).exists()


def test_a_folder_is_one_simulators_and_its_old_disks_are_not_taken_over(pod_possible: None, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 50)
    first = PodBodies(tmp_path, image_folder(print), NETWORKS, keep=False)
    try:
        boot(first, guest)
        first.exec(guest.key, ["touch", "/srv/of-the-first-world"])
        first._keeper.kill()  # as a power cut would: no time to tidy up
        second = PodBodies(tmp_path, image_folder(print), NETWORKS, keep=False)
        try:
            boot(second, guest)
            assert second.exec(guest.key, ["ls", "/root"]).stdout == ""
        finally:
            second.close()
    finally:
        first.close()


def test_two_simulators_side_by_side_do_not_meet(pod: Bodies, guest: GuestSpec, key: Key, tmp_path: Path) -> None:
    other = PodBodies(tmp_path, image_folder(print), (IPv4Interface("10.10.20.1/24"),), keep=False)
    try:
        twin = spec(key, 41, hostname="twin")
        boot(other, twin)
        assert other.exec(twin.key, ["hostname"]).stdout == "twin\n"
        assert pod.exec(guest.key, ["hostname"]).stdout == "web-41\n"
    finally:
        other.close()
    assert pod.is_up(guest.key)
