"""Assembly: one World, the rooms wired into a desk, the database brought up to date, the listeners opened.

`serve` starts here, and so do tests and the simulation. Read: `house.py` (the desk), `checks.py` (what a start
refuses), `opening.py` (data folder, master key, database), `migrate.py` and `migrations/`, `schema.py` (every row
type), `opened.py` (all of it together), `operator.py` and beside it `dead_letters.py`, `outcomes.py`, `notices.py`,
`books.py`, `audit_log.py` and `charges.py` (what the command line asks for), `control.py` (the socket it asks through),
`figures.py` (what /metrics shows), `serving.py`, `listening.py` and `admin.py` (the listeners). A copy and its way
back: `backup.py`, `restoring.py`, then `asking_first.py` and `restored.py` at the next start.
"""
