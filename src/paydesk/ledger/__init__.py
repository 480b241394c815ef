"""The books: an append-only double-entry journal and the balances that go with it. Knows amounts and accounts, not
payments.

A posting's amount is signed, debit positive; the postings of a transaction sum to zero per currency, or nothing is
posted.
Called by `payments/outcome.py` inside a decision, so that status, books and event are one commit.

Read: `rows.py`, `chart.py` (the names of ledger accounts), `post.py` (the one way in), `balance.py` (what `/v1/balance`
shows).
"""

from paydesk.ledger.chart import Chart
from paydesk.ledger.post import Line, post
from paydesk.ledger.rows import Balance, LedgerTransaction, Posting

__all__ = ["Balance", "Chart", "LedgerTransaction", "Line", "Posting", "post"]
