"""The first start of a restored database: what happened since its backup is asked of every PSP, before anything is
taken or sent.

The nonces that were burnt since are gone, so the floor under them is raised first: whatever may have been signed until
now is refused (503 with Retry-After, for five minutes). Then each account's PSP is asked for its charges since the
backup, and for every attempt that is open. What is known is settled as by any answer (`payments/outcome.py`); what is
not is kept as an `UnknownCharge` and shown. A PSP that can't be reached is waited for, and said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, repeat
from typing import TypeVar

from msgspec import Struct

from paydesk.assembly.house import House
from paydesk.assembly.installation import Backup
from paydesk.audit.operators import Audited, deed_of
from paydesk.merchants import Account
from paydesk.payments.ask import question_about, store, terms_of
from paydesk.payments.asked_again import AskedAgain, agrees, open_attempts
from paydesk.payments.rows import Attempt
from paydesk.payments.unknown_charges import KeepUnknown, UnknownCharge, unknown_charge
from paydesk.psp.base import NotFound, NotSent, NoVerdict, Place, Standing
from paydesk.requests.floor import raise_floor
from paydesk.requests.rows import NonceFloor
from paydesk.requests.signature import WINDOW_SECONDS
from paydesk.store import Command, Key, Rank, Work, table_of
from paydesk.times import rfc3339
from paydesk.web.door import new_request_id

T = TypeVar("T")

MARGIN_MS = 15 * 60_000  # A PSP's clock may be behind ours; what is known already changes nothing.
AT_ONCE = 16  # Questions under way together.
RETRIES_SECONDS = (1, 2, 5, 10, 30)  # Then every 30 s, for as long as it takes.
TRIES = 3  # Of a look-up whose answer is no verdict, though the PSP is there: then its duty goes on asking.
STEP = 64

_COLUMNS = ", ".join(f'"{column}"' for column in table_of(Account).columns)
# The next accounts.
_ACCOUNTS = f'SELECT {_COLUMNS} FROM "accounts" WHERE "id" > ? ORDER BY "id" LIMIT ?'  # noqa: S608


class Report(Struct, kw_only=True):
    """What came of it."""

    accounts: int = 0
    charges: int = 0
    """That the PSPs named."""
    looked_up: int = 0
    unknown: int = 0
    """Charges that were written down because their attempt is not there."""


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
        looked_up=report.looked_up,
        unknown_charges=report.unknown,
    )


async def ask_again(house: House, taken_ms: int) -> Report:
    """Ask about everything since the backup; returns when every PSP has answered."""
    asking = _Asking(house, taken_ms - MARGIN_MS)
    after = ""
    while accounts := await house.reader.query(Account, _ACCOUNTS, (after, STEP)):
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(asking.account(account))
        after = accounts[-1].id
    return asking.report


class _Asking:
    def __init__(self, house: House, since_ms: int) -> None:
        self._house = house
        self._since_ms = since_ms
        self._room = asyncio.Semaphore(AT_ONCE)
        self.report = Report()

    async def account(self, account: Account) -> None:
        """Everything that this account's PSP knows and we may not."""
        psp = self._house.psp(account.psp)
        place = Place(url=account.psp_url, key=self._house.psp_key(account))
        standings = await self._reached(account, lambda: psp.list(place, self._since_ms))
        assert standings is not None
        self.report.accounts += 1
        self.report.charges += len(standings)
        attempts = {attempt.id: attempt for attempt in await open_attempts(self._house.reader, account.id)}
        unknown: list[UnknownCharge] = []
        for standing in standings:
            attempt = await self._house.reader.get(Attempt, account.id, standing.reference)
            if attempt is None:
                unknown += await self._unknown(account, standing)
            elif not agrees(attempt, standing.verdict):
                attempts[attempt.id] = attempt
        for start in range(0, len(unknown), STEP):
            self.report.unknown += await self._house.submit(KeepUnknown(charges=unknown[start : start + STEP]))
        for attempt in attempts.values():
            await self._attempt(account, attempt)

    async def _unknown(self, account: Account, standing: Standing) -> list[UnknownCharge]:
        house = self._house
        found = await unknown_charge(house.reader, account.id, account.psp, standing, house.world.now_ms())
        return [found] if found else []

    async def _attempt(self, account: Account, attempt: Attempt) -> None:
        """Look up how its charge stands. That there is none, its duty finds out in its own time."""
        question = question_about(self._house, account, attempt)
        psp = self._house.psp(attempt.psp)
        verdict = await self._reached(account, lambda: psp.look_up(question), tries=TRIES)
        self.report.looked_up += 1
        if verdict is None or isinstance(verdict, NotFound | NotSent | NoVerdict):
            return
        outcome = AskedAgain(attempt=attempt, verdict=verdict, terms=terms_of(self._house, attempt.id))
        if not await store(self._house, outcome):
            self._house.log.error("charge_of_another_attempt", attempt=attempt.id, verdict=verdict)

    async def _reached(
        self, account: Account, ask: Callable[[], Awaitable[T | NotSent | NoVerdict]], *, tries: int | None = None
    ) -> T | None:
        """What the PSP says, however long it takes to reach it. None where it was there `tries` times, and its answer
        none.
        """
        for wait_seconds in chain(RETRIES_SECONDS, repeat(RETRIES_SECONDS[-1])):
            async with self._room:
                answer = await ask()
            if not isinstance(answer, NotSent | NoVerdict):
                return answer
            if isinstance(answer, NoVerdict) and tries is not None and (tries := tries - 1) == 0:
                return None
            self._house.log.warning(
                "psp_is_waited_for",
                account=account.id,
                psp=account.psp,
                reason=answer.reason,
                again_in_seconds=wait_seconds,
                otherwise="serve --without-asking",
            )
            await asyncio.sleep(wait_seconds)
        raise AssertionError("nobody waits longer than for ever")
