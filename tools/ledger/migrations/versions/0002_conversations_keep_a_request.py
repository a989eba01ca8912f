"""Conversations are in a newer shape: what was asked for in them is called by other names. The tables stay as they are."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The values are brought up when they are read."""
