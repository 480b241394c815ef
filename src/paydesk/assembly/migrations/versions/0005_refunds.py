"""Refunds, and money that arrives late."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    refunds()
    late_payments()


def late_payments() -> None:
    op.create_table(
        "late_payments",
        number("version"),
        text("account"),
        text("id"),
        text("intent"),
        text("attempt"),
        text("psp"),
        text("psp_reference"),
        number("amount_minor"),
        text("currency"),
        number("livemode"),
        text("status"),
        text("refund", nullable=True),
        number("event_sequence"),
        text("latest_event"),
        number("created_ms"),
        number("settled_ms", nullable=True),
        sa.PrimaryKeyConstraint("account", "id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("late_payments_account_intent_id", "late_payments", ["account", "intent", "id"])


def refunds() -> None:
    op.create_table(
        "refunds",
        number("version"),
        text("account"),
        text("id"),
        text("intent"),
        text("late_payment"),
        text("psp"),
        text("psp_url"),
        text("charge"),
        number("amount_minor"),
        text("currency"),
        number("fee_minor"),
        number("livemode"),
        text("reason", nullable=True),
        text("metadata"),
        text("status"),
        text("failure_reason", nullable=True),
        text("psp_reference", nullable=True),
        number("outcome_unknown"),
        number("sending_ms", nullable=True),
        number("sent_ms", nullable=True),
        number("quiet_ms"),
        text("idempotency_key"),
        number("event_sequence"),
        text("latest_event"),
        number("created_ms"),
        number("settled_ms", nullable=True),
        sa.PrimaryKeyConstraint("account", "id"),
        sqlite_strict=True,
    )
    op.create_index("refunds_account_intent_id", "refunds", ["account", "intent", "id"])
