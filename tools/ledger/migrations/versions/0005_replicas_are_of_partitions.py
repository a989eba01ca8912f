"""Conversations and manifests are in a newer shape: a machine's `replicas` has become `partition_replicas`. The tables stay as they are."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The values are brought up when they are read."""
