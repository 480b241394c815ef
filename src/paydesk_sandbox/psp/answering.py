"""Which request gets to which verb, and what refuses it on the way there."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from paydesk_sandbox.bodies import Unreadable, read
from paydesk_sandbox.psp.answers import Answer, not_found, refused, shown
from paydesk_sandbox.psp.books import Books
from paydesk_sandbox.psp.calls import Call
from paydesk_sandbox.psp.captures import CaptureRequest, ReleaseRequest, capture, release
from paydesk_sandbox.psp.charges import ChargeRequest, charge
from paydesk_sandbox.psp.refunds import RefundRequest, refund
from paydesk_sandbox.psp.shelf import Shelf

KEPT = (200, 402, 409)
"""Statuses that an idempotency key stands for: what was done or definitively refused. After another the key is free."""


def answer(books: Books, merchant: str, call: Call, now_ms: int) -> Answer:
    """What this merchant's request comes to."""
    match (call.method, *call.parts):
        case ("POST", "charges"):
            return _once(books, merchant, call, now_ms, lambda: _charge(books, merchant, call, now_ms))
        case ("POST", "charges", _, "capture" | "release" | "refunds"):
            return _once(books, merchant, call, now_ms, lambda: _change(books, merchant, call, now_ms))
        case ("GET", "charges" | "refunds" | "disputes" as what):
            return _list(_shelf(books, what), merchant, call.query)
        case ("GET", "charges" | "refunds" | "disputes" as what, thing_id):
            thing = _shelf(books, what).show(merchant, thing_id)
            return shown(thing) if thing else not_found(what.removesuffix("s"))
        case (_, "charges" | "refunds" | "disputes", *_):
            return refused(405, "method_not_allowed", "There is no such method here.")
    return refused(404, "not_found", "There is no such route.")


def _once(books: Books, merchant: str, call: Call, now_ms: int, act: Callable[[], Answer]) -> Answer:
    """Do it once per idempotency key."""
    if not 1 <= len(call.idempotency_key) <= 255:
        return refused(400, "idempotency_key_missing", "An Idempotency-Key of 1 to 255 characters is required.")
    if kept := books.keys.recall(merchant, call, now_ms):
        if kept.charge:
            books.entries[kept.charge].times_asked += 1
        return kept
    try:
        done = act()
    except Unreadable as wrong:
        return refused(400, "invalid_request", str(wrong))
    if done.status in KEPT:
        books.keys.keep(merchant, call, done, now_ms)
    return done


def _charge(books: Books, merchant: str, call: Call, now_ms: int) -> Answer:
    return charge(books, merchant, read(call.body, ChargeRequest), now_ms)


def _change(books: Books, merchant: str, call: Call, now_ms: int) -> Answer:
    _, charge_id, verb = call.parts
    entry = books.charges.find(merchant, charge_id)
    if entry is None:
        return not_found("charge")
    match verb:
        case "capture":
            return capture(books, entry, read(call.body, CaptureRequest), now_ms)
        case "release":
            read(call.body or b"{}", ReleaseRequest)
            return release(books, entry)
        case _:
            return refund(books, entry, read(call.body, RefundRequest), now_ms)


def _shelf(books: Books, what: str) -> Shelf[Any]:
    return {"charges": books.charges, "refunds": books.refunds, "disputes": books.disputes}[what]


def _list(shelf: Shelf[Any], merchant: str, query: str) -> Answer:
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    since = asked.get("since_ms")
    if since is not None and not (since.isascii() and since.isdigit() and len(since) <= 16):
        return refused(400, "invalid_request", "since_ms must be milliseconds since 1970.")
    found = shelf.listed(merchant, asked.get("reference"), None if since is None else int(since))
    return Answer(status=200, body=msgspec.json.encode({"data": found}))
