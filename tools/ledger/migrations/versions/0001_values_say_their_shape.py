"""The tables of Berth 0.1, which did not say their revision. From here on they do, and each value that is written says its shape."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The tables stay as they are."""
