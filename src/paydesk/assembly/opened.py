"""A data folder for as long as a block runs: locked and looked at, with a house at work on its database."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

from paydesk.assembly.checks import CHECK_SECONDS, check_database, check_folder
from paydesk.assembly.house import House
from paydesk.assembly.opening import DataLock, find_sealer, prepare
from paydesk.assembly.restoring import put_in_place
from paydesk.config import Config
from paydesk.store.later import ListsLater
from paydesk.store.sqlite import SqliteReader, SqliteSession
from paydesk.telemetry import Log
from paydesk.world.http import HttpOut
from paydesk.world.real import RealWorld


class SqliteStores:
    """The one file of a shop."""

    def __init__(self, database: Path) -> None:
        self.session = SqliteSession(database)
        self.reader = SqliteReader(database)
        self.lists = ListsLater(database)

    def close(self) -> None:
        """The writer last: whoever closes last puts the write-ahead log into the file, and a reader may not."""
        self.reader.close()
        self.session.close()


@contextmanager
def locked(config: Config, log: Log) -> Generator[None]:
    """Nobody else has the folder open, and what lies there can be believed. CannotOpen."""
    with closing(DataLock(config.data)):
        put_in_place(config.database)
        check_folder(config)
        looked = check_database(config)
        log.info("opening", database=str(config.database), checked=looked)
        if looked == "too slow":
            log.warning("database_not_wholly_checked", seconds=CHECK_SECONDS)
        yield


@asynccontextmanager
async def housed(
    config: Config, environment: Mapping[str, str], log: Log, *, commits_only: bool = False
) -> AsyncGenerator[House]:
    """The house at work in a folder that is locked; drained and closed afterwards."""
    world = real_world(config, log)
    sealer = find_sealer(config, environment, world)
    prepare(config, sealer, world)
    stores = SqliteStores(config.database)
    house = House(world=world, config=config, sealer=sealer, stores=stores, log=log)
    await house.start(commits_only=commits_only)
    try:
        yield house
    finally:
        await house.stop()
        await world.close()
        stores.close()


@asynccontextmanager
async def opened(
    config: Config, environment: Mapping[str, str], log: Log, *, commits_only: bool = False
) -> AsyncGenerator[House]:
    """Both."""
    with locked(config, log):
        async with housed(config, environment, log, commits_only=commits_only) as house:
            yield house


def real_world(config: Config, log: Log) -> RealWorld:
    """This machine; webhooks never reach our own listener."""
    own = [(config.host, config.port)]
    if config.admin_listens_on is not None:
        own.append((config.admin_host, config.admin_listens_on))
    http = HttpOut(config.networks, own=lambda: own, anywhere_max=2 * config.asking_max)
    return RealWorld(http, failed=lambda name, why: log.error("task_failed", task=name, exc_info=why))
