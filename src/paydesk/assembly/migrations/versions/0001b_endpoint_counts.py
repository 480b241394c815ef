"""How many webhook endpoints an account has, as a row: what the limit on them is decided on."""

import sqlalchemy as sa
from alembic import op

revision = "0001b"
down_revision = "0001"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "endpoint_counts",
        sa.Column("version", number, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("number", number, nullable=False),
        sa.PrimaryKeyConstraint("account"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO endpoint_counts (version, account, number) "
        "SELECT 1, account, count(*) FROM webhook_endpoints GROUP BY account"
    )
