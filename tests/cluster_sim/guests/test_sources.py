"""Reading a machine's own apt sources: which lines are the distribution's, and what a guest is told of them."""

from __future__ import annotations

import pytest

from cluster_sim.guests.sources import Source, machine_sources, machine_upstream, own_sources, read_sources, suite_of

DEBIAN = """
Types: deb deb-src
# http://snapshot.mirror.example/archive/debian/20250520T000000Z
URIs: http://deb.mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.corp.example/debian-security/
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
KEY_INSIDE = """
Types: deb
URIs: https://mirror.corp.example/artifactory/debian-remote
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
"""
VENDORS = """
deb https://packages.cloud.google.com/apt cloud-sdk-bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian bookworm stable
deb https://apt.releases.hashicorp.com bookworm main
deb http://apt.postgresql.org/pub/repos/apt bookworm-pgdg main
"""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CASES = [
    (
        DEBIAN,
        True,
        [
            Source("http://deb.mirror.example/debian", "bookworm", ("main", "contrib"), KEYRING),
            Source("http://deb.mirror.example/debian", "bookworm-updates", ("main", "contrib"), KEYRING),
            Source("https://mirror.corp.example/debian-security", "bookworm-security", ("main",)),
        ],
    ),
    (KEY_INSIDE, True, [Source("https://mirror.corp.example/artifactory/debian-remote", "bookworm", ("main",))]),
    (VENDORS, False, []),
    (
        "deb [signed-by=/k.gpg arch=amd64] http://a/debian bookworm main  # ours\n#deb http://b/debian bookworm main\ndeb-src "
        "http://a/debian bookworm main",
        False,
        [Source("http://a/debian", "bookworm", ("main",), "/k.gpg")],
    ),
    ("", True, []),
    ("nonsense", False, []),
]


@pytest.mark.parametrize(("text", "deb822", "wanted"), CASES)
def test_the_distributions_own_sources_are_found(text: str, deb822: bool, wanted: list[Source]) -> None:
    assert list(own_sources(read_sources(text, deb822=deb822), "bookworm")) == wanted


def test_a_guest_speaks_plain_http_with_the_proxy() -> None:
    source = Source("https://mirror.corp.example/debian", "bookworm", ("main", "contrib"), KEYRING)
    assert source.line(source.plain_uri) == f"deb [signed-by={KEYRING}] http://mirror.corp.example/debian bookworm main contrib"


def test_the_suite_is_the_release_itself() -> None:
    assert suite_of((Source("x", "bookworm-updates", ()), Source("x", "bookworm", ()))) == "bookworm"


def test_this_machine_has_sources_and_a_way_to_them() -> None:
    sources = machine_sources()
    assert sources
    assert all("main" in source.components for source in sources)
    assert machine_upstream().verify in (True, False)
