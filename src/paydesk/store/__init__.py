"""The store: every change of money is decided in memory and committed in batches. Knows no word of payments.

Called by everything upstairs through `Desk.submit` (changes), `Desk.read` (rows by key) and `Published` (who changed).

Read: `rows.py` (what a row is), `work.py` (what `decide` sees), `command.py` (what is submitted), `committer.py` (the
batch), `statements.py` (four statements per table), `sqlite.py` (the one file) and `commit_thread.py` (the one thread),
`published.py` (waking whoever waits), `schema.py` (the same rows as SQLAlchemy tables), `lists.py` and `later.py` (what
is not by key), `snapshot.py` (all of it at one moment) and `copying.py` (the same, into a file).
"""

from paydesk.store.command import Command, Rank
from paydesk.store.committer import Bounds, Committer
from paydesk.store.faults import Conflict, DatabaseBroken, StorageFault, UnknownCommit
from paydesk.store.ids import account_of, make_id, shard_of
from paydesk.store.published import Published
from paydesk.store.rows import Duty, Key, Row, Versioned, table_of
from paydesk.store.work import Absent, Stamp, Work

__all__ = [
    "Absent",
    "Bounds",
    "Command",
    "Committer",
    "Conflict",
    "DatabaseBroken",
    "Duty",
    "Key",
    "Published",
    "Rank",
    "Row",
    "Stamp",
    "StorageFault",
    "UnknownCommit",
    "Versioned",
    "Work",
    "account_of",
    "make_id",
    "shard_of",
    "table_of",
]
