"""The books: an append-only double-entry journal and the balances that go with it. Knows amounts and accounts, not
payments.

A posting's amount is signed, debit positive; the postings of a transaction sum to zero per currency, or nothing is
posted.
Called by `payments/outcome.py` inside a decision, so that status, books and event are one commit.

Read: `chart.py` (the ledger accounts and what each means), `rows.py`, `post.py` (the one way in), `balance.py` (what
`/v1/balance` shows), `shapes.py` (the journal as the API shows it), `verify.py` (the recount), `export.py`.
"""

from paydesk.ledger.chart import Chart, Owed
from paydesk.ledger.post import Line, post
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting

__all__ = ["Balance", "Chart", "LedgerTransaction", "Line", "Maturity", "Owed", "Posting", "post"]
