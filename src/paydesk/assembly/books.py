"""What the operator asks of the books: a recount, and all of them as a table. Read from a snapshot, beside payments."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import Any, TypeVar

from paydesk.assembly.accounts import account_id
from paydesk.errors import Refusal
from paydesk.ledger import Balance, LedgerTransaction, Maturity, Posting
from paydesk.ledger.export import exported
from paydesk.ledger.verify import Off, recount
from paydesk.store.snapshot import Snapshot, snapshot
from paydesk.web.desk import DoorDesk

T = TypeVar("T")

STEP = 256  # Rows in one go: about a millisecond of the loop.
TELL = 40 * STEP  # Rows between two lines about how far it is.
ROWS_A_LINE = 64  # Some 20 KB.


async def ledger_verify(desk: DoorDesk) -> AsyncGenerator[dict[str, Any]]:
    """Recount everything; says how far it is, and then how it went: `ok`, or the first row that is off."""
    with snapshot(desk.config.database) as books:
        found = _counts(books)
        steps = found["transactions"] + 2 * found["postings"] + found["ledger_accounts"] + found["days"]
        checked, counting = 0, recount(books)
        try:
            while gone := sum(1 for _ in islice(counting, STEP)):
                checked += gone
                await asyncio.sleep(0)
                if not checked % TELL:
                    yield {"checked": min(checked, steps), "of": steps}
        except Off as off:
            yield {"done": {"ok": False, "table": off.table, "key": off.key, "why": off.why}}
        else:
            yield {"done": {"ok": True, **found}}


async def ledger_export(desk: DoorDesk, *, account: str | None) -> AsyncGenerator[dict[str, Any]]:
    """Every posting, in pieces."""
    if account is not None:
        account = await account_id(desk, account)
        if await desk.account(account) is None:
            raise Refusal("resource_missing", "No such merchant or account.", param="account")
    with snapshot(desk.config.database) as books:
        for rows in _pieces(exported(books, account), ROWS_A_LINE):
            yield {"rows": rows}
            await asyncio.sleep(0)
    yield {"done": {}}


def _counts(books: Snapshot) -> dict[str, int]:
    return {
        "transactions": books.count(LedgerTransaction),
        "postings": books.count(Posting),
        "ledger_accounts": books.count(Balance),
        "days": books.count(Maturity),
    }


def _pieces(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while piece := list(islice(rows, size)):
        yield piece
