"""`/openapi.json`, made from the types, and `/docs`: a page for people, made from that and from the table of errors."""

from pathlib import Path

import jinja2
import msgspec

from paydesk.errors import CODES
from paydesk.payments import states
from paydesk.web.call import Call, Headers, Response
from paydesk.web.described import marked, objects, operations
from paydesk.web.page import Linked

HEADERS: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

TEST_CARDS = (
    ("4242424242424242", "Paid (Visa)"),
    ("5555555555554444", "Paid (Mastercard)"),
    ("378282246310005", "Paid (American Express: four digits of CVC)"),
    ("6011111111111117", "Paid (Discover)"),
    ("4000000000000259", "Paid, then disputed as fraudulent"),
    ("4000000000000002", "Declined: `card_declined`, `generic_decline`"),
    ("4000000000009995", "Declined: `card_declined`, `insufficient_funds`"),
    ("4000000000009987", "Declined: `card_declined`, `lost_card`"),
    ("4000000000009979", "Declined: `card_declined`, `stolen_card`"),
    ("4100000000000019", "Declined: `card_declined`, `fraudulent`"),
    ("4000000000003220", "3-D Secure: approved, then paid. Off session `card_declined`, `authentication_required`"),
    (
        "4000008400001629",
        "3-D Secure: approved, then declined. Off session `card_declined`, `authentication_required`",
    ),
    ("4000000000000069", "Declined: `expired_card`"),
    ("4000000000000127", "Declined: `incorrect_cvc`"),
    ("4000000000000119", "Declined: `processing_error`"),
    ("4242424242424241", "Refused before any PSP is asked: `incorrect_number`"),
)
TEST_FAULTS = (
    ("4000009900000103", "Paid, answered after 3 s"),
    ("4000009900000186", "Waits 3 s, then is paid"),
    ("4000009900000111", "Paid, never answered: `processing` at first"),
    ("4000009900000152", "Paid, answered with 500: `processing` at first"),
    ("4000009900000160", "Paid, answered with garbage: `processing` at first"),
    ("4000009900000178", "Paid, answered with another amount: `processing` at first"),
    ("4000009900000129", "Not charged, never answered: `processing` at first, then payable again"),
    ("4000009900000137", "Not charged, answered with 503: `processing` at first, then payable again"),
    ("4000009900000194", "Not charged, the connection is reset: `processing` at first, then payable again"),
    ("4000009900000145", "Not charged, answered with 429: `psp_unavailable`, payable as before"),
)
TEST_AFTERWARDS = (
    ("4000009900000202", "Paid; a refund succeeds, and fails later"),
    ("4000009900000210", "Paid; a refund is pending, and succeeds later"),
    ("4000009900000228", "Paid; a refund is pending, and fails later"),
)
"""What the sandbox PSP makes of a number: what the bank says, what goes wrong on the way, what comes afterwards."""


async def openapi(call: Call) -> Response:
    """The API's description (OpenAPI 3.1)."""
    return Response(body=call.desk.openapi())


async def page(call: Call) -> Response:
    """Routes and error codes, for people."""
    return Response(body=call.desk.docs(), headers=HEADERS)


def render(description: bytes, *, templates: Path, style: str, loader: Linked) -> bytes:
    """The page as UTF-8, made from what `/openapi.json` answers. `style` is the address of its style sheet, `loader`
    the immutable address of checkout.js.
    """
    api = msgspec.json.decode(description)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    return (
        environment.get_template("docs.html")
        .render(
            api=api,
            style=style,
            loader=loader,
            origin=api["servers"][0]["url"],
            rooms=[(tag, operations(api, tag["name"])) for tag in api["tags"]],
            codes=CODES,
            events=[(name, item["post"]["summary"]) for name, item in api["webhooks"].items()],
            objects=objects(api),
            states=states.table(),
            means=states.MEANS,
            cards=TEST_CARDS,
            faults=TEST_FAULTS,
            afterwards=TEST_AFTERWARDS,
        )
        .encode()
    )
