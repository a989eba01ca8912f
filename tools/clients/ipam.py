"""The site's own register of addresses (IPAM), as whoever reads and keeps it needs it: which are taken, take one, give it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tools.clients.netbox import Netbox
from tools.clients.references import referred
from tools.values.site import Ipam
from tools.values.snapshot import Registered


class AddressRegister(Protocol):
    def taken(self, subnets: Sequence[str]) -> tuple[Registered, ...]:
        """All that has an address in one of the subnets. Raises WorldProblem when that cannot be seen."""
        ...

    def assert_registers(self) -> None:
        """Raises WorldProblem when the token may not register addresses. Nothing is changed."""
        ...

    def reserve(self, address: str, owner: str, note: str, dns_name: str) -> bool:
        """Registers an address with its prefix; False where it was registered for that owner already. `note` says whose it is, and begins
        with `owner`. Raises RequestProblem when it is another's, WorldProblem when the register is away or refuses."""
        ...

    def release(self, owner: str, goes: Callable[[str], bool]) -> tuple[str, ...]:
        """Takes away what was registered for that owner, as far as the address `goes`; which they were. Addresses of others are never
        touched."""
        ...


def open_ipam(site: Ipam) -> AddressRegister:
    """Raises RequestProblem when its token cannot be read."""
    return Netbox(site.url, referred(site.token), site.ca_file)
