"""Where this machine gets its Debian packages: mirrors, keys, proxy and certificate authority, read from its own apt settings."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

MIRROR_VARIABLE = "CLUSTER_SIM_APT_MIRROR"
DEFAULT_SUITE = "bookworm"
_DISTRIBUTION = re.compile(r"debian|ubuntu", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """One line of a sources list."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None = None

    def line(self, uri: str | None = None) -> str:
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {options}{uri or self.uri} {self.suite} {' '.join(self.components)}"

    @property
    def plain_uri(self) -> str:
        """As guests write it: they speak plain HTTP with the package proxy, which upgrades on its way out."""
        return "http://" + self.uri.partition("://")[2]


@dataclass(frozen=True)
class Upstream:
    """How this machine reaches its mirrors."""

    http_proxy: str | None = None
    https_proxy: str | None = None
    ca_file: str | None = None
    verify: bool = True


def machine_sources() -> tuple[Source, ...]:
    """The distribution's own archives, as this machine names them; others (a vendor's, say) are left out.

    None where it names none.
    """
    mirror = os.environ.get(MIRROR_VARIABLE)
    suite = _release().get("VERSION_CODENAME", DEFAULT_SUITE)
    if mirror:
        return (Source(mirror.rstrip("/"), suite, ("main",), _archive_key()),)
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    texts = [(file.suffix, file.read_text(errors="replace")) for file in files if file.is_file()]
    found = tuple(source for ending, text in texts for source in read_sources(text, deb822=ending == ".sources"))
    return own_sources(found, suite)


def own_sources(sources: Iterable[Source], suite: str) -> tuple[Source, ...]:
    """Those of the distribution itself, without the archives a plain installation does not use."""
    return tuple(dict.fromkeys(source for source in sources if _is_distribution(source, suite)))


def read_sources(text: str, deb822: bool) -> Iterable[Source]:
    return _deb822(text) if deb822 else _one_line(text)


def suite_of(sources: tuple[Source, ...]) -> str:
    """The release itself, without -updates and -security."""
    return min((source.suite for source in sources), key=len)


def machine_upstream() -> Upstream:
    settings = dict(re.findall(r'^([\w:-]+) "(.*)";$', _run("apt-config", "dump"), re.MULTILINE))

    def proxy(kind: str) -> str | None:
        told = settings.get(f"Acquire::{kind}::Proxy") or os.environ.get(f"{kind}_proxy")
        return None if told in (None, "", "DIRECT", "false") else told

    return Upstream(
        proxy("http"),
        # apt asks the HTTP proxy for HTTPS too when it has no other.
        proxy("https") or proxy("http"),
        settings.get("Acquire::https::CAInfo") or settings.get("Acquire::https::CaInfo"),
        settings.get("Acquire::https::Verify-Peer", "true").lower() not in ("false", "0", "no"),
    )


def _is_distribution(source: Source, suite: str) -> bool:
    path = urlsplit(source.uri).path
    named = source.suite == suite or source.suite.startswith(f"{suite}-")
    wanted = not source.suite.endswith(("-backports", "-proposed"))
    return named and wanted and "main" in source.components and bool(_DISTRIBUTION.search(path.rstrip("/").rpartition("/")[2]))


def _one_line(text: str) -> Iterable[Source]:
    for line in text.splitlines():
        match = re.fullmatch(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+([^#]*?)\s*(?:#.*)?", line.strip())
        if match:
            options = dict(word.partition("=")[::2] for word in (match[1] or "").split())
            yield Source(match[2].rstrip("/"), match[3], tuple(match[4].split()), options.get("signed-by"))


def _deb822(text: str) -> Iterable[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t"):
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        # A key written into the stanza itself is not a file; apt's trusted keys serve instead.
        key = fields.get("signed-by")
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri.rstrip("/"), suite, tuple(fields.get("components", "").split()), key if key and key[0] == "/" else None)


def _archive_key() -> str | None:
    for name in ("debian-archive-keyring", "ubuntu-archive-keyring"):
        if (file := Path(f"/usr/share/keyrings/{name}.gpg")).exists():
            return str(file)
    return None


def _release() -> dict[str, str]:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return {}
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in text.splitlines())}


def _run(*words: str) -> str:
    try:
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
