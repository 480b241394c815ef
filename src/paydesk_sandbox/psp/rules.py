"""What the PSP does with a request: pure rules over books in memory. No clock, no socket; time is handed in.

A caller does three things, and the waiting between them on a clock of its own (`server.py` on this machine's, the
simulator on its virtual one):

    handling = psp.meet(call, now_ms)            # does something go wrong with this arrival?
    … wait handling.act_after_ms …
    answer = psp.act(call, handling, now_ms)     # the charge is made here; None: there is nothing to answer
    … wait handling.end_after_ms …
    … handling.ending: answer, close, reset or refuse; after an answer, psp.books.answered(answer.charge, now_us) …

What happens by itself (a dispute, a refund that fails late, an authorisation that ends) waits for `psp.due(now_ms)`,
and what the merchant is to be told of waits in `psp.notices` (notices.py); `psp.next_ms` says when either is worth
asking. Shopper and bank have verbs of their own, without a key.
"""

from hashlib import sha256

import msgspec
from msgspec import Struct

from paydesk_sandbox.bodies import Unreadable, read
from paydesk_sandbox.psp.answering import answer
from paydesk_sandbox.psp.answers import Answer, not_found, refused, shown
from paydesk_sandbox.psp.books import Books, Entry
from paydesk_sandbox.psp.calls import Call
from paydesk_sandbox.psp.captures import expire, next_ending_ms, release
from paydesk_sandbox.psp.cards import fault_of
from paydesk_sandbox.psp.challenges import answer_challenge
from paydesk_sandbox.psp.disputes import CloseOrder, DisputeOrder, close, dispute
from paydesk_sandbox.psp.faults import AS_USUAL, Fault, Faults, Handling, handling_of
from paydesk_sandbox.psp.later import Happened, What
from paydesk_sandbox.psp.notices import NoticeEndpoint, Notices
from paydesk_sandbox.psp.refunds import fail, succeed
from paydesk_sandbox.psp.shaping import shaped
from paydesk_sandbox.psp.terms import Terms

__all__ = ["Call", "Psp", "merchant_fingerprint"]

AFTER_ANSWER_MS = 20  # So that the answer is there first; the other order is a fault of its own.


class _Number(Struct):
    number: str


class _Peek(Struct):
    """As much of a charge request as tells which card it is."""

    card: _Number | None = None
    token: str | None = None


class Psp:
    """Books, faults, what is answered, what is told. `notices` is for merchants without an endpoint of their own."""

    def __init__(self, *, salt: bytes = b"", terms: Terms | None = None, notices: NoticeEndpoint | None = None) -> None:
        terms = terms or Terms()
        self.books = Books(salt=salt, terms=terms)
        self.faults = Faults()
        self.notices = Notices(self.books.new_id, self.faults, notices, again_ms=terms.notice_again_ms)
        self._merchants: dict[str, str] = {}

    def order(self, fault: Fault) -> None:
        """Let it go wrong. `forget_keys` happens at once; `refuse` is counted here and done by whoever listens."""
        if fault.fault in ("forget_keys", "refuse"):
            self._strike(fault)
        else:
            self.faults.order(fault)

    def meet(self, call: Call, now_ms: int) -> Handling:
        """How this arrival is handled: an ordered fault, else the plan's, else the card's own, else as usual."""
        fault = self.faults.next(call.kind) or self._fault_of_card(call, now_ms)
        return self._strike(fault) if fault else AS_USUAL

    def act(self, call: Call, handling: Handling, now_ms: int) -> Answer | None:
        """Do what is asked, and give what shall be answered; None where nothing is."""
        done = self._answer(call, now_ms) if handling.acts else None
        waits_ms = 0 if handling.tells_first or handling.ending != "answer" else handling.end_after_ms
        self._tell(now_ms, now_ms if handling.tells_first else now_ms + waits_ms + AFTER_ANSWER_MS)
        return shaped(done, handling) if handling.ending == "answer" else None

    def due(self, now_ms: int) -> list[Happened]:
        """Let everything happen whose time has come; what did."""
        happened = self._end(now_ms)
        for at_ms, what, subject in self.books.later.take(now_ms):
            if about := self._let_happen(what, subject, now_ms):
                happened.append(Happened(at_ms=at_ms, what=what, about=about))
        self._tell(now_ms, now_ms)
        return happened

    @property
    def next_ms(self) -> int | None:
        """When `due` and `notices.take` are worth asking next."""
        times = (self.books.later.next_ms(), next_ending_ms(self.books), self.notices.next_ms)
        return min((at_ms for at_ms in times if at_ms is not None), default=None)

    def at_the_bank(self, challenge_id: str, now_ms: int) -> Entry | None:
        """The charge that a bank's page is about, as it stands now."""
        self._end(now_ms)
        self._tell(now_ms, now_ms)
        return self.books.challenges.get(challenge_id)

    def answer_challenge(self, challenge_id: str, *, approved: bool, now_ms: int) -> Entry | None:
        """The shopper's answer on the bank's page. Nothing changes where there was one, or none in time."""
        if entry := self.at_the_bank(challenge_id, now_ms):
            answer_challenge(self.books, entry, approved=approved, now_ms=now_ms)
            self._tell(now_ms, now_ms)
        return entry

    def dispute(self, charge_id: str, order: DisputeOrder, now_ms: int) -> Answer:
        """A bank takes a charge back."""
        entry = self.books.entries.get(charge_id)
        done = dispute(self.books, entry, order, now_ms) if entry else not_found("charge")
        self._tell(now_ms, now_ms)
        return done

    def close_dispute(self, dispute_id: str, order: CloseOrder, now_ms: int) -> Answer:
        """A bank has decided."""
        entry = self.books.disputes.all.get(dispute_id)
        done = close(self.books, entry, order) if entry else not_found("dispute")
        self._tell(now_ms, now_ms)
        return done

    def fail_refund(self, refund_id: str, now_ms: int) -> Answer:
        """A refund comes back."""
        entry = self.books.refunds.all.get(refund_id)
        if entry is None:
            return not_found("refund")
        fail(self.books, entry)
        self._tell(now_ms, now_ms)
        return shown(entry.refund)

    def expire(self, charge_id: str, now_ms: int) -> Answer:
        """An authorisation ends before its time."""
        entry = self.books.entries.get(charge_id)
        done = release(self.books, entry) if entry else not_found("charge")
        self._tell(now_ms, now_ms)
        return done

    def merchant_of(self, authorisation: str) -> str | None:
        """A fingerprint of the key in an Authorization header. Any key that is not empty is a merchant's."""
        if known := self._merchants.get(authorisation):
            return known
        scheme, _, key = authorisation.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return None
        return self._merchants.setdefault(authorisation, merchant_fingerprint(key.strip()))

    def _strike(self, fault: Fault) -> Handling:
        self.faults.count(fault)
        if fault.fault == "forget_keys":
            self.books.keys.forget()
        return handling_of(fault)

    def _fault_of_card(self, call: Call, now_ms: int) -> Fault | None:
        """A repeat of what was answered in the books meets nothing: the way is clear the second time."""
        if call.kind != "charges" or not call.idempotency_key:
            return None
        merchant = self.merchant_of(call.authorisation)
        if merchant is None or self.books.keys.knows(merchant, call, now_ms):
            return None
        try:
            peek = read(call.body, _Peek)
        except Unreadable:
            return None
        if peek.card:
            return fault_of(peek.card.number)
        saved = self.books.tokens.get((merchant, peek.token or ""))
        return saved.line.fault if saved and saved.line else None

    def _answer(self, call: Call, now_ms: int) -> Answer:
        self._end(now_ms)
        merchant = self.merchant_of(call.authorisation)
        if merchant is None:
            return refused(401, "unauthorised", "Authorization must be a Bearer key.")
        if call.parts == ["notice_endpoint"]:
            return self._send_notices(merchant, call)
        return answer(self.books, merchant, call, now_ms)

    def _send_notices(self, merchant: str, call: Call) -> Answer:
        """POST /v1/notice_endpoint. The same once more is the same; the secret is not repeated."""
        if call.method != "POST":
            return refused(405, "method_not_allowed", "There is no such method here.")
        try:
            endpoint = read(call.body, NoticeEndpoint)
        except Unreadable as wrong:
            return refused(400, "invalid_request", str(wrong))
        self.notices.send_to(merchant, endpoint)
        return Answer(status=200, body=msgspec.json.encode({"object": "notice_endpoint", "url": endpoint.url}))

    def _tell(self, now_ms: int, not_before_ms: int) -> None:
        """Tell merchants of everything that was made or changed since the last time."""
        changed, self.books.changed = self.books.changed, []
        for merchant, thing in changed:
            self.notices.tell(merchant, thing, now_ms, not_before_ms)

    def _end(self, now_ms: int) -> list[Happened]:
        ended = expire(self.books, now_ms)
        return [Happened(at_ms=at_ms, what="charge_expired", about=entry.charge.id) for at_ms, entry in ended]

    def _let_happen(self, what: What, subject: str, now_ms: int) -> str | None:
        """The id of what it happened to; None where it is too late for it."""
        if what == "dispute_opened":
            opened = dispute(self.books, self.books.entries[subject], DisputeOrder(), now_ms)
            return next(reversed(self.books.disputes.all)) if opened.status == 200 else None
        settle = succeed if what == "refund_succeeded" else fail
        return subject if settle(self.books, self.books.refunds.all[subject]) else None


def merchant_fingerprint(key: str) -> str:
    """The first 12 hex digits of the key's SHA-256: tells merchants apart in the books without showing a key."""
    return sha256(key.encode()).hexdigest()[:12]
