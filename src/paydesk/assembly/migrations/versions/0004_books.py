"""The books in full: a change log per ledger account, days on which money matures, fees for refunds and disputes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable, server_default=default)


def text(name: str, *, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def upgrade() -> None:
    op.add_column("accounts", text("refund_fee", default="0"))
    op.add_column("accounts", text("dispute_fee", default="0"))
    op.add_column("accounts", number("settlement_delay_days", default="2"))
    change_log()
    op.create_index("ledger_transactions_account_id", "ledger_transactions", ["account", "id"])
    op.create_index("ledger_transactions_account_subject_id", "ledger_transactions", ["account", "subject", "id"])
    maturities()


def change_log() -> None:
    """Count what is there, in the order in which it was posted, and sum it up."""
    op.add_column("ledger_postings", number("sequence", default="0"))
    op.add_column("ledger_postings", number("balance_minor", default="0"))
    op.add_column("ledger_balances", number("sequence", default="0"))
    op.execute("DROP TRIGGER ledger_postings_no_update")
    op.execute(
        "UPDATE ledger_postings SET sequence = log.sequence, balance_minor = log.balance_minor FROM ("
        "SELECT account, transaction_id, line, row_number() OVER so_far AS sequence, "
        "sum(amount_minor) OVER so_far AS balance_minor FROM ledger_postings WINDOW so_far AS ("
        "PARTITION BY account, ledger_account ORDER BY transaction_id, line ROWS UNBOUNDED PRECEDING)) AS log "
        "WHERE log.account = ledger_postings.account AND log.transaction_id = ledger_postings.transaction_id "
        "AND log.line = ledger_postings.line"
    )
    op.execute(
        "CREATE TRIGGER ledger_postings_no_update BEFORE UPDATE ON ledger_postings "
        "BEGIN SELECT RAISE(ABORT, 'ledger_postings: a row is never changed'); END"
    )
    op.execute(
        "UPDATE ledger_balances SET sequence = (SELECT count(*) FROM ledger_postings p "
        "WHERE p.account = ledger_balances.account AND p.ledger_account = ledger_balances.ledger_account)"
    )
    op.drop_index("ledger_postings_account_ledger_account_transaction_id", "ledger_postings")
    op.create_index(
        "ledger_postings_account_ledger_account_sequence",
        "ledger_postings",
        ["account", "ledger_account", "sequence"],
    )


def maturities() -> None:
    """What is pending by now matures as one: two days after the last that happened to its account."""
    op.create_table(
        "maturities",
        number("version"),
        text("account"),
        text("currency"),
        text("day"),
        number("amount_minor"),
        number("matured_ms", nullable=True),
        sa.PrimaryKeyConstraint("account", "currency", "day"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO maturities (version, account, currency, day, amount_minor) "
        "SELECT 1, account, currency, date((SELECT max(created_ms) FROM ledger_transactions t "
        "WHERE t.account = b.account) / 1000 + 2 * 86400, 'unixepoch'), -amount_minor FROM ledger_balances b "
        "WHERE ledger_account = account || '/merchant_pending/' || currency AND amount_minor <> 0"
    )
    op.execute(
        "INSERT INTO duties (version, account, id, kind, subject, note, tries, due_ms, owner, lease, created_ms) "
        "SELECT 1, account, 'mature:' || account || '/' || currency || '/' || day, 'mature', currency || '/' || day, "
        "'', 0, strftime('%s', day) * 1000, '', 0, 0 FROM maturities"
    )
    op.execute(
        "UPDATE payment_intents SET matures_on = coalesce((SELECT day FROM maturities m WHERE "
        "m.account = payment_intents.account AND m.currency = payment_intents.currency), '') "
        "WHERE status = 'succeeded'"
    )
