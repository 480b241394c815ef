"""The first schema: accounts, payments, books, events, duties."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NEVER_CHANGED = ("events", "ledger_transactions", "ledger_postings")
NEVER_REMOVED = ("ledger_transactions", "ledger_postings")


def number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def blob(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def table(name: str, *columns: sa.Column[Any], key: tuple[str, ...], rowid: bool) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key), sqlite_strict=True, sqlite_with_rowid=rowid)


def refuse(name: str, table: str, when: str, why: str) -> None:
    """A trigger that refuses a change whatever code asks for it."""
    op.execute(f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{table}: {why}'); END")


def triggers() -> None:
    for name in NEVER_CHANGED:
        refuse(f"{name}_no_update", name, f"UPDATE ON {name}", "a row is never changed")
    for name in NEVER_REMOVED:
        refuse(f"{name}_no_delete", name, f"DELETE ON {name}", "a row is never removed")
    refuse(
        "payment_intents_terminal",
        "payment_intents",
        "UPDATE OF status ON payment_intents WHEN OLD.status IN ('succeeded', 'canceled') AND NEW.status <> OLD.status",
        "a terminal status stays",
    )


def upgrade() -> None:
    merchants()
    payments()
    attempts()
    books()
    events()
    deliveries()
    requests()
    store()
    triggers()


def merchants() -> None:
    table("installation", text("id"), blob("key_check"), number("created_ms"), key=("id",), rowid=False)
    table(
        "merchants",
        number("version"),
        text("id"),
        text("name"),
        text("test_account"),
        text("live_account", nullable=True),
        number("created_ms"),
        key=("id",),
        rowid=False,
    )
    table(
        "accounts",
        number("version"),
        text("id"),
        text("merchant"),
        text("merchant_name"),
        number("livemode"),
        text("origins"),
        text("psp"),
        text("psp_url"),
        blob("psp_key_sealed"),
        text("fee"),
        number("amount_max"),
        number("created_ms"),
        key=("id",),
        rowid=False,
    )
    table(
        "api_keys",
        number("version"),
        text("account"),
        text("id"),
        blob("secret_sealed"),
        blob("previous_sealed", nullable=True),
        number("previous_until_ms", nullable=True),
        text("status"),
        number("created_ms"),
        key=("account", "id"),
        rowid=False,
    )


def payments() -> None:
    table(
        "payment_intents",
        number("version"),
        text("account"),
        text("id"),
        number("amount_minor"),
        text("currency"),
        text("capture_method"),
        text("status"),
        number("livemode"),
        text("description", nullable=True),
        text("statement_descriptor", nullable=True),
        text("metadata"),
        text("return_url", nullable=True),
        number("received_minor"),
        number("capturable_minor"),
        number("attempts"),
        text("latest_attempt", nullable=True),
        text("method"),
        text("error"),
        number("outcome_unknown"),
        number("next_check_ms", nullable=True),
        number("canceled_ms", nullable=True),
        text("cancellation_reason", nullable=True),
        number("event_sequence"),
        text("latest_event", nullable=True),
        number("created_ms"),
        key=("account", "id"),
        rowid=True,
    )


def attempts() -> None:
    table(
        "attempts",
        number("version"),
        text("account"),
        text("id"),
        text("intent"),
        text("status"),
        text("psp"),
        text("psp_url"),
        number("amount_minor"),
        text("currency"),
        number("capture"),
        text("brand"),
        text("last4"),
        number("exp_month"),
        number("exp_year"),
        text("fingerprint"),
        text("psp_reference", nullable=True),
        text("decline_code", nullable=True),
        number("created_ms"),
        number("settled_ms", nullable=True),
        key=("account", "id"),
        rowid=False,
    )
    op.create_index("attempts_account_intent_id", "attempts", ["account", "intent", "id"])
    table(
        "card_uses",
        text("account"),
        text("mark"),
        text("intent"),
        text("attempt"),
        number("expires_ms"),
        key=("account", "mark"),
        rowid=False,
    )
    op.create_index("card_uses_expires_ms_account_mark", "card_uses", ["expires_ms", "account", "mark"])


def books() -> None:
    table(
        "ledger_transactions",
        text("account"),
        text("psp"),
        text("reference"),
        text("kind"),
        text("id"),
        text("subject"),
        number("created_ms"),
        key=("account", "psp", "reference", "kind"),
        rowid=False,
    )
    table(
        "ledger_postings",
        text("account"),
        text("transaction_id"),
        text("line"),
        text("ledger_account"),
        number("amount_minor"),
        text("currency"),
        key=("account", "transaction_id", "line"),
        rowid=False,
    )
    op.create_index(
        "ledger_postings_account_ledger_account_transaction_id",
        "ledger_postings",
        ["account", "ledger_account", "transaction_id"],
    )
    table(
        "ledger_balances",
        number("version"),
        text("account"),
        text("ledger_account"),
        text("currency"),
        number("amount_minor"),
        key=("account", "ledger_account"),
        rowid=False,
    )


def events() -> None:
    table(
        "event_feeds",
        number("version"),
        text("account"),
        number("position"),
        text("wanted"),
        key=("account",),
        rowid=False,
    )
    table(
        "events",
        text("account"),
        text("id"),
        number("position"),
        text("type"),
        text("object_id"),
        number("sequence"),
        text("previous_event_id", nullable=True),
        blob("body"),
        number("created_ms"),
        key=("account", "id"),
        rowid=True,
    )
    op.create_index("events_account_position", "events", ["account", "position"])


def deliveries() -> None:
    table(
        "webhook_endpoints",
        number("version"),
        text("account"),
        text("id"),
        text("url"),
        text("enabled_events"),
        text("ordering"),
        text("description", nullable=True),
        text("status"),
        text("added_by"),
        blob("secret_sealed"),
        blob("previous_sealed", nullable=True),
        number("previous_until_ms", nullable=True),
        number("created_ms"),
        key=("account", "id"),
        rowid=False,
    )
    table(
        "deliveries",
        number("version"),
        text("account"),
        text("event"),
        text("endpoint"),
        text("object_id"),
        number("sequence"),
        text("type"),
        text("status"),
        number("attempts"),
        number("response_status", nullable=True),
        text("error", nullable=True),
        number("first_attempt_ms"),
        number("last_attempt_ms"),
        number("next_attempt_ms", nullable=True),
        number("duration_ms"),
        key=("account", "event", "endpoint"),
        rowid=False,
    )
    op.create_index(
        "deliveries_account_endpoint_object_id_status_sequence",
        "deliveries",
        ["account", "endpoint", "object_id", "status", "sequence"],
    )


def requests() -> None:
    table(
        "nonces",
        text("account"),
        text("key_id"),
        text("nonce"),
        number("signed_ms"),
        key=("account", "key_id", "nonce"),
        rowid=False,
    )
    op.create_index("nonces_signed_ms_account_key_id_nonce", "nonces", ["signed_ms", "account", "key_id", "nonce"])
    table("nonce_floor", number("version"), text("id"), number("floor_ms"), key=("id",), rowid=False)
    table(
        "idempotency_keys",
        number("version"),
        text("account"),
        text("idempotency_key"),
        text("fingerprint"),
        number("status"),
        blob("body"),
        text("object_id"),
        text("reveals"),
        number("created_ms"),
        number("expires_ms"),
        key=("account", "idempotency_key"),
        rowid=True,
    )
    op.create_index(
        "idempotency_keys_expires_ms_account_idempotency_key",
        "idempotency_keys",
        ["expires_ms", "account", "idempotency_key"],
    )


def store() -> None:
    table(
        "duties",
        number("version"),
        text("account"),
        text("id"),
        text("kind"),
        text("subject"),
        text("note"),
        number("tries"),
        number("due_ms"),
        text("owner"),
        number("lease"),
        number("created_ms"),
        key=("account", "id"),
        rowid=False,
    )
    op.create_index("duties_due_ms_account_id", "duties", ["due_ms", "account", "id"])
    table("batch_markers", text("id"), number("created_ms"), key=("id",), rowid=False)
    op.create_index("batch_markers_created_ms_id", "batch_markers", ["created_ms", "id"])
