"""The lives that payments lead under load: a seeded mix, of which most are plain."""

from collections.abc import Callable

from tests.kills.client import Client
from tests.stage.shopper import VISA

CARDS = (VISA, "5555555555554444", "378282246310005", "6011111111111117")
DISPUTED = "4000000000000259"
REFUND_FAILS_LATER, REFUND_WAITS, REFUND_WAITS_AND_FAILS = "4000009900000202", "4000009900000210", "4000009900000228"
REFUNDED_CARDS = (*CARDS, REFUND_FAILS_LATER, REFUND_WAITS, REFUND_WAITS_AND_FAILS)

OF_DISPUTED = ("amount_too_large", "invalid_state")
"""How a refund of what a bank takes back meanwhile may be refused."""


def live(client: Client) -> None:
    """One payment, from its opening to its end."""
    (life,) = client.dice.choices(tuple(LIVES), tuple(LIVES.values()))
    life(client)


def plain(client: Client) -> None:
    """Paid at once."""
    client.pay(client.open("automatic"), client.dice.choice(CARDS))


def captured(client: Client) -> None:
    """Held, then taken: whole, or in part."""
    promise = client.open("manual")
    client.pay(promise, client.dice.choice(CARDS))
    client.capture(promise, _part(client, promise.intent["amount"]))


def canceled(client: Client) -> None:
    """Held, then let go."""
    promise = client.open("manual")
    client.pay(promise, client.dice.choice(CARDS))
    client.cancel(promise)


def torn(client: Client) -> None:
    """Held, then taken and let go at the same moment."""
    promise = client.open("manual")
    client.pay(promise, client.dice.choice(CARDS))
    client.capture_and_cancel(promise)


def refunded(client: Client) -> None:
    """Taken at once or later, then given back: in parts, up to all of it. Some banks are slow, or send it back."""
    method = client.dice.choice(("automatic", "manual"))
    promise = client.open(method)
    client.pay(promise, client.dice.choice(REFUNDED_CARDS))
    left = promise.intent["amount"]
    if method == "manual":
        left = client.capture(promise, _part(client, left))
    for _ in range(client.dice.randint(1, 3)):
        if left > 0:
            left -= client.refund(promise, _part(client, left))


def disputed(client: Client) -> None:
    """Taken, and taken back by the cardholder's bank; perhaps while the merchant gives it back."""
    promise = client.open("automatic")
    client.pay(promise, DISPUTED)
    if client.dice.random() < 0.5:
        client.refund(promise, _part(client, promise.intent["amount"]), *OF_DISPUTED)
    client.dispute(promise, client.dice.choice(("won", "lost")))


def _part(client: Client, amount: int) -> int | None:
    """A part of it, or None, which asks for all."""
    return client.dice.choice((None, client.dice.randint(1, amount)))


LIVES: dict[Callable[[Client], None], int] = {plain: 58, captured: 9, canceled: 7, torn: 4, refunded: 15, disputed: 7}
"""Each with its share of a hundred."""
