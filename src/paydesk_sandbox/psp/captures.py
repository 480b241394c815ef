"""POST /v1/charges/{id}/capture and …/release: what is held is taken, or let go."""

from msgspec import Struct

from paydesk_sandbox.psp.amounts import Amount
from paydesk_sandbox.psp.answers import Answer, invalid_state, shown, too_large
from paydesk_sandbox.psp.books import Books, Entry


class CaptureRequest(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/charges/{id}/capture."""

    amount: Amount


class ReleaseRequest(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/charges/{id}/release: nothing."""


def hold(books: Books, entry: Entry, now_ms: int) -> None:
    """An authorised charge ends by itself, some day."""
    entry.ends_ms = now_ms + books.terms.authorised_ms
    books.endings.at(entry.ends_ms, "charge_expired", entry.charge.id)


def taken(books: Books, entry: Entry, now_ms: int) -> None:
    """A captured charge may be disputed afterwards, if its card is one of those."""
    entry.ends_ms = None
    if entry.card.line and entry.card.line.afterwards == "disputed":
        books.later.at(now_ms + books.terms.later_ms, "dispute_opened", entry.charge.id)


def capture(books: Books, entry: Entry, request: CaptureRequest, now_ms: int) -> Answer:
    """Take what is held, or a part of it; the rest is let go."""
    if entry.charge.status != "authorised":
        return invalid_state(entry.charge, "captured")
    if request.amount > entry.charge.amount:
        return too_large(entry.charge.amount)
    books.change(entry, status="captured", amount_captured=request.amount)
    taken(books, entry, now_ms)
    return shown(entry.charge)


def release(books: Books, entry: Entry) -> Answer:
    """Let go of what is held, or give the shopper up who is at the bank's page."""
    if entry.charge.status not in ("authorised", "challenge", "released"):
        return invalid_state(entry.charge, "released")
    let_go(books, entry)
    return shown(entry.charge)


def let_go(books: Books, entry: Entry) -> None:
    """It holds nothing from now on. A card whose shopper never was at the bank's page stays saved for nobody."""
    entry.ends_ms = None
    if entry.charge.status == "challenge":
        forget_token(books, entry)
        books.change(entry, status="released", challenge=None, token=None)
    elif entry.charge.status == "authorised":
        books.change(entry, status="released")


def forget_token(books: Books, entry: Entry) -> None:
    if entry.charge.token:
        books.tokens.pop((entry.merchant, entry.charge.token), None)


def next_ending_ms(books: Books) -> int | None:
    """When the next challenge or authorisation ends that is still open."""
    return books.endings.next_ms(lambda at_ms, charge_id: books.entries[charge_id].ends_ms == at_ms)


def expire(books: Books, now_ms: int) -> list[tuple[int, Entry]]:
    """Release every challenge and authorisation whose time is over; which, and when it was."""
    ended: list[tuple[int, Entry]] = []
    for at_ms, _, charge_id in books.endings.take(now_ms):
        entry = books.entries[charge_id]
        if entry.ends_ms is not None and entry.ends_ms <= now_ms:
            let_go(books, entry)
            ended.append((at_ms, entry))
    return ended
