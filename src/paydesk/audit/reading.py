"""The lines of the log for people: the newest of an account or of all, or those behind a line that is known."""

import asyncio

from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.desk import Reader
from paydesk.store import table_of

STEP = 256  # Rows at a time: about a millisecond of the loop.
BEFORE_ALL = -(2**62)

ENTRY = ", ".join(f'"{column}"' for column in table_of(AuditEntry).columns)
HEAD = ", ".join(f'"{column}"' for column in table_of(AuditHead).columns)
# The lines of an account behind a number, the oldest first.
BEHIND = f'SELECT {ENTRY} FROM "audit_entries" WHERE "account" = ? AND "number" > ? ORDER BY "number" LIMIT ?'  # noqa: S608
# The newest lines of an account, the newest first.
NEWEST = f'SELECT {ENTRY} FROM "audit_entries" WHERE "account" = ? ORDER BY "number" DESC LIMIT ?'  # noqa: S608
# The first line of the next account that has any.
NEXT = f'SELECT {ENTRY} FROM "audit_entries" WHERE "account" > ? ORDER BY "account", "number" LIMIT 1'  # noqa: S608
# The newest line about an object that says why.
WHY = f"""SELECT {ENTRY} FROM "audit_entries" WHERE "object_id" = ? AND "reason" <> ''
    ORDER BY "at_ms" DESC LIMIT 1"""  # noqa: S608
# The heads of the next accounts.
HEADS = f'SELECT {HEAD} FROM "audit_heads" WHERE "account" > ? ORDER BY "account" LIMIT ?'  # noqa: S608


async def behind(reader: Reader, account: str, number: int, limit: int) -> list[AuditEntry]:
    """The account's lines behind this number, the oldest first."""
    found: list[AuditEntry] = []
    while len(found) < limit:
        after = found[-1].number if found else number
        some = await reader.query(AuditEntry, BEHIND, (account, after, min(STEP, limit - len(found))))
        if not some:
            break
        found += some
        await asyncio.sleep(0)
    return found


async def newest(reader: Reader, account: str | None, limit: int) -> list[AuditEntry]:
    """The newest lines, the oldest of them first: of one account, or of all.

    Of all: the accounts that did something last are looked at first, until the next one can't have a newer line.
    """
    if account is not None:
        return (await reader.query(AuditEntry, NEWEST, (account, limit)))[::-1]
    found: list[AuditEntry] = []
    for head in sorted(await heads(reader), key=lambda head: (-head.at_ms, head.account)):
        if len(found) == limit and head.at_ms < found[0].at_ms:
            break
        found += await reader.query(AuditEntry, NEWEST, (head.account, limit))
        found = sorted(found, key=lambda entry: (entry.at_ms, entry.account, entry.number))[-limit:]
        await asyncio.sleep(0)
    return found


async def why(reader: Reader, object_id: str) -> AuditEntry | None:
    """The newest line about this object in which somebody said why."""
    found = await reader.query(AuditEntry, WHY, (object_id,))
    return found[0] if found else None


async def heads(reader: Reader) -> list[AuditHead]:
    """Every chain's head, by account."""
    found: list[AuditHead] = []
    while some := await reader.query(AuditHead, HEADS, (found[-1].account if found else "", STEP)):
        found += some
        await asyncio.sleep(0)
    return found
