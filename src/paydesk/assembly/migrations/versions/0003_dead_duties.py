"""Duties count their failures; those that fail too often lie among the dead."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INDEXES = (
    ("died_ms", "account", "id"),
    ("kind", "died_ms", "account", "id"),
    ("account", "died_ms", "id"),
    ("id", "account"),
    ("kind", "created_ms"),
)
TEXTS = ("account", "id", "kind", "subject", "note", "reason")
NUMBERS = ("tries", "failures", "lease", "created_ms", "died_ms")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in ("failures", "final_failures"):
        op.add_column("duties", sa.Column(name, number, nullable=False, server_default="0"))
    tried = ["kind", "created_ms", "account", "id"]
    where = sa.text("tries > 0 AND note <> ''")
    op.create_index(f"duties_some_{'_'.join(tried)}", "duties", tried, sqlite_where=where)
    op.create_table(
        "dead_duties",
        *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
        *(sa.Column(name, number, nullable=False) for name in NUMBERS),
        sa.PrimaryKeyConstraint("account", "id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    for index in INDEXES:
        op.create_index(f"dead_duties_{'_'.join(index)}", "dead_duties", list(index))
    _list_dead_deliveries()


def _list_dead_deliveries() -> None:
    """Those that were given up before there was a list."""
    op.execute(
        "INSERT INTO dead_duties (account, id, kind, subject, note, tries, failures, reason, lease, created_ms, "
        "died_ms) SELECT account, 'deliver:' || event || ':' || endpoint, 'deliver', event, endpoint, attempts, 0, "
        "coalesce(error, 'given up'), 0, first_attempt_ms, last_attempt_ms FROM deliveries WHERE status = 'dead' "
        "AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.account = deliveries.account AND e.id = endpoint)"
    )
