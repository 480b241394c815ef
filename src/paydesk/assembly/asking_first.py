"""`serve` on a restored database: before it takes or sends anything, the PSPs are asked what happened since the backup.

Meanwhile its listeners answer that it lives, and nothing else. No duty is begun: the house that asks only commits.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import closing

from paydesk.assembly.backup import backup_of
from paydesk.assembly.house import House
from paydesk.assembly.installation import Backup
from paydesk.assembly.listening import Server, uvicorn_config
from paydesk.assembly.migrate import tables_of
from paydesk.assembly.opened import housed
from paydesk.assembly.restored import settle
from paydesk.config import Config
from paydesk.store.rows import table_of
from paydesk.store.sqlite import connect
from paydesk.telemetry import Log
from paydesk.web.closed import ClosedDoor
from paydesk.web.connections import Connections


async def asked_first(
    config: Config, environment: Mapping[str, str], log: Log, listeners: list[socket.socket], *, ask: bool
) -> bool:
    """Whether `serve` may go on: at once where the database was not restored, else when the PSPs have answered (or,
    with `ask` off, at once). False: it was stopped while it waited.
    """
    if not _is_restored(config):
        return True
    async with housed(config, environment, log, commits_only=True) as house:
        backup = await house.reader.get(Backup, "this")
        assert backup
        return await _settled(house, backup, listeners, ask=ask)


async def _settled(house: House, backup: Backup, listeners: list[socket.socket], *, ask: bool) -> bool:
    config = house.config
    room = Connections(config.connections_max, config.connections_per_address_max)
    server = Server(uvicorn_config(house, ClosedDoor(house), room), house)
    answering = house.world.spawn(server.serve([listener.dup() for listener in listeners]), "answer that it lives")
    asking = house.world.spawn(settle(house, backup, ask=ask), "ask the PSPs")
    await asyncio.wait({answering, asking}, return_when=asyncio.FIRST_COMPLETED)
    done = asking.done()
    asking.cancel()
    server.should_exit = True
    await answering
    if done:
        asking.result()
    return done


def _is_restored(config: Config) -> bool:
    if not config.database.exists() or table_of(Backup).name not in tables_of(config.database):
        return False
    with closing(connect(config.database, read_only=True)) as database:
        found = backup_of(database)
    return found is not None and found.asked_ms is None
