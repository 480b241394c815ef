"""No card number and no CVC is anywhere but in a request's memory: pay with marked ones, then search all that was
written.

Read: `marks.py` (cards made up for one run), `forms.py` (how a number may be hidden, and the search), `play.py` (what
is done with the cards, and what the run wrote), `wrong_places.py` (numbers where none belongs), `test_leaks.py`.
"""
