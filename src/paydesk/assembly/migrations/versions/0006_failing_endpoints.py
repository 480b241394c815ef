"""Endpoints know since when they fail and why they were disabled, and count the events about themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("webhook_endpoints", sa.Column("failing_since_ms", number))
    op.add_column("webhook_endpoints", sa.Column("disabled_reason", sa.Text()))
    op.add_column("webhook_endpoints", sa.Column("event_sequence", number, nullable=False, server_default="0"))
    op.add_column("webhook_endpoints", sa.Column("latest_event", sa.Text()))
    op.execute("UPDATE webhook_endpoints SET disabled_reason = 'gone' WHERE status = 'disabled'")
