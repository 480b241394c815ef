"""Intents whose time is over, the longest over first. Sleeps until the next one's time, and looks once a minute."""

import asyncio

from paydesk.desk import Desk
from paydesk.errors import Refusal
from paydesk.payments.expire import Expire
from paydesk.payments.rows import Intent
from paydesk.store import StorageFault, table_of

STEP = 64  # Intents in one command.
LOOK_SECONDS = 60.0  # What a commit made due earlier meanwhile is found so late.
SOON_SECONDS = 1.0

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Intent).columns)
# The intents whose time is over, the longest over first.
OVER = f'SELECT {_COLUMNS} FROM "payment_intents" WHERE "expires_ms" <= ? ORDER BY "expires_ms" LIMIT ?'  # noqa: S608
# When the next intent's time is over.
NEXT = 'SELECT min("expires_ms") FROM "payment_intents" WHERE "expires_ms" IS NOT NULL'


async def expire_for_ever(desk: Desk) -> None:
    """End what is over, sleep until more is."""
    while True:
        seconds = LOOK_SECONDS
        try:
            await expire_due(desk)
            if next_ms := await desk.reader.number(NEXT, ()):
                seconds = min(max((next_ms - desk.world.now_ms()) / 1000, SOON_SECONDS), LOOK_SECONDS)
        except (Refusal, StorageFault) as why:
            desk.log.warning("expiry_put_off", reason=str(why))
        except Exception as why:  # A bug on one intent: the look goes on, and is logged every time.
            desk.log.error("expiry_failed", exc_info=why)
        await asyncio.sleep(seconds)


async def expire_due(desk: Desk) -> int:
    """Every intent whose time is over now; how many that were."""
    ended = 0
    while rows := await desk.reader.query(Intent, OVER, (desk.world.now_ms(), STEP)):
        await desk.submit(Expire(intents=tuple((row.account, row.id) for row in rows)))
        ended += len(rows)
    return ended
