"""The desk as one request of the operator sees it: whatever it changes is written into the log in the same commit."""

from typing import Any, TypeVar, cast

from paydesk.audit.operators import Audited, Deed
from paydesk.store import Command
from paydesk.web.desk import DoorDesk

R = TypeVar("R")


class _Audited:
    """The desk, except that every command carries its line: an action can't change anything without."""

    def __init__(self, desk: DoorDesk, deed: Deed) -> None:
        self._desk = desk
        self._deed = deed

    async def submit(self, command: Command[R], carry: object = None) -> R:
        return await self._desk.submit(Audited(inner=command, deed=self._deed), carry)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)


def audited(desk: DoorDesk, deed: Deed) -> DoorDesk:
    """The desk for this deed."""
    return cast("DoorDesk", _Audited(desk, deed))
