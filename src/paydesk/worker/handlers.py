"""Every kind of duty and the room that does it, and who is told when it is done no more."""

from collections.abc import Mapping
from typing import Protocol

from paydesk.duties.dead import Parked
from paydesk.duties.runner import Handler
from paydesk.events import deliver as deliveries
from paydesk.events.deliver import DELIVER, EventDesk, deliver
from paydesk.events.dispatch import dispatch
from paydesk.events.record import DISPATCH
from paydesk.payments import outcome, refund_outcome
from paydesk.payments.ask import PaymentDesk, ask, run_errand
from paydesk.payments.confirm import ASK_PSP
from paydesk.payments.errand import ERRAND
from paydesk.payments.maturity import MATURE, Mature
from paydesk.payments.notices import fate
from paydesk.payments.notices.heed import heed
from paydesk.payments.notices.take import NOTICE
from paydesk.payments.refund import REFUND
from paydesk.payments.refund_ask import run_refund, watch_refund
from paydesk.payments.refund_outcome import WATCH_REFUND
from paydesk.psp.base import SavedCard
from paydesk.store import Duty
from paydesk.vault.cards import Card

PARKED: Mapping[str, Parked] = {
    ASK_PSP: outcome.parked,
    ERRAND: outcome.errand_parked,
    REFUND: refund_outcome.parked,
    NOTICE: fate.buried,
    DELIVER: deliveries.parked,
}
"""What else changes when a duty of this kind is parked."""


class WorkerDesk(PaymentDesk, EventDesk, Protocol):
    """A desk with all that duties need."""


def handlers(desk: WorkerDesk) -> Mapping[str, Handler]:
    """Which function does which kind of duty."""

    async def ask_psp(duty: Duty, carried: object) -> None:
        await ask(desk, duty, carried if isinstance(carried, Card | SavedCard) else None)

    async def errand(duty: Duty, carried: object) -> None:
        await run_errand(desk, duty)

    async def notice(duty: Duty, carried: object) -> None:
        await heed(desk, duty)

    async def mature(duty: Duty, carried: object) -> None:
        await desk.submit(Mature(duty=duty))

    async def refund(duty: Duty, carried: object) -> None:
        await run_refund(desk, duty)

    async def watch(duty: Duty, carried: object) -> None:
        await watch_refund(desk, duty)

    async def dispatch_event(duty: Duty, carried: object) -> None:
        await dispatch(desk, duty, carried)

    async def deliver_event(duty: Duty, carried: object) -> None:
        await deliver(desk, duty, carried)

    return {
        ASK_PSP: ask_psp,
        ERRAND: errand,
        NOTICE: notice,
        REFUND: refund,
        WATCH_REFUND: watch,
        MATURE: mature,
        DISPATCH: dispatch_event,
        DELIVER: deliver_event,
    }
