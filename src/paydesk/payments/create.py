"""Opening a payment intent."""

from collections.abc import Iterable

from paydesk.events.record import keys as event_keys
from paydesk.payments.rows import Intent
from paydesk.payments.shapes import render
from paydesk.payments.states import Status
from paydesk.payments.tell import tell_created
from paydesk.requests.once import Reply
from paydesk.store import Command, Key, Work


class Create(Command[Reply], frozen=True):
    """A new intent with its first event; every value was checked at the door."""

    account: str
    livemode: bool
    amount_minor: int
    currency: str
    description: str | None
    statement_descriptor: str | None
    metadata: str
    """JSON object of strings."""
    return_url: str | None
    capture_method: str
    setup_future_usage: str | None
    expires_after_ms: int
    cause: str

    def keys(self) -> Iterable[Key]:
        return event_keys(self.account)

    def size_bytes(self) -> int:
        return 512 + len(self.metadata)

    def decide(self, work: Work) -> Reply:
        intent = work.add(
            Intent(
                account=self.account,
                id=work.id("pi", self.account),
                amount_minor=self.amount_minor,
                currency=self.currency,
                capture_method=self.capture_method,
                status=Status.REQUIRES_PAYMENT_METHOD.value,
                livemode=int(self.livemode),
                description=self.description,
                statement_descriptor=self.statement_descriptor,
                metadata=self.metadata,
                return_url=self.return_url,
                setup_future_usage=self.setup_future_usage,
                expires_ms=work.now_ms + self.expires_after_ms,
                event_sequence=1,
                latest_event=work.id("evt", self.account),
                created_ms=work.now_ms,
            ),
        )
        body = render(intent)
        tell_created(work, intent, body, self.cause)
        return Reply(status=200, body=body, object_id=intent.id, reveals=intent.id)
