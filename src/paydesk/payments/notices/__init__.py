"""Notices: what PSPs say of their own accord. They name what changed; how that stands, the PSP is asked.

Called by the door (`web/notices.py`), by the worker, and by the operator's list. Read: `take.py` (written down and
answered), `heed.py` (the duty), `charge.py`, `refund.py` and `dispute.py` (what it is about, and the door it goes
through), `fate.py` (done, later, or parked), `shown.py` (for people).
"""
