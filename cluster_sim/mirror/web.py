"""HTTPS to a simulated world, and to nothing else: before anything is sent, the certificate must come from a `cluster_sim` CA.

What the answers mean is not known here.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cluster_sim.mirror.provider import Problem

SUBJECT_PREFIX = "cluster_sim"
"""As in `cluster_sim.authority`; not imported from there, because a provider that starts three times a command should start
quickly.
"""
_IN_ADDRESSES = "%/?&=:;,@!$'()*+~[]"
_TIMEOUT_S = 120.0
_IDLE_S_MAX = 3.0
"""A connection idle for longer is opened anew: the server may have closed it, and a POST must not be sent twice to find out."""


@dataclass(frozen=True)
class Reply:
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """A header, whatever its case; empty when there is none."""
        return next((value for given, value in self.headers.items() if given.lower() == name.lower()), "")

    @property
    def json(self) -> Any:
        """The decoded body; None when there is none, or when it is no JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


class Unreachable(Problem):
    """No answer: nobody listens, or the line dropped."""


class Web:
    """One server. Connections are kept and used again, each by one thread at a time."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        split = urlsplit(url)
        if split.scheme != "https" or not split.hostname:
            raise Problem(f"The endpoint must be an address that begins with https://, but it is {url!r}.")
        self.host, self.port = split.hostname, split.port or 443
        self._tls = tls
        self._idle: list[tuple[float, http.client.HTTPSConnection]] = []

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    def send(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Sends one request.

        `target` is path and query as a caller wrote them; what no address may hold is encoded, as Go does.
        """
        connection = None
        try:
            connection = self._connected()
            connection.request(method, quote(target, safe=_IN_ADDRESSES), body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except ssl.SSLCertVerificationError as error:
            raise Problem(
                f"The certificate of {self.name} is not trusted: {error.verify_message}.",
                "Nothing was sent. Set SSL_CERT_FILE to the CA file of the simulated world.",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            if connection:
                connection.close()
            why = str(error) or type(error).__name__
            raise Unreachable(f"{self.name} cannot be reached: {why}.", f"The request was {method} {target}.") from error
        if answer.will_close:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))
        return Reply(answer.status, answer.reason, dict(answer.headers.items()), content)

    def _connected(self) -> http.client.HTTPSConnection:
        # Taking from a list is one step, so threads cannot take the same connection.
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                break
            if time.monotonic() - since < _IDLE_S_MAX:
                return connection
            connection.close()
        connection = http.client.HTTPSConnection(self.host, self.port, context=self._tls, timeout=_TIMEOUT_S)
        connection.connect()
        self._refuse_real_worlds(connection)
        # A request goes out as several small writes; waiting to fill a packet would cost 40 ms each.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _refuse_real_worlds(self, connection: http.client.HTTPSConnection) -> None:
        tls = connection.sock
        issuer = issuer_name(tls.getpeercert() if isinstance(tls, ssl.SSLSocket) else None)
        if not issuer.startswith(SUBJECT_PREFIX):
            connection.close()
            raise Problem(
                f"The certificate of {self.name} was issued by {issuer!r}, not by a {SUBJECT_PREFIX} CA, so this is no simulated world.",
                "Nothing was sent: this stand-in provider works on simulated worlds only. For a real one, install the released "
                "provider "
                "(without the mirror folder of cluster_sim) by running terraform init again.",
            )


def system_trust() -> ssl.SSLContext:
    """Certificates are trusted as Go trusts them: SSL_CERT_FILE and SSL_CERT_DIR, else the system's."""
    return ssl.create_default_context()


def issuer_name(certificate: Mapping[str, Any] | None) -> str:
    names = [value for part in (certificate or {}).get("issuer", ()) for name, value in part if name == "commonName"]
    return names[0] if names else "an unnamed authority"


def encoded(values: Mapping[str, object]) -> str:
    """A form or query, as Go writes it: sorted by name."""
    return "&".join(f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in sorted(values.items()))
