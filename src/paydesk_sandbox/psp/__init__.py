"""A payment service provider that charges test cards, keeps books of its own, and misbehaves on demand.

Paydesk's sandbox adapter calls it over HTTP; tests and the benchmark read `/books` as the judge of what was really
charged and given back; the simulator drives `rules.Psp` in memory on a clock of its own.

Read: `rules.py` (a request comes, what happens), `answering.py` (which verb it gets to), then the verbs: `charges.py`,
`challenges.py` (3-D Secure), `captures.py` (and releases), `refunds.py`, `disputes.py`. What they write in is
`books.py` (with `objects.py`, `shelf.py`, `totals.py`, `keys.py`); what comes by itself waits in `later.py`; what
merchants are told, in `notices.py`. `cards.py` is the table of test numbers, `faults.py` what goes wrong, when.

Over HTTP: `server.py` (merchants), `people.py` with `page.py` and `showing.py` (no key), `bank.py` (the shopper's
bank), `sending.py` (notices, and the clock).
"""
