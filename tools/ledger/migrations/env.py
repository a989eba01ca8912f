"""How alembic reaches the ledger: over the connection that `tools.ledger.migrating` hands it, in the transaction that holds the lock."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
