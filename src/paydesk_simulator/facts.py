"""What there is to compare: the database as it is committed, and what the clients were told."""

from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct, field

from paydesk.payments.rows import Intent
from paydesk.store import Row, account_of, table_of
from paydesk.store.sqlite import connect, load_rows

RowType = TypeVar("RowType", bound=Row)


class Database:
    """A look from outside, without faults; outlives every life of the server."""

    def __init__(self, file: Path) -> None:
        self._connection = connect(file, read_only=True)

    def intent(self, intent_id: str) -> Intent | None:
        rows = load_rows(self._connection, Intent, [(account_of(intent_id), intent_id)])
        return cast("Intent", rows[0]) if rows else None

    def all(self, kind: type[RowType]) -> list[RowType]:
        """Every row of a table, in the order of its key."""
        table = table_of(kind)
        columns, order = (", ".join(f'"{name}"' for name in names) for names in (table.columns, table.key))
        found = self._connection.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608
        return [cast("RowType", table.row(values)) for values in found]

    def number(self, statement: str, *parameters: Any) -> int:
        return self._connection.execute(statement, parameters).fetchone()[0]

    def close(self) -> None:
        self._connection.close()


class Told(Struct):
    """What the clients of a run were told, and so may rely on."""

    opened: dict[str, str] = field(default_factory=dict)
    """Order → the intent that its idempotency key gave."""
    amounts: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Order → what it costs."""
    attempts: dict[str, str] = field(default_factory=dict)
    """Digest of a card payload → the attempt that it stands for."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """Attempt → how it ended."""
    paid: dict[str, None] = field(default_factory=dict)
    """Intents that were shown as succeeded."""
    refused_orders: list[str] = field(default_factory=list)
    """Orders for which every answer promised that nothing was done."""
    refused_payloads: list[str] = field(default_factory=list)
    """Digests of card payloads with the same promise."""
