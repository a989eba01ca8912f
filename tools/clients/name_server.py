"""A name server that takes dynamic updates (RFC 2136), signed with a TSIG key (RFC 8945). What it is to have is decided elsewhere.

A record of ours has a mark beside it, put and taken away in the same update: a TXT record of its name that says for whom it was put, and
what it is. Anything without such a mark is another's, even where it says just what we would put there.
"""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.clients.references import go_on, referred
from tools.rules.names.foreign import theirs
from tools.values.names import Kind, Record
from tools.values.site import NameServer
from tools.values.trouble import RequestProblem, WorldProblem

if TYPE_CHECKING:
    import dns.message

ANSWER_SECONDS_MAX = 10.0
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")
"""Of RFC 8945 section 6, without MD5."""
PROBE = "berth-probe"
"""A name that nobody has: what `doctor` asks to be taken away, so that nothing changes."""
_BLOCK = re.compile(
    r'key\s+"?(?P<name>[\w.-]+)"?\s*\{\s*algorithm\s+"?(?P<algorithm>[\w-]+)"?\s*;\s*secret\s+"?(?P<secret>[\w+/=]+)"?\s*;\s*\}\s*;?',
    re.ASCII,
)
_LINE = re.compile(r"(?P<algorithm>hmac-[\w-]+):(?P<name>[\w.-]+):(?P<secret>[\w+/=]+)", re.ASCII)
_REFUSALS = {
    "REFUSED": ("it lets this key change nothing there", "Let the key change A, AAAA, PTR and TXT records of the zone (`update-policy`)"),
    "NOTAUTH": ("it has no such zone, or does not know the key", "Name zones that this server has itself, and give it the key"),
    "NOTZONE": ("the name is in no zone of that name", "Name the zone as the server has it"),
    "SERVFAIL": ("it could not write it down", "Look into its log: often it may not write beside the zone's file"),
}
"""What a response code means of an update (RFC 2136 section 3, RFC 8945 section 5), and what helps."""


@dataclass(frozen=True)
class Key:
    name: str
    algorithm: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.name})"


def read_key(text: str) -> Key | None:
    """As tsig-keygen prints it (`key "berth" { algorithm hmac-sha256; secret "…"; };`) or in one line, as `nsupdate -y` takes it
    (`hmac-sha256:berth:…`); None of anything else."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))).strip()
    found = _BLOCK.fullmatch(plain) or _LINE.fullmatch(plain)
    if found is None or found["algorithm"].lower() not in ALGORITHMS:
        return None
    try:
        base64.b64decode(found["secret"], validate=True)
    except ValueError:
        return None
    return Key(found["name"], found["algorithm"].lower(), found["secret"])


@dataclass(frozen=True)
class Updates:
    """The name server, with the key at hand."""

    site: NameServer
    key: Key

    def values(self, name: str, kind: Kind) -> tuple[str, ...]:
        """What leads from the name, as the server itself has it; an alias counts."""
        import dns.message
        import dns.rdatatype

        answer = self._ask(dns.message.make_query(name, kind), name)
        return tuple(
            f"an alias of {spelled(rdata)}" if rrset.rdtype == dns.rdatatype.CNAME else spelled(rdata)
            for rrset in answer.answer
            if spelled(rrset.name) == name
            for rdata in rrset
        )

    def others(self, name: str, kind: Kind, owner: str) -> tuple[str, ...]:
        """What leads from the name and was not put there for that owner."""
        ours = self._marks(name, owner)
        return tuple(one for one in self.values(name, kind) if f"{kind} {one}" not in ours)

    def put(self, record: Record, owner: str) -> bool:
        """False where it was put for that owner already. Raises RequestProblem when the name is another's."""
        if others := self.others(record.name, record.kind, owner):
            raise taken(record.name, others)
        stand = self.values(record.name, record.kind)
        if record.data in stand:
            return False
        update = self._update(record.zone)
        if stand:
            update.present(f"{record.name}.", record.kind, *(_written(record.kind, one) for one in stand))
        else:
            update.absent(f"{record.name}.", record.kind)
        update.add(f"{record.name}.", self.site.ttl_seconds, record.kind, _written(record.kind, record.data))
        update.add(f"{record.name}.", self.site.ttl_seconds, "TXT", _mark(record, owner))
        self._ask(update, record.zone)
        if record.data not in self.values(record.name, record.kind):
            raise WorldProblem("A name was not taken.", f"{self.site.server} took {record.spelled}, and has it not.", "Look into its log.")
        return True

    def drop(self, record: Record, owner: str) -> bool:
        """Takes this one record away, and no other of the name; False where none was put for that owner."""
        if f"{record.kind} {record.data}" not in self._marks(record.name, owner):
            return False
        self._ask(self._removal(record, owner), record.zone)
        return True

    def assert_changes(self, zone: str) -> None:
        """Raises Trouble when the key may not change the zone. What it asks for changes nothing."""
        kind: Kind = "PTR" if zone.endswith(".arpa") else "A"
        data = f"{PROBE}.invalid" if kind == "PTR" else "192.0.2.1"  # Of RFC 6761 and RFC 5737: nobody's.
        self._ask(self._removal(Record(zone=zone, name=f"{PROBE}.{zone}", kind=kind, data=data), PROBE), zone)

    def _marks(self, name: str, owner: str) -> frozenset[str]:
        """`A 10.0.30.11`: what was put there for that owner."""
        import dns.message
        import dns.rdatatype

        answer = self._ask(dns.message.make_query(name, "TXT"), name)
        rows = (rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT and spelled(rrset.name) == name)
        texts = (tuple(one.decode(errors="replace") for one in rdata.strings) for rrset in rows for rdata in rrset)
        return frozenset(text[1] for text in texts if len(text) == 2 and text[0] == owner)

    def _removal(self, record: Record, owner: str) -> Any:
        update = self._update(record.zone)
        update.delete(f"{record.name}.", record.kind, _written(record.kind, record.data))
        update.delete(f"{record.name}.", "TXT", _mark(record, owner))
        return update

    def _update(self, zone: str) -> Any:
        import dns.update

        return dns.update.UpdateMessage(f"{zone}.")

    def _ask(self, message: dns.message.Message, about: str) -> dns.message.Message:
        import dns.exception
        import dns.message
        import dns.name
        import dns.query
        import dns.rcode
        import dns.tsig

        message.use_tsig(dns.tsig.Key(self.key.name, self.key.secret, self.key.algorithm))
        try:
            address = socket.getaddrinfo(self.site.server, self.site.port, type=socket.SOCK_STREAM)[0][4][0]
            answer = dns.query.tcp(message, str(address), timeout=ANSWER_SECONDS_MAX, port=self.site.port)
        except dns.tsig.PeerBadTime:
            raise self._refused(about, "its clock and this one differ by more than five minutes", "Set both clocks") from None
        except (dns.tsig.PeerError, dns.tsig.BadSignature) as error:
            raise self._refused(
                about, f"it does not take the key {self.key.name} ({type(error).__name__})", "Give both the same key"
            ) from None
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise WorldProblem(
                "The name server is away.",
                f"{self.site.server}, port {self.site.port}, was asked about {about} and did not answer: "
                f"{theirs(str(error) or type(error).__name__)}.",
                f"Look whether it runs, then say retry. {WITHOUT}",
                retryable=True,
            ) from None
        code = dns.rcode.to_text(answer.rcode())
        # A lookup of what is not there is answered by NXDOMAIN.
        if code in ("NOERROR", "NXDOMAIN"):
            return answer
        if code in ("YXDOMAIN", "YXRRSET"):
            raise taken(about, ("something since a moment ago",))
        raise self._refused(about, *_REFUSALS.get(code, (f"it answered {code}", "Look into its log")))

    def _refused(self, about: str, why: str, helps: str) -> WorldProblem:
        return WorldProblem(
            "The name server refuses.", f"{self.site.server} was asked about {about}: {why}.", f"{helps}, then say retry. {WITHOUT}"
        )


WITHOUT = "To go on without names, take `names` out of the site file, start Berth again and say retry."


def open_updates(site: NameServer) -> Updates:
    """Raises RequestProblem when the key cannot be read."""
    key = read_key(referred(site.key))
    if key is None:
        raise RequestProblem(
            "A key cannot be taken.",
            f"What stands at {site.key} is no TSIG key.",
            f"Put there what `tsig-keygen berth` prints, then {go_on(site.key)}.",
        )
    return Updates(site, key)


def _written(kind: Kind, data: str) -> str:
    return f"{data}." if kind == "PTR" else data


def _mark(record: Record, owner: str) -> str:
    """Two texts, because one has no room for a long name (RFC 1035 section 3.3: 255 octets)."""
    return f'"{owner}" "{record.kind} {record.data}"'


def taken(name: str, found: Sequence[str]) -> RequestProblem:
    return RequestProblem(
        "A name is taken.",
        f"{name} leads to {theirs(' and '.join(found))} at the name server, which Berth did not put there.",
        "Take that away at the name server, then say retry; or say leave, and ask again under another name.",
    )


def spelled(name: object) -> str:
    return str(name).lower().rstrip(".")
