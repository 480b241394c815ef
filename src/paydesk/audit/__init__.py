"""Who did what: one line for every action of a key or of the operator that changed something, in the commit of the
change.

Each line holds the hash of the one before it, one chain per account, so that a line that is changed, taken away or put
in between shows. Called by `requests` (signed changes) and `assembly` (the operator's commands); the lines are never
pruned, and triggers refuse to change them.

Read: `rows.py`, `chain.py` (how lines hang together), `operators.py` (a command of the operator with its line),
`reading.py` (the newest lines), `verify.py` (does every chain hold).
"""

from paydesk.audit.chain import HOUSE, enter
from paydesk.audit.rows import AuditEntry, AuditHead

__all__ = ["HOUSE", "AuditEntry", "AuditHead", "enter"]
