"""Whose rows a statement sees and changes: those of one tenant, or all. Here and nowhere else: a statement need not think of it.

It is told by an option of the connection. Reservations, leases and the audit chain are everybody's: two tenants cannot have one address.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.util import find_tables

TENANT = "berth_tenant"
"""Of a connection: the tenant's name; not set, or None: all."""
WHOLE = "berth_whole"
"""Of a statement: it counts what is everybody's."""


class Scoping:
    def __init__(self, plans: sa.Table, runs: sa.Table, of_plans: dict[sa.Table, str], of_runs: dict[sa.Table, str]) -> None:
        """`of_plans`, `of_runs`: tables whose rows belong to a plan or a run, and by which column."""
        self._plans, self._runs = plans, runs
        self._of = {
            **{table: (table.c[name], plans, plans.c.digest) for table, name in of_plans.items()},
            **{table: (table.c[name], runs, runs.c.id) for table, name in of_runs.items()},
        }

    def listen(self, engine: sa.Engine) -> None:
        sa.event.listen(engine, "before_execute", self._scoped, retval=True)

    def _scoped(self, connection: Connection, clause: Any, several: Any, params: Any, options: Any) -> tuple[Any, Any, Any]:
        tenant = connection.get_execution_options().get(TENANT)
        if tenant is not None and not options.get(WHOLE):
            if isinstance(clause, sa.Insert):
                clause = clause.values(tenant=tenant) if clause.table in (self._plans, self._runs) else clause
            elif isinstance(clause, sa.Select):
                froms = clause.get_final_froms()
                if not all(isinstance(one, sa.Table | sa.Join) for one in froms):
                    raise AssertionError("what stands in a question within a question is not narrowed")
                for table in {one for each in froms for one in find_tables(each)}:
                    clause = self._narrowed(clause, table, tenant)
            elif isinstance(clause, sa.Update | sa.Delete):
                clause = self._narrowed(clause, clause.table, tenant)
            else:
                raise AssertionError(f"{type(clause).__name__} cannot be narrowed to a tenant")
        return clause, several, params

    def _narrowed(self, clause: Any, table: Any, tenant: str) -> Any:
        if table in (self._plans, self._runs):
            return clause.where(table.c.tenant == tenant)
        if table in self._of:
            column, owner, key = self._of[table]
            return clause.where(column.in_(sa.select(key).where(owner.c.tenant == tenant).correlate(None)))
        return clause
