"""Killing `serve` under load: the real process on a real file, SIGKILL at random moments, the same data and port again.

Clients lead payments through all of their lives (paid at once, held and captured or canceled, refunded, disputed). They
keep what was acknowledged, the PSP what was charged and given back, a receiver what it was told; in the end all of that
is held against the database. `make kill` runs it at length, `make test` for three kills.

Read: `campaign.py` (the run), `served.py` (the server's lives), `lives.py` (a payment's lives), `client.py` (what a
client does and keeps) over `line.py` (asks until it is answered), `promises.py` (what was acknowledged is there),
`audit.py` (a stopped database against the PSP's books and the events received; of use to any other test), `report.py`
(what a run left behind).
"""
