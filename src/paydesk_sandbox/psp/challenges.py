"""3-D Secure: a charge waits until its shopper answered on the bank's page, or did not in time."""

from paydesk_sandbox.psp.books import Books, Entry
from paydesk_sandbox.psp.captures import forget_token, hold, taken
from paydesk_sandbox.psp.objects import Challenge


def begin_challenge(books: Books, entry: Entry, now_ms: int) -> Challenge:
    """The bank's page for a charge that is about to be entered."""
    challenge_id = books.new_id("chl_")
    books.challenges[challenge_id] = entry
    entry.ends_ms = now_ms + books.terms.challenge_ms
    books.endings.at(entry.ends_ms, "charge_expired", entry.charge.id)
    return Challenge(url=f"{books.terms.origin}/bank/{challenge_id}", expires_ms=entry.ends_ms)


def answer_challenge(books: Books, entry: Entry, *, approved: bool, now_ms: int) -> None:
    """What the shopper said to the bank. Only the first answer counts."""
    if entry.charge.status != "challenge":
        return
    entry.ends_ms = None
    line = entry.card.line
    if not approved:
        _decline(books, entry, "authentication_failed")
    elif line is None or line.approved != "paid":
        _decline(books, entry, "generic_decline")
    elif entry.capture:
        books.change(entry, status="captured", amount_captured=entry.charge.amount, challenge=None)
        taken(books, entry, now_ms)
    else:
        books.change(entry, status="authorised", challenge=None)
        hold(books, entry, now_ms)


def _decline(books: Books, entry: Entry, code: str) -> None:
    forget_token(books, entry)
    books.change(entry, status="declined", decline_code=code, challenge=None, token=None)
