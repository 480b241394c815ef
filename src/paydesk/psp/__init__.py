"""PSPs: who moves the money. Called by `payments/ask.py`, one question at a time, never inside a transaction.

Read: `base.py` (the protocol and its plain types; a PSP's own words never leave its adapter), `sandbox.py` (the first
adapter).
"""
