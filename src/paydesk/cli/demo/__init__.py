"""`paydesk demo`: a PSP, Paydesk and a shop as processes of their own, one whole payment, then yours to try.

The demo plays the operator, the shopper and her browser, over the real ways: the command line's socket, the shop's
pages, the frame's requests. What it knows of the others it asks over HTTP. Called by `app.py` alone.

Read: `run.py` (the story), `children.py` (the processes), `opening.py` (a merchant and its shop), `payment.py` (one
payment), `books.py` (do all three say the same?), `telling.py` (what is printed).
"""

from paydesk.cli.demo.run import run_demo

__all__ = ["run_demo"]
