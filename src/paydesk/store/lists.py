"""What is not by key: lists for `/v1`, as ordinary SQLAlchemy Core statements over read-only connections."""

from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec.structs import fields
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from paydesk.errors import Refusal
from paydesk.store.faults import StorageFault
from paydesk.store.rows import Row
from paydesk.store.schema import sql_table

RowType = TypeVar("RowType", bound=Row)

POOL = 4  # Connections that read lists at once; each is a thread.
POOL_SECONDS = 1.5  # Who waits longer for one is told to come back.


class Lists:
    """One per process. Connections are opened with the first list."""

    def __init__(self, path: Path) -> None:
        self._engine: AsyncEngine = create_async_engine(
            sa.URL.create("sqlite+aiosqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}),
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=POOL_SECONDS,
        )
        self._metadata = sa.MetaData()
        self._tables: dict[type[Row], sa.Table] = {}

    def table(self, kind: type[Row]) -> sa.Table:
        """The row type's table, to write a statement with."""
        if kind not in self._tables:
            self._tables[kind] = sql_table(kind, self._metadata)
        return self._tables[kind]

    async def rows(self, kind: type[RowType], statement: sa.Select[Any]) -> list[RowType]:
        """Whole rows of one table. Refusal `overloaded` where every connection is taken; StorageFault."""
        names = [field.name for field in fields(kind)]
        try:
            async with self._engine.connect() as connection:
                found = await connection.execute(statement)
                return [kind(**{name: row[name] for name in names}) for row in found.mappings()]
        except PoolTimeout:
            raise Refusal("overloaded", retry_after_seconds=1) from None
        except DBAPIError as why:
            raise StorageFault(str(why.orig)) from why

    async def loaded(self) -> "Lists":
        """Itself: it is loaded (`later.py` is asked the same)."""
        return self

    async def close(self) -> None:
        await self._engine.dispose()
