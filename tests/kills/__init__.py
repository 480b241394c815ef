"""Killing `serve` under load: the real process on a real file, SIGKILL at random moments, the same data and port again.

Clients keep what was acknowledged, the PSP what was charged, a receiver what it was told; in the end all of that is
held against the database. `make kill` runs it at length, `make test` for three kills.

Read: `campaign.py` (the run), `served.py` (the server's lives), `client.py` (what a client does and keeps),
`promises.py` (what was acknowledged is there), `audit.py` (a stopped database against the PSP's books and the events
received; of use to any other test).
"""
