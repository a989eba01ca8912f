"""A name server of its own on loopback: ISC BIND, whose key may change A, AAAA, PTR and TXT records of two zones and no third."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.query
import pytest

from tools.values.site import NameServer

SECRET = "c2VjcmV0IG9mIGEgdGVzdCwgMzIgYnl0ZXMgbG9uZyE="
ZONES = ("example.org", "30.0.10.in-addr.arpa")
SHUT = "shut.example.net"
"""A zone that the key may not change."""
PROGRAM = shutil.which("named", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
"""Where Debian puts it a plain user's PATH does not lead."""
_STARTS_MAX = 200
_CONFIGURATION = """
options {{
  directory "{folder}"; pid-file "named.pid"; session-keyfile "session.key"; managed-keys-directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
logging {{ channel own {{ file "{folder}/log"; severity info; }}; category default {{ own; }}; }};
key "berth" {{ algorithm hmac-sha256; secret "{secret}"; }};
"""
_ZONE = 'zone "{zone}" {{ type primary; file "{zone}.db"; {may} }};\n'
_EMPTY = "$TTL 60\n@ IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 60\n@ IN NS ns.example.org.\n"


@dataclass
class Bind:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def site(self) -> NameServer:
        return NameServer(server="127.0.0.1", port=self.port, zones=ZONES, key=f"file:{self.folder / 'berth.key'}")

    def start(self) -> None:
        assert PROGRAM, "no name server is installed here"
        self.process = subprocess.Popen([PROGRAM, "-f", "-n", "1", "-c", str(self.folder / "named.conf")])
        for _ in range(_STARTS_MAX):
            try:
                return self._ask("example.org", "SOA", 0.1)
            except (OSError, EOFError, dns.exception.Timeout):
                assert self.process.poll() is None, (self.folder / "log").read_text()
        pytest.fail("the name server did not start")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
        self.process = None

    def has(self, name: str, kind: str = "A") -> tuple[str, ...]:
        """Asked without a key, as anybody may."""
        answer = dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", 5, self.port)
        return tuple(sorted(str(rdata).rstrip(".") for rrset in answer.answer for rdata in rrset))

    def _ask(self, name: str, kind: str, seconds: float) -> None:
        dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", seconds, self.port)


@contextmanager
def name_server(folder: Path, records: str = "") -> Iterator[Bind]:
    """`records`: lines of the zone example.org."""
    if PROGRAM is None:
        pytest.skip("no name server is installed here (Debian's package bind9)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    may = "update-policy { grant berth zonesub A AAAA PTR TXT; };"
    text = _CONFIGURATION.format(folder=folder, port=port, secret=SECRET)
    for zone in (*ZONES, SHUT):
        text += _ZONE.format(zone=zone, may="" if zone == SHUT else may)
        (folder / f"{zone}.db").write_text(_EMPTY + (f"ns IN A 127.0.0.1\n{records}\n" if zone == "example.org" else ""))
    (folder / "named.conf").write_text(text)
    (folder / "berth.key").write_text(f'key "berth" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n')
    server = Bind(folder, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
