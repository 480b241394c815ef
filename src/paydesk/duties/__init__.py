"""Duties: what must happen after a commit, with a due time and a lease. Called by `worker`, which knows every kind.

A duty is owed in the commit that makes it necessary (`Work.owe`), begun at once by the process that wrote it, and taken
over by another
only when its lease ran out. Nothing polls: the runner sleeps until the next due time and is woken by commits. A duty
that raises is put off, and parked among the dead when that helps no more.

Read: `lease.py` (finish, put off, take over), `runner.py` (who begins what, and when), `places.py` (how many at once),
`failures.py` (what a failure means), `dead.py` and `rows.py` (parked, retried, dropped), `backlog.py` (how many).
"""

from paydesk.duties.lease import finish, put_off
from paydesk.duties.runner import Runner

__all__ = ["Runner", "finish", "put_off"]
