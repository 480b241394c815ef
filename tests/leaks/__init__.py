"""No card number and no CVC is anywhere but in a request's memory: pay with marked ones, then search all that was
written. `make leaks` does it at length, `make test` once.

Read: `marks.py` (cards made up for one run), `forms.py` (how a number may be hidden, and the search), `play.py` (the
stage, and what the run wrote), `paying.py`, `life.py` and `wrong_places.py` (what is done with the cards),
`campaign.py` (the run, and the table).
"""
