"""The card frame in a real Chromium, inside a real shop's page.

`chromium.py` finds the browser, `stub.py` is a Paydesk server that does as a test tells it and opens what the frame
sealed, `shop.py` serves the shop's pages, `counter.py` is what tests drive. `real.py` is the other way: Paydesk,
sandbox PSP and demo shop as processes, for the `test_real_….py`. conftest.py puts them together.
"""
