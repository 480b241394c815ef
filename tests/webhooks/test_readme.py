"""The README's ways to verify are run as they stand there."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paydesk_client import sign_webhook

README = (Path(__file__).parents[2] / "webhooks" / "README.md").read_text()
WAYS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
BODY = '{"id":"evt_1","note":"茶 ☕"}'.encode()

Receive = Callable[[bytes, dict[str, str], str], Any]


@pytest.fixture(params=WAYS, ids=["paydesk_client", "standardwebhooks", "by hand"])
def receive(request: pytest.FixtureRequest) -> Receive:
    names: dict[str, Any] = {}
    exec(request.param, names)
    return names["receive"]


def test_there_are_three_ways_of_about_ten_lines() -> None:
    assert len(WAYS) == 3
    assert all(len(way.strip().splitlines()) <= 14 for way in WAYS)


def test_what_paydesk_signed_is_received(receive: Receive) -> None:
    headers = sign_webhook(BODY, [OTHER, SECRET], webhook_id="evt_1")
    assert receive(BODY, headers, SECRET) == {"id": "evt_1", "note": "茶 ☕"}


@pytest.mark.parametrize("age_seconds", [310, -310])
def test_an_old_or_future_call_is_not(receive: Receive, age_seconds: int) -> None:
    headers = sign_webhook(BODY, SECRET, webhook_id="evt_1", timestamp=int(time.time()) - age_seconds)
    refuses(receive, BODY, headers)


def test_changed_bytes_or_another_secret_are_not(receive: Receive) -> None:
    headers = sign_webhook(BODY, SECRET, webhook_id="evt_1")
    refuses(receive, BODY + b" ", headers)
    refuses(receive, BODY, headers | {"webhook-id": "evt_2"})
    refuses(receive, BODY, sign_webhook(BODY, OTHER, webhook_id="evt_1"))
    refuses(receive, BODY, headers | {"webhook-signature": "v2," + headers["webhook-signature"][3:]})


def refuses(receive: Receive, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Exception) as no:
        receive(body, headers, SECRET)
    assert isinstance(no.value, ValueError) or type(no.value).__name__ == "WebhookVerificationError"


def test_every_file_the_readme_points_to_is_there() -> None:
    folder = Path(__file__).parents[2] / "webhooks"
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert links
    assert all((folder / link).exists() for link in links)
