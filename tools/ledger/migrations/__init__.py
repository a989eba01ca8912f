"""What alembic is told: one file in `versions/` for each revision of the tables. A ledger says in `alembic_version` which it has."""
