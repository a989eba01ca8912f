"""A tenant: people who share what they ask for and what it is made in, and see nothing of anybody else's."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tools.values.value import Value


class Tenant(Value):
    name: str = Field(default="", pattern=r"^$|^[a-z0-9][a-z0-9-]{0,39}$")
    """Empty: of those who are in none. They have what no tenant has."""
    members: tuple[str, ...] = ()
    """Names of people, and `group:NAME`."""
    pool: str = Field(default="", pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")
    """The Proxmox pool of its machines; empty: it makes none on the cluster."""
    subscriptions: tuple[str, ...] = ()
    """Of Azure; none: it makes nothing there."""
    notices: str = ""
    """Addresses of apprise, or a reference to them: who is told, in the place of the site's receivers, of what is its."""
    pools_of_others: tuple[str, ...] = ()
    subscriptions_of_others: tuple[str, ...] = ()

    def sees_pool(self, pool: str) -> bool:
        return pool == self.pool if self.name else pool not in self.pools_of_others

    def may_use(self, subscription: str) -> bool:
        return subscription in self.subscriptions if self.name else subscription not in self.subscriptions_of_others


class Tenants(Value):
    """As the roles file has them; none: everybody sees everything."""

    named: tuple[Tenant, ...] = ()

    @model_validator(mode="after")
    def _each_has_its_own(self) -> Self:
        for what in ("pool", "subscriptions"):
            had = [one for tenant in self.named for one in ((tenant.pool,) if what == "pool" else tenant.subscriptions) if one]
            if twice := next((one for one in had if had.count(one) > 1), ""):
                raise ValueError(f"{twice} is given to more than one tenant")
        return self

    def called(self, name: str) -> Tenant | None:
        """None where there are no tenants. One that is not in the file any more has nothing but its name."""
        if not self.named:
            return Tenant(name=name) if name else None
        if name:
            return next((one for one in self.named if one.name == name), Tenant(name=name))
        return Tenant(
            pools_of_others=tuple(one.pool for one in self.named if one.pool),
            subscriptions_of_others=tuple(one for tenant in self.named for one in tenant.subscriptions),
        )
