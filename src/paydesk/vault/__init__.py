"""Cards, from the sealed payload that the frame sends to the little that may be kept.

The checkout's handler calls `payload.open_card` in the request's own task; the number and the CVC then live in that
request's memory alone (`Card`), and what goes into commands, rows and answers is `CardFacts`. Nothing in this room
prints a number: not in a repr, not in an error, not in a log line.

Read: `cards.py` (what a card is, and what is wrong with one), `keys.py` (the ring of card keys that the frame encrypts
to), `payload.py` (opening what the frame sent, and every reason to refuse it).
"""
