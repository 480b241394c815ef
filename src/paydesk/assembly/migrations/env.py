"""Alembic's entrance: runs the revisions of `versions/` on one connection, in one transaction."""

import sqlalchemy as sa
from alembic import context

from paydesk.assembly.schema import metadata

url = context.config.get_main_option("sqlalchemy.url")
assert url

with sa.create_engine(url).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata(), render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
