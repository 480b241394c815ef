"""What there is to compare: the database as it is committed, and what the clients were told."""

from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct, field

from paydesk.payments.rows import Intent
from paydesk.payments.states import TERMINAL
from paydesk.store import Row, account_of, table_of
from paydesk.store.sqlite import connect, load_rows
from paydesk_simulator.journal import Journal

RowType = TypeVar("RowType", bound=Row)


class Database:
    """A look from outside, without faults; outlives every life of the server."""

    def __init__(self, file: Path) -> None:
        self._connection = connect(file, read_only=True)

    def intent(self, intent_id: str) -> Intent | None:
        return self.find(Intent, account_of(intent_id), intent_id)

    def find(self, kind: type[RowType], *key: str) -> RowType | None:
        rows = load_rows(self._connection, kind, [key])
        return cast("RowType", rows[0]) if rows else None

    def all(self, kind: type[RowType]) -> list[RowType]:
        """Every row of a table, in the order of its key."""
        table = table_of(kind)
        columns, order = (", ".join(f'"{name}"' for name in names) for names in (table.columns, table.key))
        found = self._connection.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608
        return [cast("RowType", table.row(values)) for values in found]

    def of_intent(self, kind: type[RowType], account: str, intent: str) -> list[RowType]:
        """The rows about one intent, in the order of their ids."""
        table = table_of(kind)
        columns = ", ".join(f'"{name}"' for name in table.columns)
        where = 'WHERE "account" = ? AND "intent" = ? ORDER BY "id"'
        statement = f'SELECT {columns} FROM "{table.name}" {where}'  # noqa: S608
        return [cast("RowType", table.row(values)) for values in self._connection.execute(statement, (account, intent))]

    def number(self, statement: str, *parameters: Any) -> int:
        return self._connection.execute(statement, parameters).fetchone()[0]

    def close(self) -> None:
        self._connection.close()


class Told(Struct):
    """What the clients of a run were told, and so may rely on."""

    opened: dict[str, str] = field(default_factory=dict)
    """Order → the intent that its idempotency key gave."""
    attempts: dict[str, str] = field(default_factory=dict)
    """Digest of a card payload → the attempt that it stands for."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """Attempt → how it ended."""
    over: dict[str, str] = field(default_factory=dict)
    """Intents that were shown as over → as what: `succeeded`, `canceled`."""
    answers: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    """Account and idempotency key → the answer that was given under it and stays."""
    broken: dict[str, None] = field(default_factory=dict)
    """Attempts with which the PSP broke its promise: what was told of them may have been overtaken."""
    refused_orders: list[str] = field(default_factory=list)
    """Orders for which every answer promised that nothing was done."""
    refused_payloads: list[str] = field(default_factory=list)
    """Digests of card payloads with the same promise."""

    def shown(self, intent: str, status: str, journal: Journal) -> None:
        """Somebody saw the intent like this: what was over once stays as it was."""
        before = self.over.setdefault(intent, status) if status in TERMINAL else self.over.get(intent, status)
        if before != status:
            journal.violated(f"{intent} was {before}, and then {status}")
