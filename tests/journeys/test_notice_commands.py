"""`paydesk notices` and `merchants notices`, against a running `serve` and a PSP's calls."""

import time
from typing import Any

import httpx

from tests.journeys.cast import Cast
from tests.journeys.telling import body_of, signed
from tests.journeys.test_commands import paydesk, sentence, shown
from tests.stage.stage import Stage


def call(facts: dict[str, Any], notice_id: str, reference: str) -> int:
    """A PSP calls about a charge; what it is answered."""
    body = body_of(notice_id, "charge", {"id": "ch_1", "reference": reference})
    return httpx.post(
        facts["notice_url"], content=body, headers=signed(body, facts["notice_secret"], time.time_ns() // 1_000_000)
    ).status_code


def test_a_parked_notice_is_shown(cast: Cast, stage: Stage) -> None:
    tea, coffee = cast.merchant("Tea House"), cast.merchant("Coffee House")
    assert call(tea.facts, "ntc_1", "order-of-another-system") == 200
    assert call(coffee.facts, "ntc_1", "order-of-yet-another") == 200

    def parked(*options: str) -> list[dict[str, Any]]:
        return shown("notices", "--status", "parked", *options, data=stage.data)

    while not (found := parked("--account", tea.account)):
        assert shown("notices", "--account", tea.account, data=stage.data)
    (one,) = found
    assert (one["id"], one["account"], one["psp"], one["about"]) == ("ntc_1", tea.account, "sandbox", "charge")
    assert (one["reference"], one["reason"]) == ("order-of-another-system", "Nothing here has this reference.")
    assert one["next_try"] > one["received"]
    assert len(one["body_sha256"]) == 64
    assert {notice["account"] for notice in parked()} >= {tea.account}

    line = paydesk("notices", "--account", tea.facts["merchant_id"], data=stage.data).stdout
    assert "order-of-another-system" in line
    assert sentence("notices", "--status", "lost", data=stage.data).startswith("A status is one of new, applied")
    assert sentence("notices", "--account", "mer_none", data=stage.data) == "No such merchant or account: mer_none"


def test_a_new_secret_takes_the_place_of_the_old_one(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    made = shown("merchants", "notices", tea.facts["merchant_id"], data=stage.data)
    assert made["notice_url"] == tea.facts["notice_url"]
    assert made["notice_secret"] != tea.facts["notice_secret"]
    assert call(tea.facts, "ntc_1", "at_1") == 401
    assert call(made, "ntc_1", "at_1") == 200

    own = "a secret that the PSP made up".replace(" ", "-")
    brought = shown("merchants", "notices", tea.account, "--notice-secret", own, data=stage.data)
    assert brought["notice_secret"] == own
    assert call(brought, "ntc_2", "at_1") == 200
    told = sentence("merchants", "notices", tea.account, "--notice-secret", "short", data=stage.data)
    assert told.startswith("A notice secret is 16 to 255")
