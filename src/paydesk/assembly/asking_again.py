"""What happened since a backup, asked of every account's PSP: its charges, refunds and disputes since then, and
everything of ours that is open, whenever it was made.

What is known is settled through the doors that any answer goes through; what is not is kept as an `UnknownCharge`. A
PSP that can't be reached is waited for, and said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, repeat
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from paydesk.assembly.house import House
from paydesk.merchants import Account
from paydesk.payments.ask import question_about, store, terms_of
from paydesk.payments.asked_again import (
    AskedAgain,
    DisputeAskedAgain,
    RefundAskedAgain,
    agrees,
    charged_as,
    open_attempts,
    open_disputes,
    open_refunds,
)
from paydesk.payments.outcome import OPEN
from paydesk.payments.recover import RecoverCharge, RecoverRefund
from paydesk.payments.refund_ask import about_refund
from paydesk.payments.refund_outcome import NotMade
from paydesk.payments.rows import Attempt, Intent, Refund
from paydesk.payments.unknown_charges import KeepUnknown, UnknownCharge, of_charge, of_dispute, of_refund
from paydesk.psp.base import (
    Authorised,
    Canceled,
    Captured,
    ChallengeWanted,
    Declined,
    DisputeStanding,
    NotFound,
    NotSent,
    NoVerdict,
    Place,
    Psp,
    Refunded,
    RefundFailed,
    RefundPending,
    RefundStanding,
    Standing,
    Verdict,
)
from paydesk.store import table_of

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
    refunds: int = 0
    disputes: int = 0
    """That the PSPs named."""
    recovered: int = 0
    """Charges and refunds that were written down anew."""
    looked_up: int = 0
    unknown: int = 0
    """What was written down since it is not of ours."""


async def ask_again(house: House, taken_ms: int) -> Report:
    """Ask about everything since the backup; returns when every PSP has answered."""
    report, room, after = Report(), asyncio.Semaphore(AT_ONCE), ""
    while accounts := await house.reader.query(Account, _ACCOUNTS, (after, STEP)):
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(_Asking(house, account, taken_ms - MARGIN_MS, room, report).run())
        after = accounts[-1].id
    return report


class _Asking:
    """Everything that one account's PSP knows and we may not."""

    def __init__(self, house: House, account: Account, since_ms: int, room: asyncio.Semaphore, report: Report) -> None:
        self._house = house
        self._account = account
        self._since_ms = since_ms
        self._room = room
        self._report = report
        self._unknown: list[UnknownCharge] = []
        self._sent_back: dict[str, str] = {}
        """By a charge's reference at the PSP, the last refund of it that the PSP named: it may be a late payment's."""
        self._began_ms = house.world.now_ms()
        self._psp: Psp = house.psp(account.psp)
        self._place = Place(url=account.psp_url, key=house.psp_key(account))

    async def run(self) -> None:
        psp, place, since_ms = self._psp, self._place, self._since_ms
        charges = await self._listed(lambda: psp.list(place, since_ms))
        refunds = await self._listed(lambda: psp.list_refunds(place, since_ms))
        disputes = await self._listed(lambda: psp.list_disputes(place, since_ms))
        self._report.accounts += 1
        self._report.charges += len(charges)
        self._report.refunds += len(refunds)
        self._report.disputes += len(disputes)
        self._sent_back = {refund.charge: refund.reference for refund in refunds}
        await self._charges(charges)
        for dispute in disputes:
            await self._dispute(dispute)
        await self._open_disputes()
        for refund in await open_refunds(self._house.reader, self._account.id):
            await self._open_refund(refund)
        for refund in refunds:
            await self._refund(refund)
        for start in range(0, len(self._unknown), STEP):
            kept = KeepUnknown(charges=self._unknown[start : start + STEP])
            self._report.unknown += await store(self._house, kept)

    async def _charges(self, standings: Sequence[Standing]) -> None:
        house, account = self._house, self._account
        attempts = {attempt.id: attempt for attempt in await open_attempts(house.reader, account.id)}
        missing: list[Standing] = []
        for standing in standings:
            attempt = await house.reader.get(Attempt, account.id, standing.reference)
            if attempt is None:
                missing.append(standing)
            elif not agrees(attempt, standing.verdict):
                attempts[attempt.id] = attempt
        for attempt in attempts.values():
            await self._attempt(attempt)
        for standing in sorted(missing, key=self._rank):  # When those before are over: an intent has one at a time.
            await self._missing(standing)

    def _rank(self, standing: Standing) -> tuple[int, bool]:
        """Where an intent has several charges, the money decides, and among the captured what was not sent back."""
        kinds = (Captured, Authorised, ChallengeWanted)
        rank = next((n for n, kind in enumerate(kinds) if isinstance(standing.verdict, kind)), len(kinds))
        sent_back = isinstance(standing.verdict, Captured) and standing.verdict.psp_reference in self._sent_back
        return rank, sent_back

    async def _missing(self, standing: Standing) -> None:
        """A charge whose attempt was made after the backup: written down anew, or kept where that can't be."""
        house, account = self._house, self._account
        charge = await of_charge(house.reader, account.id, account.psp, standing, house.world.now_ms())
        if charge is None:
            return None
        recover = RecoverCharge(account=account.id, psp=account.psp, psp_url=account.psp_url, standing=standing)
        attempt = await store(house, recover)
        if attempt is None and await self._freed(standing):
            attempt = await store(house, recover)
        if attempt is None:
            return self._keep(charge)
        self._report.recovered += 1
        await self._apply(attempt, standing.verdict)
        return None

    async def _freed(self, standing: Standing) -> bool:
        """Whether the attempt that was under way at the backup is over now: its PSP never received it, and what was on
        its way when the asking began has landed.
        """
        house, account = self._house, self._account
        intent = await house.reader.get(Intent, account.id, standing.intent) if standing.intent else None
        latest = intent.latest_attempt if intent else None
        attempt = await house.reader.get(Attempt, account.id, latest) if latest else None
        if attempt is None or attempt.status not in OPEN:
            return False
        await self._landed()
        question = question_about(house, account, attempt)
        verdict = await self._reached(lambda: house.psp(attempt.psp).look_up(question))
        self._report.looked_up += 1
        if not isinstance(verdict, NotFound | Declined | Canceled):
            return False
        over = NotSent(reason="the PSP never received it") if isinstance(verdict, NotFound) else verdict
        return await self._apply(attempt, over)

    async def _landed(self) -> None:
        """Wait until nothing is on its way any more of what was sent before the asking began."""
        lands_ms = self._began_ms + self._psp.promises.max_in_flight_seconds * 1000
        await asyncio.sleep(max(lands_ms - self._house.world.now_ms(), 0) / 1000)

    async def _apply(self, attempt: Attempt, verdict: Verdict) -> bool:
        reference = verdict.psp_reference if isinstance(verdict, Captured) else ""
        terms = replace(terms_of(self._house, attempt.id), sent_back=self._sent_back.get(reference, ""))
        return await store(self._house, AskedAgain(attempt=attempt, verdict=verdict, terms=terms))

    async def _attempt(self, attempt: Attempt) -> None:
        """Look up how its charge stands. That there is none, its duty finds out in its own time."""
        house, question = self._house, question_about(self._house, self._account, attempt)
        verdict = await self._reached(lambda: house.psp(attempt.psp).look_up(question), tries=TRIES)
        self._report.looked_up += 1
        if verdict is None or isinstance(verdict, NotFound | NotSent | NoVerdict):
            return
        if not await self._apply(attempt, verdict):
            house.log.error("charge_of_another_attempt", attempt=attempt.id, verdict=verdict)

    async def _refund(self, standing: RefundStanding) -> None:
        house, account = self._house, self._account
        refund = await house.reader.get(Refund, account.id, standing.reference)
        if refund is None:
            return await self._missing_refund(standing)
        same = (refund.charge, refund.amount_minor) == (standing.charge, standing.amount_minor)
        if not same or not await store(house, RefundAskedAgain(refund=refund, verdict=standing.verdict)):
            house.log.error("refund_of_another", refund=refund.id, psp_reference=standing.psp_reference)
        return None

    async def _open_refund(self, refund: Refund) -> None:
        """How it stands now. One that the PSP never received is not sent: its merchant may have made another since."""
        house = self._house
        _, question = await about_refund(house, refund.account, refund.id)
        verdict = await self._reached(lambda: house.psp(refund.psp).look_up_refund(question), tries=TRIES)
        if isinstance(verdict, NotFound) and refund.status == "asking":
            await self._landed()
            verdict = await self._reached(lambda: house.psp(refund.psp).look_up_refund(question), tries=TRIES)
        self._report.looked_up += 1
        if isinstance(verdict, NotFound) and refund.status == "asking":
            await store(house, RefundAskedAgain(refund=refund, verdict=NotMade(reason="not_sent")))
        elif isinstance(verdict, Refunded | RefundPending | RefundFailed):
            await store(house, RefundAskedAgain(refund=refund, verdict=verdict))

    async def _missing_refund(self, standing: RefundStanding) -> None:
        house, account = self._house, self._account
        charge = await charged_as(house.reader, account.id, account.psp, standing.charge)
        unknown = of_refund(account.id, account.psp, charge, standing, house.world.now_ms())
        if unknown and charge and await store(house, RecoverRefund(attempt=charge, standing=standing)):
            self._report.recovered += 1
        else:
            self._keep(unknown)

    async def _dispute(self, standing: DisputeStanding) -> None:
        """Of a charge that is not paid here, it is kept."""
        house, account = self._house, self._account
        attempt = await house.reader.get(Attempt, account.id, standing.reference)
        intent = attempt and await house.reader.get(Intent, account.id, attempt.intent)
        if attempt and intent:
            command = DisputeAskedAgain(attempt=attempt, standing=standing, day=intent.matures_on)
            if await store(house, command):
                return
        self._keep(of_dispute(account.id, account.psp, standing, house.world.now_ms()))

    async def _open_disputes(self) -> None:
        for dispute in await open_disputes(self._house.reader, self._account.id):
            await self._open_dispute(dispute.psp_reference)

    async def _open_dispute(self, psp_reference: str) -> None:
        verdict = await self._reached(lambda: self._psp.look_up_dispute(self._place, psp_reference), tries=TRIES)
        self._report.looked_up += 1
        if isinstance(verdict, DisputeStanding):
            await self._dispute(verdict)

    def _keep(self, unknown: UnknownCharge | None) -> None:
        if unknown:
            self._unknown.append(unknown)

    async def _listed(self, ask: Callable[[], Awaitable[Sequence[T] | NotSent | NoVerdict]]) -> Sequence[T]:
        found = await self._reached(ask)
        assert found is not None
        return found

    async def _reached(
        self, ask: Callable[[], Awaitable[T | NotSent | NoVerdict]], *, tries: int | None = None
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
                account=self._account.id,
                psp=self._account.psp,
                reason=answer.reason,
                again_in_seconds=wait_seconds,
                otherwise="serve --without-asking",
            )
            await asyncio.sleep(wait_seconds)
        raise AssertionError("nobody waits longer than for ever")
