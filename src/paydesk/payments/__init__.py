"""Payments: where PSP, ledger, vault and events meet. Called by the door (create, confirm) and by duties (ask,
outcome).

The way of a payment: `create.py` → `confirm.py` (record the attempt) → `ask.py` (ask the PSP) → `outcome.py` (status,
books and event in one commit). Where the bank wants to hear from the shopper first, `challenge.py` has the PSP asked
when they come back. Beside them: `states.py` (the only state machine), `postings.py` (which move makes which postings),
`maturity.py` (when it becomes available), `tell.py` (a change and its event), `shapes.py` (what merchants and shoppers
see), `rows.py`. After a restore:
`asked_again.py` and `unknown_charges.py`.
"""
