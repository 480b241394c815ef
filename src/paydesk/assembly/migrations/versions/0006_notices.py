"""Notices from PSPs, and the secret that an account's PSP signs them with."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable)


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("notice_secret_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "notices",
        number("version"),
        text("account"),
        text("psp"),
        text("id"),
        text("about"),
        text("reference"),
        text("psp_reference"),
        text("body_sha256"),
        text("status"),
        text("reason"),
        number("tries"),
        number("received_ms"),
        number("settled_ms", nullable=True),
        sa.PrimaryKeyConstraint("account", "psp", "id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "notices_status_received_ms_account_psp_id", "notices", ["status", "received_ms", "account", "psp", "id"]
    )
