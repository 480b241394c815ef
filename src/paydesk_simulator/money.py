"""What must hold of money: the PSP's books, ours, and what we believe are one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TypeVar, cast

from paydesk.ledger.chart import purpose
from paydesk.ledger.verify import Off, recount
from paydesk.money import Fee
from paydesk.payments.rows import Attempt, Dispute, Refund
from paydesk.store import Row
from paydesk.times import DAY_MS, day_of, day_starts_ms
from paydesk_simulator.gathered import Facts

AnyRow = TypeVar("AnyRow", bound=Row)

ENDINGS = {
    "captured": ("captured",),
    "authorised": ("authorised",),
    "declined": ("declined",),
    "released": ("canceled", "abandoned"),
}
"""What the PSP calls a charge → what the attempt may be called."""
LET_GO = ("canceled", "abandoned")
NOTHING_TAKEN = ("challenge", "declined", "released")
REFUND_ENDINGS = {"succeeded": ("succeeded",), "pending": ("pending",), "failed": ("failed",)}
POSTED_BY_STATUS = {
    "asking": ("refund_begun",),
    "pending": ("refund_begun",),
    "succeeded": ("refund_begun", "refund"),
    "not_made": ("refund_begun", "refund_failed"),
}
"""Which transactions a refund of what an intent received has; one that failed has one of two sets."""
FAILED = (("refund_begun", "refund_failed"), ("refund", "refund_begun", "refund_reversed"))


def charged_once(facts: Facts) -> Iterator[str]:
    """1: one capture per intent at the PSP, of no more than was authorised; what is beyond it is a late payment."""
    late = Counter(late.intent for late in facts.late_payments)
    captured: Counter[str] = Counter()
    for attempt in facts.attempts:
        for entry in facts.charges.get(attempt.id, []):
            charge = entry.charge
            captured[attempt.intent] += charge.status == "captured"
            if charge.amount_captured > attempt.amount_minor or charge.amount != attempt.amount_minor:
                yield f"{attempt.id} asks for {attempt.amount_minor}, the PSP took {charge.amount_captured}"
            if charge.currency != attempt.currency:
                yield f"{attempt.id} asks for {attempt.currency}, the PSP took {charge.currency}"
            if attempt.capture and charge.amount_captured not in (0, attempt.amount_minor):
                yield f"{attempt.id} asks for {attempt.amount_minor}, the PSP took {charge.amount_captured}"
    for intent, times in captured.items():
        if times > 1 + late[intent]:
            yield f"{intent} was captured {times} times at the PSP"
    known = dict.fromkeys(attempt.id for attempt in facts.attempts)
    yield from (f"the PSP knows {charge}, Paydesk doesn't" for charge in facts.charges if charge not in known)


def beliefs(facts: Facts) -> Iterator[str]:
    """2: what Paydesk says of an attempt is what the PSP did, and what the shopper was told."""
    for attempt in facts.attempts:
        charges = [entry.charge for entry in facts.charges.get(attempt.id, [])]
        real = ENDINGS.get(charges[0].status, ()) if charges else ("not_sent",)
        if attempt.id in facts.told.broken and charges and charges[0].status in NOTHING_TAKEN:
            continue  # It landed when all knew that it never would, and nothing came of it.
        if len(charges) > 1 or attempt.status not in real:
            yield f"{attempt.id} is {attempt.status}, the PSP has {[charge.status for charge in charges]}"
        elif charges and attempt.psp_reference != charges[0].id:
            yield f"{attempt.id} names {attempt.psp_reference}, the PSP {charges[0].id}"
        elif charges and attempt.captured_minor != charges[0].amount_captured:
            yield f"{attempt.id} took {attempt.captured_minor}, the PSP {charges[0].amount_captured}"
        elif attempt.status in LET_GO and (attempt.settled_ms or 0) < facts.psp_changed_ms[charges[0].id]:
            yield f"{attempt.id} was {attempt.status} here before the PSP let go of it"
    status = {attempt.id: attempt.status for attempt in facts.attempts}
    for attempt_id, told in facts.told.outcomes.items():
        if status.get(attempt_id) != told and attempt_id not in facts.told.broken:
            yield f"a shopper was told that {attempt_id} is {told}, but it is {status.get(attempt_id)}"


def given_back(facts: Facts) -> Iterator[str]:
    """5, 8: what Paydesk says of a refund is what the PSP did, once; never more than was taken went back."""
    watched = {duty.subject for duty in facts.duties if duty.kind == "watch_refund"}
    for refund in facts.refunds:
        made = [entry.refund for entry in facts.psp_refunds.get(refund.id, [])]
        real = REFUND_ENDINGS.get(made[0].status, ()) if made else ("not_made",)
        to_be_seen = bool(made) and made[0].status == "failed" and refund.id in watched
        if len(made) > 1 or (refund.status not in real and not to_be_seen):
            yield f"{refund.id} is {refund.status}, the PSP has {[one.status for one in made]}"
        if made and (made[0].amount, made[0].currency, made[0].charge) != _asked(refund):
            yield f"{refund.id} is {_asked(refund)}, the PSP has {made[0]}"
    known = dict.fromkeys(refund.id for refund in facts.refunds)
    yield from (f"the PSP refunded {one}, Paydesk didn't" for one in facts.psp_refunds if one not in known)


def _asked(refund: Refund) -> tuple[int, str, str]:
    return refund.amount_minor, refund.currency, refund.charge


def disputed(facts: Facts) -> Iterator[str]:
    """5, 8: each dispute that was told of stands as it does at the bank, with its transactions, each once."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for transaction in facts.transactions:
        kinds[transaction.reference].append(transaction.kind)
    ours = {dispute.psp_reference: dispute for dispute in facts.disputes}
    for psp_id, entry in facts.psp_disputes.items():
        row, real = ours.pop(psp_id, None), entry.dispute
        if row is None or (row.status != real.status):
            if psp_id not in facts.untold:
                yield f"{psp_id} is {real.status} at the bank, and {row and row.status} here"
        elif (row.amount_minor, row.currency, row.attempt) != (real.amount, real.currency, real.reference):
            yield f"{row.id} is {row.amount_minor} of {row.attempt}, the bank's is {real}"
    for row in facts.disputes:
        wanted = ["dispute_opened", *([] if row.status == "needs_response" else [f"dispute_{row.status}"])]
        if sorted(kinds[row.psp_reference]) != sorted(wanted):
            yield f"{row.id} is {row.status}, posted are {kinds[row.psp_reference]}"
    yield from (f"{psp_id} is known here, and not at the bank" for psp_id in ours)


def never_too_much(facts: Facts) -> Iterator[str]:
    """5: refunded + being refunded + disputed is not beyond what was captured, and counted right."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for refund in facts.refunds:
        if not refund.late_payment:
            sums[refund.intent][refund.status] += refund.amount_minor
    disputes: defaultdict[str, list[Dispute]] = defaultdict(list)
    for dispute in facts.disputes:
        disputes[dispute.intent].append(dispute)
    late = {payment.attempt for payment in facts.late_payments}
    for intent in facts.intents.values():
        of = sums[intent.id]
        if intent.refunded_minor != of["succeeded"] or intent.refunding_minor != of["asking"] + of["pending"]:
            yield f"{intent.id} counts {intent.refunded_minor} and {intent.refunding_minor}, its refunds are {of}"
        held = sum(one.amount_minor for one in disputes[intent.id] if one.status != "won" and one.attempt not in late)
        if intent.disputed_minor != held:
            yield f"{intent.id} counts {intent.disputed_minor} as disputed, its disputes are {disputes[intent.id]}"
        if intent.refunded_minor + intent.refunding_minor > intent.received_minor:
            yield f"{intent.id} gave back {intent.refunded_minor} of {intent.received_minor}"


def books(facts: Facts) -> Iterator[str]:
    """7: postings of a transaction sum to zero per currency, balances are sums of postings, days sum to what pends."""
    try:
        for _ in recount(_Sorted(facts)):
            pass
    except Off as off:
        yield str(off)


class _Sorted:
    """The rows of the books, as a recount reads them."""

    def __init__(self, facts: Facts) -> None:
        tables = (facts.transactions, facts.postings, facts.balances, facts.maturities)
        self._of: dict[type[Row], Sequence[Row]] = {type(rows[0]): rows for rows in tables if rows}

    def rows(self, kind: type[AnyRow], *order: str) -> Iterator[AnyRow]:
        rows = cast("Sequence[AnyRow]", self._of.get(kind, ()))
        return iter(sorted(rows, key=attrgetter(*order)))


def posted_once(facts: Facts) -> Iterator[str]:
    """8: each captured attempt has one transaction over its amount, and the other way round."""
    clearing = [posting for posting in facts.postings if purpose(posting.ledger_account) == "psp_clearing"]
    over = {posting.transaction_id: posting.amount_minor for posting in clearing}
    posted: Counter[tuple[object, ...]] = Counter(
        (transaction.psp, transaction.reference, transaction.subject, over.get(transaction.id))
        for transaction in facts.transactions
        if transaction.kind in ("capture", "late_payment")
    )
    due: Counter[tuple[object, ...]] = Counter(map(_capture, facts.attempts))
    due.pop((), None)
    if posted != due:
        yield f"posted but not captured {list(posted - due)}, captured but not posted {list(due - posted)}"


def _capture(attempt: Attempt) -> tuple[object, ...]:
    if attempt.status != "captured":
        return ()
    return attempt.psp, attempt.psp_reference, attempt.intent, attempt.captured_minor


def refunds_posted_once(facts: Facts) -> Iterator[str]:
    """8: each refund has the transactions of its status, each once."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for transaction in facts.transactions:
        kinds[transaction.reference].append(transaction.kind)
    for refund in facts.refunds:
        if refund.late_payment:
            continue
        found = tuple(sorted(kinds[refund.id] + (kinds[refund.psp_reference] if refund.psp_reference else [])))
        wanted = FAILED if refund.status == "failed" else (tuple(sorted(POSTED_BY_STATUS[refund.status])),)
        if found not in wanted:
            yield f"{refund.id} is {refund.status}, posted are {found}"


def books_agree(facts: Facts) -> Iterator[str]:
    """8: what the PSP holds for each merchant and currency is what our books say it holds; nothing stays reserved."""
    holds: Counter[tuple[str, str]] = Counter()
    for attempt in facts.attempts:
        for entry in facts.charges.get(attempt.id, []):
            holds[attempt.account, entry.charge.currency] += entry.charge.amount_captured
    failed_unseen = {refund.id for refund in facts.refunds if refund.status == "succeeded"}
    for refund in facts.refunds:
        for made in facts.psp_refunds.get(refund.id, []):
            if made.refund.status == "succeeded" or (made.refund.status == "failed" and refund.id in failed_unseen):
                holds[refund.account, refund.currency] -= made.refund.amount
    under_way: Counter[tuple[str, str]] = Counter()
    disputed: Counter[tuple[str, str]] = Counter()
    for dispute in facts.disputes:
        key = dispute.account, dispute.currency
        holds[key] -= dispute.amount_minor if dispute.status == "lost" else 0
        disputed[key] -= dispute.amount_minor if dispute.status == "needs_response" else 0
    for refund in facts.refunds:
        if refund.status in ("asking", "pending") and not refund.late_payment:
            under_way[refund.account, refund.currency] -= refund.amount_minor
    waiting: Counter[tuple[str, str]] = Counter()
    for late in facts.late_payments:
        waiting[late.account, late.currency] -= late.amount_minor if late.status in ("held", "refunding") else 0
    kept = _fees(facts)
    for balance in facts.balances:
        what, key = purpose(balance.ledger_account), (balance.account, balance.currency)
        known = {
            "psp_clearing": holds,
            "refunds": under_way,
            "disputes": disputed,
            "late_payments": waiting,
            "fees": kept,
        }
        due = known[what][key] if what in known else balance.amount_minor
        if balance.amount_minor != due:
            yield f"{balance.ledger_account} is {balance.amount_minor}, and should be {due}"
    booked = {(one.account, one.currency) for one in facts.balances if purpose(one.ledger_account) == "psp_clearing"}
    yield from (f"the PSP holds {holds[key]} of {key}, not booked" for key in holds if holds[key] and key not in booked)


def _fees(facts: Facts) -> Counter[tuple[str, str]]:
    """What the platform keeps by what was agreed: of each payment, refund and dispute, once."""
    fees: Counter[tuple[str, str]] = Counter()
    nobodys = {late.attempt for late in facts.late_payments if late.status != "kept"}
    for attempt in facts.attempts:
        if attempt.status == "captured" and attempt.id not in nobodys:
            fee = Fee.parse(facts.accounts[attempt.account].fee)
            fees[attempt.account, attempt.currency] -= fee.of(attempt.captured_minor)
    for refund in facts.refunds:
        if refund.status != "not_made" and not refund.late_payment:
            fee = Fee.parse(facts.accounts[refund.account].refund_fee)
            fees[refund.account, refund.currency] -= fee.of(refund.amount_minor)
    for dispute in facts.disputes:
        fee = Fee.parse(facts.accounts[dispute.account].dispute_fee)
        fees[dispute.account, dispute.currency] -= fee.of(dispute.amount_minor)
    return fees


def matured_in_time(facts: Facts) -> Iterator[str]:
    """What was earned becomes available as many days after its capture as was agreed, and no earlier."""
    for entry in facts.timeline:
        if entry.what == "captured":
            delay_ms = facts.accounts[entry.account].settlement_delay_days * DAY_MS
            agreed, says = day_of(entry.at_ms + delay_ms), facts.intents[entry.intent].matures_on
            if says != agreed:
                yield f"{entry.intent} matures on {says}, and should on {agreed}"
    for day in facts.maturities:
        if day.matured_ms is not None and day.matured_ms < day_starts_ms(day.day):
            yield f"{day.day} of {day.account} matured at {day.matured_ms}, before it began"


def late_as_agreed(facts: Facts) -> Iterator[str]:
    """What comes late is sent back, held or kept, as its merchant wants it."""
    for late in facts.late_payments:
        wants = facts.accounts[late.account].late_payments
        agreed = {"refund": late.refund, "keep": late.status == "kept" and not late.refund}
        if not agreed.get(wants, True):
            yield f"{late.id} is {late.status}, sent back by {late.refund}, and its merchant wants {wants}"


MONEY = (
    charged_once,
    beliefs,
    given_back,
    disputed,
    never_too_much,
    books,
    posted_once,
    refunds_posted_once,
    books_agree,
    matured_in_time,
    late_as_agreed,
)
