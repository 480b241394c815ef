"""Seeing to a notice: the PSP is asked how things stand, and what it says goes through the one door for it.

So a notice may come twice, late, before the one that preceded it, or before the PSP's own answer: what counts is how
things stand now, and what is known already changes nothing.
"""

from collections.abc import Awaitable, Callable

from paydesk.payments.ask import PaymentDesk, store
from paydesk.payments.notices.charge import heed_charge
from paydesk.payments.notices.dispute import heed_dispute
from paydesk.payments.notices.fate import Heed
from paydesk.payments.notices.refund import heed_refund
from paydesk.payments.notices.take import key_of
from paydesk.payments.rows import Notice
from paydesk.store import Duty

ABOUT: dict[str, Callable[[PaymentDesk, Duty, Notice], Awaitable[Heed]]] = {
    "charge": heed_charge,
    "refund": heed_refund,
    "dispute": heed_dispute,
}


async def heed(desk: PaymentDesk, duty: Duty) -> None:
    """Ask the PSP about what the notice names, and apply what it says."""
    notice = await desk.reader.get(Notice, *key_of(duty))
    if notice is None:
        raise AssertionError(f"{duty.id} has no notice")
    heard = await ABOUT[notice.about](desk, duty, notice)
    if parked := await store(desk, heard):
        desk.log.warning("notice_parked", account=notice.account, notice=notice.id, about=notice.about, reason=parked)
