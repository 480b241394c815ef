"""Everything there is to compare, read once when a run is over."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from paydesk.duties.rows import DeadDuty
from paydesk.events.rows import Delivery, Endpoint, Event
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting
from paydesk.payments.rows import Attempt, CardUse, Errand, Intent, LatePayment, Refund, TimelineEntry
from paydesk.requests.rows import Kept
from paydesk.store import Duty
from paydesk_sandbox.psp.books import Books, Entry, RefundEntry
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.receiver import Receiver


class Facts(Struct, frozen=True, kw_only=True):
    """The database, the PSP's books, what clients were told, what receivers were sent."""

    attempts: Sequence[Attempt]
    balances: Sequence[Balance]
    card_uses: Sequence[CardUse]
    dead: Sequence[DeadDuty]
    deliveries: Sequence[Delivery]
    duties: Sequence[Duty]
    endpoints: Sequence[Endpoint]
    errands: Sequence[Errand]
    events: Sequence[Event]
    intents: dict[str, Intent]
    kept: Sequence[Kept]
    late_payments: Sequence[LatePayment]
    maturities: Sequence[Maturity]
    postings: Sequence[Posting]
    refunds: Sequence[Refund]
    timeline: Sequence[TimelineEntry]
    transactions: Sequence[LedgerTransaction]
    charges: dict[str, list[Entry]]
    """Attempt → what the PSP has under that reference."""
    psp_refunds: dict[str, list[RefundEntry]]
    """Refund → what the PSP has under that reference."""
    told: Told
    receivers: dict[str, Receiver]
    """Endpoint → who is there."""
    now_ms: int


def gather(database: Database, books: Books, told: Told, receivers: dict[str, Receiver], now_ms: int) -> Facts:
    """Read it all."""
    charges: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in books.charges.all.values():
        charges[entry.charge.reference].append(entry)
    psp_refunds: defaultdict[str, list[RefundEntry]] = defaultdict(list)
    for refund in books.refunds.all.values():
        psp_refunds[refund.refund.reference].append(refund)
    return Facts(
        attempts=database.all(Attempt),
        balances=database.all(Balance),
        card_uses=database.all(CardUse),
        dead=database.all(DeadDuty),
        deliveries=database.all(Delivery),
        duties=database.all(Duty),
        endpoints=database.all(Endpoint),
        errands=database.all(Errand),
        events=database.all(Event),
        intents={intent.id: intent for intent in database.all(Intent)},
        kept=database.all(Kept),
        late_payments=database.all(LatePayment),
        maturities=database.all(Maturity),
        postings=database.all(Posting),
        refunds=database.all(Refund),
        timeline=database.all(TimelineEntry),
        transactions=database.all(LedgerTransaction),
        charges=charges,
        psp_refunds=psp_refunds,
        told=told,
        receivers=receivers,
        now_ms=now_ms,
    )
