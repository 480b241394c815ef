"""Payments: where PSP, ledger, vault and events meet. Called by the door (create, confirm) and by duties (ask,
outcome).

The way of a payment: `create.py` → `confirm.py` (record the attempt) → `ask.py` (ask the PSP) → `outcome.py` (status,
books and event in one commit; which verdict does what: `steps.py`, `settle.py`). Where the bank wants to hear from the
shopper first, `challenge.py` has the PSP asked when they come back. Money that goes back: `refund.py` (record it) →
`refund_ask.py` (ask the PSP) → `refund_outcome.py` (its own table and door). Money that comes when its payment is over:
`late.py`.

Beside them: `states.py` (the only state machine), `postings.py` (which move makes which postings), `booking.py` (into
the books, once), `maturity.py` (when it becomes available), `tell.py` (a change and its event), `shapes.py` (what
merchants and shoppers see), `rows.py`. After a restore: `asked_again.py` and `unknown_charges.py`.
"""
