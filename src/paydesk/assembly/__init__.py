"""Assembly: one World, the rooms wired into a desk, the database brought up to date, the listeners opened.

`serve` starts here, and so do tests and the simulation. Read: `house.py` (the desk), `opening.py` (data folder, master
key, database), `migrate.py` and `migrations/`, `schema.py` (every row type), `operator.py` and beside it
`dead_letters.py`, `outcomes.py`, `notices.py` and `books.py` (what the command line asks for), `control.py` (the socket
it asks through), `figures.py` (what /metrics shows), `serving.py`, `listening.py` and `admin.py` (the listeners).
"""
