"""Brings in the PostgreSQL that the ledger is tested on besides SQLite."""

from .postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]
