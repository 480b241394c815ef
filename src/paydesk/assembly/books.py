"""What the operator asks of the books: a recount, and all of them as a table. Read from a snapshot, beside payments."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import Any, TypeVar

from msgspec.structs import asdict

from paydesk.assembly.accounts import account_id
from paydesk.errors import Refusal
from paydesk.ledger import Balance
from paydesk.ledger.export import exported
from paydesk.ledger.verify import Found, Off, recount
from paydesk.store.snapshot import snapshot
from paydesk.web.desk import DoorDesk

T = TypeVar("T")

STEP = 256  # Rows in one go: about a millisecond of the loop.
TELL = 40 * STEP  # Rows between two lines about how far it is.
ROWS_A_LINE = 64  # Some 20 KB.


async def ledger_verify(desk: DoorDesk) -> AsyncGenerator[dict[str, Any]]:
    """Recount everything; says how far it is, and then how it went: `ok`, or the first row that is off."""
    with snapshot(desk.config.database) as books:
        # Postings are walked along twice, and a transaction has two of them or more.
        about = books.total(Balance, "sequence") * 5 // 2
        checked, found = 0, Found()
        counting = recount(books, found)
        try:
            while gone := sum(1 for _ in islice(counting, STEP)):
                checked += gone
                await asyncio.sleep(0)
                if not checked % TELL:
                    yield {"checked": min(checked, about), "of": about}
        except Off as off:
            yield {"done": {"ok": False, "table": off.table, "key": off.key, "why": off.why}}
        else:
            yield {"done": {"ok": True, **asdict(found)}}


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


def _pieces(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while piece := list(islice(rows, size)):
        yield piece
