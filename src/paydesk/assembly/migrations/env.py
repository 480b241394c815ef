"""Alembic's entrance: runs the revisions of `versions/` on one connection, in one transaction: all of them or none.

sqlite3 by itself would commit each CREATE and ALTER, and a start that is killed in between would leave a database that
no revision fits: BEGIN is said here.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy import event

from paydesk.assembly.schema import metadata

url = context.config.get_main_option("sqlalchemy.url")
assert url
engine = sa.create_engine(url)


@event.listens_for(engine, "connect")
def leave_transactions_to_us(connection: Any, record: Any) -> None:
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata(), render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
