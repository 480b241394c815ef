"""Everything there is to compare, read once when a run is over."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from paydesk.audit.rows import AuditEntry, AuditHead
from paydesk.duties.rows import DeadDuty
from paydesk.events.rows import Delivery, Endpoint, Event
from paydesk.ledger.rows import Balance, LedgerTransaction, Maturity, Posting
from paydesk.merchants import Account
from paydesk.payments.rows import Attempt, CardUse, Dispute, Errand, Intent, LatePayment, Notice, Refund, TimelineEntry
from paydesk.requests.rows import Kept
from paydesk.store import Duty
from paydesk_sandbox.psp.books import DisputeEntry, Entry, RefundEntry
from paydesk_sandbox.psp.rules import Psp
from paydesk_simulator.facts import Database, Told
from paydesk_simulator.receiver import Receiver


class Facts(Struct, frozen=True, kw_only=True):
    """The database, the PSP's books, what clients were told, what receivers were sent."""

    accounts: dict[str, Account]
    attempts: Sequence[Attempt]
    audit: Sequence[AuditEntry]
    audit_heads: Sequence[AuditHead]
    balances: Sequence[Balance]
    card_uses: Sequence[CardUse]
    dead: Sequence[DeadDuty]
    disputes: Sequence[Dispute]
    deliveries: Sequence[Delivery]
    duties: Sequence[Duty]
    endpoints: Sequence[Endpoint]
    errands: Sequence[Errand]
    events: Sequence[Event]
    intents: dict[str, Intent]
    kept: Sequence[Kept]
    late_payments: Sequence[LatePayment]
    maturities: Sequence[Maturity]
    notices: Sequence[Notice]
    postings: Sequence[Posting]
    refunds: Sequence[Refund]
    timeline: Sequence[TimelineEntry]
    transactions: Sequence[LedgerTransaction]
    charges: dict[str, list[Entry]]
    """Attempt → what the PSP has under that reference."""
    psp_refunds: dict[str, list[RefundEntry]]
    """Refund → what the PSP has under that reference."""
    psp_disputes: dict[str, DisputeEntry]
    """The PSP's id → the dispute at the bank."""
    psp_changed_ms: dict[str, int]
    """The PSP's id → when what it names was made, or changed for the last time."""
    untold: set[str]
    """What the PSP once did not tell of: its notice was lost, or given up."""
    told: Told
    receivers: dict[str, Receiver]
    """Endpoint → who is there."""
    now_ms: int


def gather(database: Database, psp: Psp, told: Told, receivers: dict[str, Receiver], now_ms: int) -> Facts:
    """Read it all."""
    books = psp.books
    charges: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in books.charges.all.values():
        charges[entry.charge.reference].append(entry)
    psp_refunds: defaultdict[str, list[RefundEntry]] = defaultdict(list)
    for refund in books.refunds.all.values():
        psp_refunds[refund.refund.reference].append(refund)
    return Facts(
        accounts={account.id: account for account in database.all(Account)},
        attempts=database.all(Attempt),
        audit=database.all(AuditEntry),
        audit_heads=database.all(AuditHead),
        balances=database.all(Balance),
        card_uses=database.all(CardUse),
        dead=database.all(DeadDuty),
        disputes=database.all(Dispute),
        deliveries=database.all(Delivery),
        duties=database.all(Duty),
        endpoints=database.all(Endpoint),
        errands=database.all(Errand),
        events=database.all(Event),
        intents={intent.id: intent for intent in database.all(Intent)},
        kept=database.all(Kept),
        late_payments=database.all(LatePayment),
        maturities=database.all(Maturity),
        notices=database.all(Notice),
        postings=database.all(Posting),
        refunds=database.all(Refund),
        timeline=database.all(TimelineEntry),
        transactions=database.all(LedgerTransaction),
        charges=charges,
        psp_refunds=psp_refunds,
        psp_disputes=books.disputes.all,
        psp_changed_ms={one.about: one.created_ms for one in psp.notices.records.values()},
        untold={one.about for one in psp.notices.records.values() if one.state in ("lost", "given_up")},
        told=told,
        receivers=receivers,
        now_ms=now_ms,
    )
