"""The clock's side of the house: which duty is done by whom, and what is swept away when its time is over.

Called by `assembly` alone. Read: `handlers.py`, `pruning.py`.
"""
