"""What the operator asks of the log of who did what: its lines, and whether every chain holds."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from itertools import islice
from pathlib import Path
from typing import Any

from paydesk.assembly.accounts import account_id
from paydesk.assembly.checks import CannotOpen
from paydesk.audit import reading
from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.audit.verify import Chain, verify
from paydesk.errors import Refusal
from paydesk.merchants import Account
from paydesk.store import StorageFault
from paydesk.store.snapshot import Snapshot, snapshot
from paydesk.times import rfc3339
from paydesk.web.desk import DoorDesk

LISTED_MAX = 10_000
STEP = 256  # Lines in one go: about a millisecond of the loop.
TELL = 40 * STEP  # Lines between two words about how far it is.


async def audit_list(desk: DoorDesk, *, account: str | None, after: int | None, limit: int) -> dict[str, Any]:
    """The newest lines, or an account's from a number on; the oldest of them first."""
    if not 1 <= limit <= LISTED_MAX:
        raise Refusal("parameter_invalid", f"--limit must be from 1 to {LISTED_MAX}.", param="limit")
    account = await account_id(desk, account) if account else None
    if after is None:
        found = await reading.newest(desk.reader, account, limit)
    elif account is None:
        raise Refusal("parameter_invalid", "--after counts an account's lines: name the --account.", param="after")
    else:
        found = await reading.behind(desk.reader, account, after, limit)
    return {"entries": [_facts(entry) for entry in found]}


async def audit_verify(desk: DoorDesk) -> AsyncGenerator[dict[str, Any]]:
    """Every chain from its beginning: how many lines hold, and the first of each that does not."""
    with snapshot(desk.config.database) as log:
        of, looked, chains = log.total(AuditHead, "number"), 0, list[Chain]()
        looking = verify(log, _accounts(log))
        while gone := list(islice(looking, STEP)):
            chains += [one for one in gone if one]
            looked += len(gone)
            await asyncio.sleep(0)
            if not looked % TELL:
                yield {"lines": min(looked, of), "of": of}
    yield {"done": _found(chains)}


def verify_file(database: Path, told: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The same of a file that nobody has open: a backup, or a database that a start refuses."""
    try:
        with snapshot(database) as log:
            of = log.total(AuditHead, "number")
            chains: list[Chain] = []
            for looked, one in enumerate(verify(log, _accounts(log))):
                chains += [one] if one else []
                if not looked % TELL:
                    told({"lines": min(looked, of), "of": of})
    except (StorageFault, sqlite3.DatabaseError) as why:
        if "no such column" in str(why):
            raise CannotOpen(
                f"{database} is of an older version of Paydesk. Put it into a folder of its own with `paydesk restore` "
                "and start there once, or verify it with the version that wrote it."
            ) from why
        raise CannotOpen(f"{database} can't be read: {why}.") from why
    return _found(chains)


def _accounts(log: Snapshot) -> list[str]:
    return [account.id for account in log.rows(Account, "id")]


def _found(chains: list[Chain]) -> dict[str, Any]:
    return {
        "holds": all(chain.off is None for chain in chains),
        "chains": len(chains),
        "lines": sum(chain.lines for chain in chains),
        "off": [_off(chain) for chain in chains if chain.off is not None],
        "heads": {chain.account: f"{chain.lines}:{chain.head.hex()}" for chain in chains},
    }


def _off(chain: Chain) -> dict[str, Any]:
    return {"account": chain.account, "number": chain.off, "why": chain.why}


def _facts(entry: AuditEntry) -> dict[str, Any]:
    return {
        "account": entry.account,
        "number": entry.number,
        "at": rfc3339(entry.at_ms),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object_id,
        "request": entry.request_id,
        "fingerprint": entry.fingerprint,
        "reason": entry.reason,
        "hash": entry.hash.hex(),
    }
