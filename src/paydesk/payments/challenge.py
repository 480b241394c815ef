"""The shopper comes back from the bank (3-D Secure). What the bank's page claims on the way is not believed: the PSP
is asked.
"""

from collections.abc import Iterable

from paydesk.errors import Refusal
from paydesk.payments.confirm import ask_psp_id
from paydesk.payments.rows import Attempt, Intent
from paydesk.payments.tell import change
from paydesk.payments.waiting import WaitingDesk
from paydesk.store import Command, Duty, Key, Rank, Work
from paydesk.store.published import Watch

SHOPPER = "shopper"
WAIT_SECONDS = 8.0  # So long the shopper looks at an empty page at most; the card's page goes on waiting.
RECORD_AGAIN_SECONDS = 0.5
ASKED_JUST_NOW_MS = 2_000  # Whoever reloads the way back makes no more than one question out of so much time.


class CameBack(Command[None], frozen=True):
    """The shopper was at the bank: the PSP is asked now, and again and again until it knows (`outcome.py`)."""

    RANK = Rank.CONFIRM

    account: str
    attempt: str

    def keys(self) -> Iterable[Key]:
        yield Attempt, (self.account, self.attempt)
        yield Duty, (self.account, ask_psp_id(self.attempt))

    def decide(self, work: Work) -> None:
        attempt = work.get(Attempt, self.account, self.attempt)
        duty = work.find(Duty, self.account, ask_psp_id(self.attempt))
        if attempt.status != "requires_action" or duty is None:
            return
        if duty.note and work.now_ms - int(duty.note) < ASKED_JUST_NOW_MS:
            return
        if not duty.note:
            intent = work.get(Intent, self.account, attempt.intent)
            change(work, intent, "came_back", SHOPPER, about=attempt.id)
        # Somebody who is asking just now asked before the shopper came back; what it hears decides when it asks again.
        due_ms = duty.due_ms if duty.owner else min(duty.due_ms, work.now_ms)
        work.change(duty, due_ms=due_ms, tries=0, note=str(work.now_ms))


async def came_back(desk: WaitingDesk, account: str, attempt_id: str) -> None:
    """Have the PSP asked, and wait a little for the outcome."""
    until = desk.world.monotonic() + WAIT_SECONDS
    with desk.published.watch((Attempt, (account, attempt_id))) as watch:
        while not await _recorded(desk, CameBack(account=account, attempt=attempt_id)):
            if not await _goes_on(desk, watch, until, RECORD_AGAIN_SECONDS):
                return
        while await _is_open(desk, account, attempt_id):
            if not await _goes_on(desk, watch, until, WAIT_SECONDS):
                return


async def _recorded(desk: WaitingDesk, command: CameBack) -> bool:
    try:
        await desk.submit(command)
    except Refusal as why:  # A full disk, or too much to do: the shopper will not come by a second time.
        desk.log.warning("return_not_recorded", attempt=command.attempt, reason=why.message)
        return False
    return True


async def _is_open(desk: WaitingDesk, account: str, attempt_id: str) -> bool:
    attempt = await desk.reader.get(Attempt, account, attempt_id)
    return attempt is not None and attempt.status == "requires_action"


async def _goes_on(desk: WaitingDesk, watch: Watch, until: float, seconds: float) -> bool:
    """Wait for a change, for so long at most. Whether there is time left then."""
    left = until - desk.world.monotonic()
    if desk.stopping or left <= 0:
        return False
    await watch.changed(min(left, seconds))
    return True
