"""The exam of the duties: owed with a commit, begun at once, taken over when a lease ran out. The clock is turned.

Read `office.py` (a process at work: store, runner and a handler that tells what it was given), then the tests.
"""
