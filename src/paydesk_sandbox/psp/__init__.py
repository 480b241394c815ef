"""A payment service provider that charges test cards, keeps books of its own, and misbehaves on demand.

Paydesk's sandbox adapter calls it over HTTP; tests and the benchmark read `/books` as the judge of what was really
charged; the simulator drives `rules.Psp` in memory on a clock of its own.

Read: `rules.py` (a request comes, what happens), `books.py` (charges and idempotency keys), `cards.py` (the table of
test numbers), `faults.py` (what goes wrong, when), `server.py` (the same over HTTP), `page.py` (for people).
"""
