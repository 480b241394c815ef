"""3-D Secure from the press of the button to the end: answered, refused, too late, twice, and while the PSP is away."""

import asyncio
import re
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from paydesk.errors import Refusal
from paydesk.payments.challenge import CameBack
from paydesk_sandbox.psp.faults import Fault
from paydesk_sandbox.psp.terms import Terms
from tests.journeys.bank import APPROVES, DISAPPOINTS, challenged
from tests.journeys.test_delivery_schedule import CREATED, FAILED, MINUTE, SUCCEEDED, play
from tests.journeys.test_long_waits import note_look_ups
from tests.journeys.turned import BANK, Turned
from tests.stage.shopper import VISA
from tests.stage.stage import SHOP

ACTION = "payment_intent.requires_action"


def test_approved(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        bank = await challenged(house)
        shown = await bank.page()
        assert shown.status_code == 200
        assert re.search(rf'<iframe id="bank" [^>]*src="{BANK}/bank/chl_', shown.text)
        assert bank.intent["client_secret"] not in shown.text

        bank.answer(approved=True)
        began = house.world.monotonic()
        back = await bank.back()
        assert back.status_code == 200
        assert f'data-card-page="/checkout/{bank.intent["id"]}?locale=en"' in back.text
        assert house.world.monotonic() - began < 1, "the PSP was asked at once"

        seen = await bank.read()
        assert (seen["status"], seen["amount_received"], seen["next_action"]) == ("succeeded", 4200, None)
        gone = await bank.page()
        assert (gone.status_code, gone.headers["location"]) == (303, f"/checkout/{bank.intent['id']}?locale=en")
        await asyncio.sleep(1)
        assert tea.taken == [CREATED, ACTION, SUCCEEDED]
        assert house.captured() == [4200]
        assert await causes(house, bank.intent["id"]) == [
            ("created", "key"), ("confirmed", "shopper"), ("challenged", "psp"), ("came_back", "shopper"),
            ("captured", "psp"),
        ]  # fmt: skip

    play(tmp_path, story)


async def causes(house: Turned, intent: str) -> list[tuple[str, str]]:
    told = (await house.send("GET", f"/v1/payment_intents/{intent}/timeline")).json()["data"]
    return [(one["what"], one["cause"].partition(":")[0]) for one in told]


def test_approved_where_the_money_is_to_be_held(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house, capture_method="manual")
        bank.answer(approved=True)
        assert (await bank.back()).status_code == 200
        seen = await bank.read()
        assert (seen["status"], seen["amount_capturable"], house.captured()) == ("requires_capture", 4200, [])

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("number", "approved", "decline_code"),
    [(APPROVES, False, "authentication_failed"), (DISAPPOINTS, True, "generic_decline")],
)
def test_declined_and_paid_with_another_card(tmp_path: Path, number: str, approved: bool, decline_code: str) -> None:
    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        bank = await challenged(house, number)
        bank.answer(approved=approved)
        assert (await bank.back()).status_code == 200
        seen = await bank.read()
        error = seen["last_payment_error"]
        assert (seen["status"], error["code"]) == ("requires_payment_method", "card_declined")
        assert error["decline_code"] == decline_code
        assert (await bank.page()).status_code == 303
        assert (await house.pay(bank.intent, VISA)).json()["status"] == "succeeded"
        await asyncio.sleep(1)
        assert tea.taken == [CREATED, ACTION, FAILED, SUCCEEDED]
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_nobody_came(tmp_path: Path) -> None:
    """The time counts from the moment the bank asks. Who comes back later finds the form, and can pay."""

    async def story(house: Turned) -> None:
        bank = await challenged(house)
        await asyncio.sleep(15 * MINUTE - 5)
        assert ((await bank.read())["status"], (await bank.page()).status_code) == ("requires_action", 200)
        await asyncio.sleep(10)
        seen = await bank.read()
        error = seen["last_payment_error"]
        assert (seen["status"], seen["phase"], error["code"]) == ("requires_payment_method", "failed", "card_declined")
        assert (await bank.page()).status_code == 303
        bank.answer(approved=True)
        assert (await bank.back()).status_code == 200
        assert (await house.pay(bank.intent, VISA)).json()["status"] == "succeeded"
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_what_the_way_back_claims_is_not_believed(tmp_path: Path) -> None:
    """Somebody says "paid" who never was at the bank. The PSP is asked, and asked again as rarely as for an open
    outcome; when the shopper does answer, nobody has to come by a second time.
    """

    async def story(house: Turned) -> None:
        bank = await challenged(house)
        asked = note_look_ups(house)
        began = house.world.monotonic()
        claims = {"status": "succeeded", "transStatus": "Y", "payment_intent": "pi_other", "amount": "1"}
        assert (await bank.back("POST", data=claims, params={"redirect_status": "succeeded"})).status_code == 200
        assert 7 < house.world.monotonic() - began < 9
        assert (await bank.read())["status"] == "requires_action"
        await asyncio.sleep(30)
        waits = [later - earlier for earlier, later in pairwise([began, *asked])]
        assert [round(wait) for wait in waits] == [0, 2, 5, 15]
        bank.answer(approved=True)
        await asyncio.sleep(60)
        assert ((await bank.read())["status"], house.captured()) == ("succeeded", [4200])

    play(tmp_path, story)


def test_the_same_way_back_many_times_asks_little(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        asked = note_look_ups(house)
        answers = await asyncio.gather(*(bank.back() for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(asked) <= 3, "one at once, then two as planned"
        bank.answer(approved=True)
        answers = await asyncio.gather(*(bank.back(method) for method in ("GET", "POST")))
        assert [answer.status_code for answer in answers] == [200, 200]
        assert ((await bank.read())["status"], house.captured()) == ("succeeded", [4200])
        for method in ("GET", "POST", "HEAD"):
            assert (await bank.back(method)).status_code == 200
        assert house.captured() == [4200]

    play(tmp_path, story)


def test_the_psp_is_away_when_the_shopper_comes_back(tmp_path: Path) -> None:
    """Nobody is told anything that is not so; the outcome comes by itself as soon as the PSP answers again."""

    async def story(house: Turned) -> None:
        tea = await house.receiver("tea")
        bank = await challenged(house)
        house.world.psp.order(Fault(fault="status", status=503, on="lookups", times=3))
        bank.answer(approved=True)
        back = await bank.back()
        assert back.status_code == 200
        assert "Do not pay again" in back.text
        assert (await bank.read())["status"] == "requires_action"
        assert (await house.pay(bank.intent, VISA)).json()["error"]["code"] == "operation_in_progress"
        await asyncio.sleep(MINUTE)
        assert (await bank.read())["status"] == "succeeded"
        assert (tea.taken, house.captured()) == ([CREATED, ACTION, SUCCEEDED], [4200])

    play(tmp_path, story)


def test_the_psp_is_away_until_the_time_is_over(tmp_path: Path) -> None:
    """What was approved is found even so, and not called off."""

    async def story(house: Turned) -> None:
        bank = await challenged(house)
        house.world.psp.order(Fault(fault="status", status=503, on="lookups", times=7))
        bank.answer(approved=True)
        await bank.back()
        await asyncio.sleep(60 * MINUTE)
        assert (await bank.read())["status"] == "requires_action"
        await asyncio.sleep(20 * MINUTE)
        assert ((await bank.read())["status"], house.captured()) == ("succeeded", [4200])

    play(tmp_path, story)


def test_the_merchant_cancels_while_the_shopper_is_at_the_bank(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        answer = await cancel(house, bank.intent["id"])
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        assert (await bank.page()).status_code == 303
        bank.answer(approved=True)
        assert (await bank.back()).status_code == 200
        assert ((await bank.read())["status"], house.captured()) == ("canceled", [])

    play(tmp_path, story)


def test_the_merchant_cancels_what_the_shopper_has_just_approved(tmp_path: Path) -> None:
    """The bank's yes came first: it is paid, and the merchant hears that it can't be canceled."""

    async def story(house: Turned) -> None:
        bank = await challenged(house)
        bank.answer(approved=True)
        answer = await cancel(house, bank.intent["id"])
        assert answer.json()["error"]["code"] == "invalid_state", answer.text
        assert (await bank.back()).status_code == 200
        assert ((await bank.read())["status"], house.captured()) == ("succeeded", [4200])

    play(tmp_path, story)


async def cancel(house: Turned, intent: str) -> httpx.Response:
    return await house.send("POST", f"/v1/payment_intents/{intent}/cancel", headers={"Idempotency-Key": "no-more"})


def test_a_return_that_cannot_be_recorded_is_recorded_later(tmp_path: Path) -> None:
    """The shopper does not come by a second time."""

    async def story(house: Turned) -> None:
        bank = await challenged(house)
        bank.answer(approved=True)
        submit, full = house.house.submit, [True, True]

        async def refusing(command: object, carry: object = None) -> object:
            if isinstance(command, CameBack) and full:
                full.pop()
                raise Refusal("storage_unavailable")
            return await submit(command, carry)

        house.house.submit = refusing  # type: ignore[method-assign]
        assert (await bank.back()).status_code == 200
        assert ((await bank.read())["status"], full) == ("succeeded", [])

    play(tmp_path, story)


def test_a_state_that_is_not_ours_opens_nothing(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank, other = await challenged(house), await challenged(house, key="order-2")
        attempt, _, state = bank.path.rpartition("/")[2].partition(".")
        flipped = ("A" if state[0] != "A" else "B") + state[1:]
        wrong = (f"{attempt}.{flipped}", f"{attempt}.{other.path[-22:]}", attempt, f"{attempt}.", f".{state}",
                 f"{attempt}.{state}x", f"{attempt}.{state[:-1]}", f"{bank.intent['id']}.{state}",
                 "%C3%A9.%F0%9F%8D%B5", f"{attempt}.{state}.{state}")  # fmt: skip
        async with house.http() as browser:
            for name in wrong:
                for path, methods in ((f"/checkout/challenge/{name}", ("GET",)),
                                      (f"/checkout/challenge/{name}/done", ("GET", "POST"))):  # fmt: skip
                    for method in methods:
                        answer = await browser.request(method, path)
                        assert answer.status_code == 404, path
                        assert answer.json()["error"]["code"] == "resource_missing"
                        assert "html" not in answer.headers["content-type"]

    play(tmp_path, story)


def test_the_way_back_leads_to_the_payment_and_nowhere_else(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        evil = "https://evil.example"
        names = ("url", "return_url", "return_to", "next", "redirect", "locale", "card_page", "payment_intent")
        back = await bank.back("POST", params=dict.fromkeys(names, evil), data=dict.fromkeys(names, evil))
        assert back.status_code == 200
        assert "evil" not in back.text + str(back.headers)
        assert re.findall(r'data-card-page="([^"]*)"', back.text) == [f"/checkout/{bank.intent['id']}?locale=en"]

    play(tmp_path, story)


def test_what_comes_with_the_way_back_is_bounded(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        bank.answer(approved=True)
        too_much = await bank.back("POST", content=b"a" * (64 * 1024 + 1))
        assert (too_much.status_code, too_much.json()["error"]["code"]) == (413, "body_too_large")
        assert (await bank.read())["status"] == "requires_action"
        assert (await bank.back("POST", content=b"\xff" * 64 * 1024)).status_code == 200
        assert (await bank.read())["status"] == "succeeded"

    play(tmp_path, story)


def test_each_answer_has_its_own_nonce_and_names_the_shop(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        nonces = set[str]()
        for path in (bank.path, f"{bank.path}?isolated=1", f"{bank.path}/done"):
            async with house.http() as browser:
                answer = await browser.get(path)
            policy = answer.headers["content-security-policy"]
            [nonce] = set(re.findall(r'nonce="([^"]*)"', answer.text))
            nonces.add(nonce)
            assert f"script-src 'nonce-{nonce}'" in policy
            around = f"'self' {SHOP}" if path.endswith("/done") else SHOP
            assert f"; frame-ancestors {around}; " in policy
            isolated = "isolated" in path
            assert answer.headers.get("cross-origin-embedder-policy") == ("credentialless" if isolated else None)
            assert ("credentialless" in answer.text) is isolated
        assert len(nonces) == 3
        async with house.http() as browser:
            assert (await browser.get(bank.path, params={"url": "https://evil.example"})).status_code == 400

    play(tmp_path, story)


def test_a_bank_that_no_browser_would_show_is_not_shown(tmp_path: Path) -> None:
    """A PSP that is set up wrongly: its operator reads so, and the shopper is not left before an empty frame."""

    async def story(house: Turned) -> None:
        house.world.psp.books.terms = Terms(origin="http://bank.example")
        bank = await challenged(house)
        assert (await bank.page()).status_code == 303
        assert "bank_page_refused" in house.log.getvalue().decode()
        house.log.seek(0)
        house.log.truncate()

    play(tmp_path, story)


def test_it_speaks_the_shoppers_language(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        shown = await bank.page(**{"accept-language": "de-AT,de;q=0.9"})
        assert '<html lang="de">' in shown.text
        assert "Bei Ihrer Bank bestätigen" in shown.text
        assert f'data-card-page="/checkout/{bank.intent["id"]}?locale=de-AT"' in shown.text
        async with house.http(headers={"accept-language": "de"}) as browser:
            assert '<html lang="en">' in (await browser.get(bank.path, params={"locale": "en"})).text
            assert '<html lang="de">' in (await browser.get(f"{bank.path}/done")).text

    play(tmp_path, story)


def test_a_stop_does_not_wait_for_a_bank(tmp_path: Path) -> None:
    async def story(house: Turned) -> None:
        bank = await challenged(house)
        began = house.world.monotonic()
        coming = asyncio.create_task(bank.back())
        await asyncio.sleep(1)
        house.house.stop_holding()
        assert (await coming).status_code == 200
        assert house.world.monotonic() - began < 2

    play(tmp_path, story)
