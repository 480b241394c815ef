"""A line of the log says why, where the operator did: what was dropped is found by its id, with its reason."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "audit_entries_some_object_id_at_ms",
        "audit_entries",
        ["object_id", "at_ms"],
        sqlite_where=sa.text("reason <> ''"),
    )
