"""Conversations and manifests are in a newer shape: of Azure OpenAI, the field `model` has become `models`. The tables stay as they are."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The values are brought up when they are read."""
