"""Books in memory: decisions over a working set that knows every row, without a database."""

from collections.abc import Callable
from typing import TypeVar

from paydesk.ledger import Balance, LedgerTransaction, Maturity, Posting
from paydesk.ledger.chart import purpose
from paydesk.merchants import Account
from paydesk.payments.maturity import MATURE, Mature
from paydesk.store import Absent, Duty, Row, Stamp, Work
from paydesk.store.work import WorkingSet

T = TypeVar("T")
RowType = TypeVar("RowType", bound=Row)

ACCOUNT = "acct_b6jxhdg7"
START_MS = 1_700_000_000_000  # 2023-11-14, 22:13:20


def account(*, settlement_delay_days: int = 2, fee: str = "0") -> Account:
    return Account(
        id=ACCOUNT,
        merchant="mer_1",
        merchant_name="Tea House",
        livemode=0,
        origins="",
        psp="sandbox",
        psp_url="https://psp.example",
        psp_key_sealed=b"",
        fee=fee,
        settlement_delay_days=settlement_delay_days,
        amount_max=99_999_999,
        created_ms=0,
    )


class InMemory:
    """Decides one thing after the other, each at its time."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self._rows = WorkingSet()
        self._decided = 0

    def do(self, decide: Callable[[Work], T]) -> T:
        self._decided += 1
        while True:
            work = Work(self._rows, Stamp(now_ms=self.now_ms, random62=self._decided, process="here"))
            try:
                answer = decide(work)
            except Absent as absent:
                self._rows.learn([absent.key], [])
            else:
                work.keep()
                return answer

    def all(self, kind: type[RowType]) -> list[RowType]:
        return [row for row in self._rows.current.values() if isinstance(row, kind)]

    def turn_to(self, now_ms: int) -> None:
        """Let time go by; what is due is done, in its order."""
        self.now_ms = now_ms
        for duty in sorted(self.all(Duty), key=lambda duty: duty.due_ms):
            if duty.kind == MATURE and duty.due_ms <= now_ms:
                self.do(Mature(duty=duty).decide)

    def balances(self) -> dict[str, int]:
        """By purpose, over all currencies; debit positive."""
        sums: dict[str, int] = {}
        for balance in self.all(Balance):
            name = purpose(balance.ledger_account)
            sums[name] = sums.get(name, 0) + balance.amount_minor
        return {name: amount for name, amount in sums.items() if amount}

    def pending(self) -> int:
        """What the days say is pending."""
        return sum(day.amount_minor for day in self.all(Maturity))

    def transactions(self) -> dict[str, list[Posting]]:
        lines: dict[str, list[Posting]] = {transaction.id: [] for transaction in self.all(LedgerTransaction)}
        for posting in self.all(Posting):
            lines[posting.transaction_id].append(posting)
        return lines
