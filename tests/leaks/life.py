"""What becomes of a payment after its card was sent: the bank, the capture, what goes back, what comes later."""

import json
import re
import time
from typing import Any

import httpx

from tests.journeys.bank import APPROVES, DISAPPOINTS
from tests.journeys.telling import body_of, signed
from tests.journeys.test_disputes import DISPUTED
from tests.leaks.play import Play

COMMANDS = ("outcomes", "dead list", "notices", "audit list", "ledger export", "unknown-charges")
NOISE = re.compile(rb"(\d\.\d{9})\d+")
"""The last digits of a float: 1.2400000000000002 looks as if it had one of the sandbox's numbers in it."""
READ = ("payment_intents", "refunds", "disputes", "late_payments", "events", "webhook_endpoints", "ledger/transactions")


def live_through_all(play: Play) -> None:
    """Each with a card of its own."""
    challenged(play)
    held(play)
    refunded(play)
    disputed(play)
    saved(play)
    noticed(play)
    for what in READ:
        assert play.server.get(f"/v1/{what}").status_code == 200
    asked_by_the_operator(play)


def paid(play: Play, used_for: str, number: str = "", **fields: Any) -> dict[str, Any]:
    """The intent as it is after the shopper pressed Pay."""
    intent = play.open(**fields)
    answer = play.confirm(intent, play.seal(intent, play.marks.card(used_for, number)))
    assert answer.status_code == 200, answer.text
    return play.server.get(f"/v1/payment_intents/{intent['id']}").json()


def challenged(play: Play) -> None:
    """3-D Secure: met, refused, and met in vain."""
    for number, button, event in (
        (APPROVES, "approve", "succeeded"),
        (APPROVES, "refuse", "payment_failed"),
        (DISAPPOINTS, "approve", "payment_failed"),
    ):
        intent = paid(play, f"a challenge: {button}", number)
        path = httpx.URL(intent["next_action"]["url"]).path
        page = play.browser.get(path)
        assert page.status_code == 200
        found = re.search(r"http://127[^\"' ]+/bank/[^\"' ;]+", page.text)
        assert found, page.text
        assert httpx.post(f"{found[0]}/{button}").status_code == 303
        assert play.browser.post(f"{path}/done", data={"cres": play.marks.card("what a bank posts").number}).is_success
        play.merchant.receiver.wait_for(f"payment_intent.{event}", intent["id"])


def held(play: Play) -> None:
    """Held, then captured in part; held, then canceled."""
    for what, body, event in (
        ("capture", {"amount_to_capture": 1000}, "succeeded"),
        ("cancel", {}, "canceled"),
    ):
        intent = paid(play, f"held, then {what}", capture_method="manual")
        assert intent["status"] == "requires_capture"
        assert play.change(f"/v1/payment_intents/{intent['id']}/{what}", body).status_code == 200
        play.merchant.receiver.wait_for(f"payment_intent.{event}", intent["id"])


def refunded(play: Play) -> None:
    intent = paid(play, "refunded")
    refund = play.change("/v1/refunds", {"payment_intent": intent["id"], "amount": 1000})
    assert refund.status_code in (200, 202), refund.text
    play.merchant.receiver.wait_for("refund.created", refund.json()["id"])
    assert play.server.get(f"/v1/refunds/{refund.json()['id']}").status_code == 200


def disputed(play: Play) -> None:
    intent = paid(play, "disputed", DISPUTED)
    while not (found := play.server.get(f"/v1/disputes?payment_intent={intent['id']}").json()["data"]):
        time.sleep(0.1)
    play.merchant.receiver.wait_for("charge.dispute.created", found[0]["id"])
    assert play.server.get(f"/v1/payment_intents/{intent['id']}/timeline").status_code == 200


def saved(play: Play) -> None:
    """A card that is kept by the PSP pays again, without a shopper."""
    first = paid(play, "saved", setup_future_usage="off_session")
    again = play.open()
    answer = play.change(
        f"/v1/payment_intents/{again['id']}/confirm", {"payment_method": first["payment_method"], "off_session": True}
    )
    assert answer.json()["status"] == "succeeded"


def noticed(play: Play) -> None:
    """Notices, well signed, whose object has a card in it: about nothing, and not to be read."""
    facts = play.merchant.facts
    mark = play.marks.card("a notice")
    card = {"number": mark.number, "cvc": mark.cvc, "name": mark.name}
    known = body_of("ntc_card", "charge", {"id": "ch_1", "reference": "of-another-system", "card": card})
    broken = json.dumps({"id": "ntc_2", "object": card}).encode()
    for body, status in ((known, 200), (broken, 401)):
        headers = signed(body, facts["notice_secret"], time.time_ns() // 1_000_000)
        answer = play.browser.post(httpx.URL(facts["notice_url"]).path, content=body, headers=headers)
        assert answer.status_code == status, answer.text


def asked_by_the_operator(play: Play) -> None:
    """A backup, every list of the command line, and the figures."""
    play.command("backup", str(play.stage.folder / f"{len(play.commands)}.backup"))
    for command in COMMANDS:
        play.command(*command.split())
    play.metrics += NOISE.sub(rb"\1", httpx.get(f"{play.stage.admin}/metrics").raise_for_status().content)
