"""The whole life of a payment: capture and cancel, challenges, saved cards, expiry, and a timeline."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001b"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable, server_default=default)


def text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def table(name: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key), sqlite_strict=True, sqlite_with_rowid=False)


INTENT = (
    text("next_action", default="null"),
    text("setup_future_usage", nullable=True),
    text("payment_method", nullable=True),
    text("errand", default=""),
    number("refunding_minor", default="0"),
    number("refunded_minor", default="0"),
    number("disputed_minor", default="0"),
    text("matures_on", default=""),
    number("expires_ms", nullable=True),
)
ATTEMPT = (
    text("payment_method", nullable=True),
    number("save", default="0"),
    text("idempotency_key", default=""),
    number("captured_minor", default="0"),
    number("errands", default="0"),
    text("challenge_url", nullable=True),
    number("challenge_until_ms", nullable=True),
)


def upgrade() -> None:
    for name, columns in (("payment_intents", INTENT), ("attempts", ATTEMPT)):
        for column in columns:
            op.add_column(name, column)
    op.add_column("accounts", text("late_payments", default="refund"))
    op.add_column("idempotency_keys", text("request_id", default=""))
    op.execute("UPDATE attempts SET captured_minor = amount_minor WHERE status = 'captured'")
    op.create_index("payment_intents_expires_ms_account_id", "payment_intents", ["expires_ms", "account", "id"])
    errands()
    payment_methods()
    timeline()


def errands() -> None:
    table(
        "errands",
        number("version"),
        text("account"),
        text("id"),
        text("kind"),
        text("why"),
        text("intent"),
        text("attempt"),
        number("number"),
        number("amount_minor"),
        text("status"),
        text("idempotency_key"),
        number("created_ms"),
        number("settled_ms", nullable=True),
        key=("account", "id"),
    )
    op.create_index("errands_account_intent_id", "errands", ["account", "intent", "id"])


def payment_methods() -> None:
    table(
        "payment_methods",
        number("version"),
        text("account"),
        text("id"),
        text("psp"),
        text("token"),
        text("brand"),
        text("last4"),
        number("exp_month"),
        number("exp_year"),
        text("fingerprint"),
        number("created_ms"),
        key=("account", "id"),
    )


def timeline() -> None:
    table(
        "timeline",
        text("account"),
        text("intent"),
        text("entry"),
        number("at_ms"),
        text("what"),
        text("cause"),
        text("status"),
        text("about"),
        text("facts"),
        key=("account", "intent", "entry"),
    )
    for when, name in (("UPDATE", "no_update"), ("DELETE", "no_delete")):
        op.execute(
            f"CREATE TRIGGER timeline_{name} BEFORE {when} ON timeline "
            "BEGIN SELECT RAISE(ABORT, 'timeline: a row is never changed or removed'); END"
        )
