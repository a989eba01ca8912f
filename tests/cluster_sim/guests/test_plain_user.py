"""The pod without root: a plain user with subordinate ids and a cgroup of his own.

The user exists in a private mount namespace only, so nothing on this machine changes. His ids are the ones that root's guests
have, so the base image built for root is his as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_worlds import Key, until

import cluster_sim
from cluster_sim.guests.cgroups import cgroup_parent
from cluster_sim.guests.image import image_folder
from cluster_sim.guests.namespaces import RANGE_COUNT, ROOT_RANGE_FIRST

USER = ROOT_RANGE_FIRST
ENTER = r"""
set -eu
place=$1; cgroup=$2; images=$3; python=$4; subordinate=$5; shift 5
echo $$ > "$cgroup/cgroup.procs"
{ cat /etc/passwd; echo "plain:x:$USER_ID:$USER_ID::$place/home:/bin/sh"; } > "$place/passwd"
echo "$subordinate" > "$place/subordinate"
mount --bind "$place/passwd" /etc/passwd
for file in /etc/subuid /etc/subgid; do mount --bind "$place/subordinate" $file; done
mount --bind "$images" "$place/cache/cluster_sim/images"
# The interpreter may be below root's 0700 home, where a plain user's never is.
mount --bind "$python" "$place/python"
if [ "$python" != "${python#~root/}" ]; then
    mount -t tmpfs -o mode=755 none ~root
    mkdir -p "$python"
    mount --bind "$place/python" "$python"
fi
exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$@"
"""
WORLD = """
import sys
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from cluster_sim.guests import GuestSpec, open_bodies
bodies = open_bodies("auto", Path(sys.argv[1]), (IPv4Interface("10.10.20.1/24"),), print, keep=False)
print(bodies.kind, flush=True)
network = IPv4Interface("10.10.20.7/24"), IPv4Address("10.10.20.1")
bodies.boot(GuestSpec("7", "plain", "bc:24:11:00:00:07", *network, "ops", (sys.argv[2],)))
for _ in range(600):
    if bodies.is_up("7"):
        break
    __import__("time").sleep(0.1)
seen = "id -un; cat /proc/1/comm; su ops -s /bin/sh -c 'id -un'; awk '{print $2}' /proc/self/uid_map"
print(bodies.exec("7", ["sh", "-c", seen]).stdout, flush=True)
bodies.close()
print("closed", flush=True)
"""


@pytest.fixture
def plain(pod_possible: None) -> Iterator[Path]:
    """A folder of the plain user, with a cgroup that systemd would have delegated to him."""
    if os.geteuid() != 0:
        pytest.skip("Only root can make a plain user; when the tests run as one, all the others show this.")
    above = cgroup_parent()
    assert isinstance(above, Path)
    cgroup = above / f"plain-user-{os.getpid()}"
    cgroup.mkdir()
    for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
        os.chown(cgroup / name, USER, USER)
    # Not pytest's own folder, which is closed to other users.
    place = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    place.chmod(0o755)
    for name in ("home", "python", "cache/cluster_sim/images"):
        (place / name).mkdir(parents=True)
    for name in ("home", "cache", "cache/cluster_sim"):
        os.chown(place / name, USER, USER)
    yield place
    assert until(lambda: cgroup.joinpath("cgroup.events").read_text().startswith("populated 0"), 20)
    cgroup.rmdir()
    subprocess.run(["rm", "-rf", str(place)], check=True)


def run_as_plain(place: Path, subordinate: str, *words: str) -> subprocess.CompletedProcess[str]:
    source = Path(cluster_sim.__file__).parents[1]
    above = cgroup_parent()
    assert isinstance(above, Path)
    given = [str(place), str(above / f"plain-user-{os.getpid()}"), str(image_folder(print).parent), sys.base_prefix, subordinate]
    environment = {
        "USER_ID": str(USER),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(place / "home"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["unshare", "-m", "sh", "-c", ENTER, "enter", *given, sys.executable, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=source, timeout=120)


def test_a_plain_user_has_guests_with_a_real_body(plain: Path, key: Key) -> None:
    seen = run_as_plain(plain, f"plain:{USER + 1}:{RANGE_COUNT - 1}", "-c", WORLD, str(plain / "home/run"), key.public)
    assert seen.returncode == 0, seen.stderr
    said = seen.stdout.split()
    assert said[-7:] == ["pod", "root", "systemd", "ops", str(USER), str(USER + 1), "closed"], seen.stdout
    assert list((plain / "home/run/disks").iterdir()) == []


def test_without_subordinate_ids_he_is_told_what_to_do_and_gets_emulated_guests(plain: Path) -> None:
    seen = run_as_plain(plain, "somebody:1:65536", "-m", "cluster_sim.guests", "probe")
    assert "no   user ids" in seen.stdout
    assert "usermod --add-subuids" in seen.stdout
    assert seen.stdout.splitlines()[-1].startswith("Guests are emulated")
