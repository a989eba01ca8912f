"""Plans and runs say whose they are. What was there before belongs to nobody: to those who are in no tenant."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("plans", "runs"):
        op.add_column(table, sa.Column("tenant", sa.String, nullable=False, server_default=""))
