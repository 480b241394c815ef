"""Notices from PSPs, the secret that an account's PSP signs them with, and disputes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable)


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def table(name: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key), sqlite_strict=True, sqlite_with_rowid=False)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("notice_secret_sealed", sa.LargeBinary(), nullable=True))
    notices()
    disputes()


def notices() -> None:
    table(
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
        number("forget_ms", nullable=True),
        key=("account", "psp", "id"),
    )
    op.create_index("notices_forget_ms_account_psp_id", "notices", ["forget_ms", "account", "psp", "id"])
    op.create_index(
        "notices_status_received_ms_account_psp_id", "notices", ["status", "received_ms", "account", "psp", "id"]
    )


def disputes() -> None:
    table(
        "disputes",
        number("version"),
        text("account"),
        text("id"),
        text("intent"),
        text("attempt"),
        text("psp"),
        text("psp_reference"),
        number("amount_minor"),
        text("currency"),
        number("fee_minor"),
        text("reason"),
        text("status"),
        number("livemode"),
        number("event_sequence"),
        text("latest_event"),
        number("created_ms"),
        number("closed_ms", nullable=True),
        key=("account", "id"),
    )
    op.create_index("disputes_account_intent_id", "disputes", ["account", "intent", "id"])
    table(
        "dispute_references",
        text("account"),
        text("psp"),
        text("psp_reference"),
        text("dispute"),
        key=("account", "psp", "psp_reference"),
    )
    op.execute(
        "CREATE TRIGGER disputes_closed BEFORE UPDATE ON disputes "
        "WHEN OLD.status IN ('won', 'lost') AND NEW.status <> OLD.status "
        "BEGIN SELECT RAISE(ABORT, 'disputes: a closed one stays as it is'); END"
    )
