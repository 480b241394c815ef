"""Alembic's folder: `env.py` is its entrance, `versions/` has the revisions. Run by `assembly/migrate.py`."""
