"""How many duties of one kind run at once, and who is next: each account in turn, none with more than its share.

Every kind has places of its own, so that questions to a PSP never wait behind webhooks that a dead receiver holds up.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Generator

from paydesk.store import Duty

RUNNING_MAX = 1024  # Of one kind: each may hold a connection and a body. What carries a card can't wait, nor count.
SHARE_MAX = 128  # Of them for one account: eight merchants whose receivers are dead take what there is, one does not.
BACKLOG_MAX = 20_000  # Fresh duties of a kind that wait for a place; the rest is found again when its lease runs out.


class Places:
    """The places of one kind of duty."""

    def __init__(self) -> None:
        self._taken = 0
        self._taken_by = Counter[str]()
        self._waiting: OrderedDict[str, deque[Duty]] = OrderedDict()
        self._count = 0

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._count

    def take(self, duty: Duty) -> bool:
        """Whether it may begin now; else it waits, if there is room to."""
        if not self._is_free(duty.account):
            self._wait(duty)
            return False
        self._taken += 1
        self._taken_by[duty.account] += 1
        return True

    def leave(self, duty: Duty) -> None:
        """It is done with."""
        self._taken -= 1
        self._taken_by[duty.account] -= 1
        if not self._taken_by[duty.account]:
            del self._taken_by[duty.account]

    def next(self) -> Generator[Duty]:
        """Those that waited and have a place now, an account after the other. Each is to be taken before the next."""
        while duty := self._next():
            yield duty

    def _is_free(self, account: str) -> bool:
        return self._taken < RUNNING_MAX and self._taken_by[account] < SHARE_MAX

    def _wait(self, duty: Duty) -> None:
        if self._count < BACKLOG_MAX:
            self._waiting.setdefault(duty.account, deque()).append(duty)
            self._count += 1

    def _next(self) -> Duty | None:
        # At most RUNNING_MAX / SHARE_MAX accounts have their whole share, so few are passed over.
        account = next((account for account in self._waiting if self._is_free(account)), None)
        if account is None:
            return None
        queue = self._waiting[account]
        self._waiting.move_to_end(account)
        if len(queue) == 1:
            del self._waiting[account]
        self._count -= 1
        return queue.popleft()
