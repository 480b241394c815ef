"""The log of who did what: its lines, and each account's newest. Accounts that are there begin with an empty chain.

Also what a backup knows of itself, and the charges that a restored database does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    audit_log()
    backups()


def audit_log() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("at_ms", number, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", "number"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_heads",
        sa.Column("version", number, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", number, nullable=False),
        sa.PrimaryKeyConstraint("account"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO audit_heads (version, account, number, hash, at_ms) "
        "SELECT 1, id, 0, zeroblob(32), created_ms FROM accounts"
    )
    refuse("audit_entries_no_update", "UPDATE ON audit_entries", "audit_entries: a row is never changed")
    refuse("audit_entries_no_delete", "DELETE ON audit_entries", "audit_entries: a row is never removed")
    refuse("audit_heads_no_delete", "DELETE ON audit_heads", "audit_heads: a row is never removed")
    refuse(
        "audit_heads_rise",
        "UPDATE ON audit_heads WHEN NEW.number <= OLD.number",
        "audit_heads: a chain only grows",
    )


def backups() -> None:
    op.create_table(
        "backup",
        sa.Column("version", number, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("taken_ms", number, nullable=False),
        sa.Column("restored_ms", number),
        sa.Column("asked_ms", number),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unknown_charges",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("psp", sa.Text(), nullable=False),
        sa.Column("psp_reference", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", number),
        sa.Column("currency", sa.Text()),
        sa.Column("may_be_of", sa.Text(), nullable=False),
        sa.Column("made_ms", number, nullable=False),
        sa.Column("found_ms", number, nullable=False),
        sa.PrimaryKeyConstraint("account", "psp", "psp_reference"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def refuse(name: str, when: str, why: str) -> None:
    """A trigger that refuses a change whatever code asks for it."""
    op.execute(f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{why}'); END")
