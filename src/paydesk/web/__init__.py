"""The door: bytes in, bytes out. Handlers read, call and render; errors become answers in one table.

Read: `routes.py` (every route and its handler), `door.py` (one ASGI application; `closed.py` while nothing may be
taken), `call.py`, `signed.py` and `shopper.py` (who is asking), `found.py` (for whose rows), then the handlers:
`intents.py`, `operations.py`, `status.py`, `checkout.py`, `challenge.py`, `refunds.py`, `late_payments.py`,
`disputes.py`, `notices.py`, `endpoints.py`, `books.py`, `reads.py`, `lists.py`, `health.py`, `static.py`. What requests
may hold: `protocol.py` (limits of the wire), `bodies.py`, `field_errors.py`, `card_numbers.py`. What people and
machines read of it: `answers.py` → `schemas.py` → `openapi.py` → `described.py` and `docs.py`. The frame:
`page.py`, `challenge_page.py`, `assets.py`.
"""
