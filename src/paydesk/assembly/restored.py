"""The first start of a restored database: what happened since its backup is asked of every PSP, before anything is
taken or sent.

The nonces that were burnt since are gone, so the floor under them is raised first: whatever may have been signed until
now is refused (503 with Retry-After, for five minutes). Then every PSP is asked (`asking_again.py`).
"""

from collections.abc import Iterable

from paydesk.assembly.asking_again import Report, ask_again
from paydesk.assembly.house import House
from paydesk.assembly.installation import Backup
from paydesk.audit.operators import Audited, deed_of
from paydesk.requests.floor import raise_floor
from paydesk.requests.rows import NonceFloor
from paydesk.requests.signature import WINDOW_SECONDS
from paydesk.store import Command, Key, Rank, Work
from paydesk.times import rfc3339
from paydesk.web.door import new_request_id


class RaiseFloor(Command[None], frozen=True):
    """Nothing signed until then is taken."""

    RANK = Rank.APPLY

    floor_ms: int

    def keys(self) -> Iterable[Key]:
        yield NonceFloor, ("floor",)

    def decide(self, work: Work) -> None:
        raise_floor(work, self.floor_ms)


class MarkAsked(Command[None], frozen=True):
    """From now on this is the living database."""

    RANK = Rank.APPLY

    def decide(self, work: Work) -> None:
        work.change(work.get(Backup, "this"), asked_ms=work.now_ms)


async def settle(house: House, backup: Backup, *, ask: bool) -> None:
    """Raise the floor, ask, and say in the log of who did what that this was done; with `ask` off nobody is asked."""
    taken = rfc3339(backup.taken_ms)
    now_ms = max(house.world.now_ms(), house.world.wall_ms())
    await house.submit(RaiseFloor(floor_ms=now_ms + WINDOW_SECONDS * 1000))
    if ask:
        house.log.warning("restored", backup=taken, doing="asking every PSP what happened since; nothing is taken yet")
        report = await ask_again(house, backup.taken_ms)
    else:
        house.log.warning("restored_without_asking", backup=taken, danger="charges made since are not known")
        report = Report()
    deed = deed_of("restore" if ask else "serve --without-asking", {"backup": taken}, new_request_id(house))
    await house.submit(Audited(inner=MarkAsked(), deed=deed))
    house.log.warning(
        "restored_and_asked" if ask else "restored_and_open",
        backup=taken,
        accounts=report.accounts,
        charges=report.charges,
        refunds=report.refunds,
        disputes=report.disputes,
        recovered=report.recovered,
        looked_up=report.looked_up,
        unknown_charges=report.unknown,
    )
