"""What can go wrong between a batch and its database, by what is known afterwards."""


class Conflict(Exception):
    """The database refused a row: a key that exists, a version that moved on, a trigger. The batch is rolled back and
    bisected.
    """


class StorageFault(Exception):
    """The database failed before COMMIT, or COMMIT itself rolled back (a full disk): nothing of the batch is stored."""


class UnknownCommit(Exception):
    """COMMIT failed in between: stored or not, only the batch's marker tells."""


class DatabaseBroken(Exception):
    """An I/O error in COMMIT: this process can no longer know what is stored. It ends; the next start decides."""
