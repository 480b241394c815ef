"""A server with short time limits, and a merchant whose account must look the same after every bad input."""

from collections.abc import Generator
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.bad_input.campaign import faults_in
from tests.bad_input.wire import Signer, Wire, whole
from tests.journeys.cast import Cast
from tests.stage.stage import Merchant, Stage, staged

LISTS = ("/v1/payment_intents?limit=1", "/v1/events?limit=1", "/v1/webhook_endpoints", "/v1/balance")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """At its end a look into the log: no bad input may have been a fault of ours."""
    limits = {"PAYDESK_HEADER_TIMEOUT_SECONDS": "1", "PAYDESK_BODY_TIMEOUT_SECONDS": "1"}
    with staged(tmp_path_factory.mktemp("bad_input"), **limits) as playing:
        yield playing
        assert playing.server
    assert faults_in(playing.server.err) == []


@pytest.fixture(scope="session")
def cast(stage: Stage) -> Generator[Cast]:
    playing = Cast(stage)
    yield playing
    playing.leave()


@pytest.fixture(scope="session")
def tea(cast: Cast) -> Merchant:
    merchant = cast.merchant()
    merchant.open()
    return merchant


@pytest.fixture(scope="session")
def signer(tea: Merchant) -> Signer:
    return Signer(tea.facts["key_id"], tea.facts["secret"])


@pytest.fixture(scope="session")
def wire(stage: Stage) -> Wire:
    return Wire(stage.paydesk)


@pytest.fixture(autouse=True)
def nothing_is_stored(tea: Merchant, signer: Signer) -> Generator[None]:
    """Before and after each test the account looks the same, and the server answers."""
    before = shown(tea, signer)
    yield
    assert shown(tea, signer) == before


def shown(tea: Merchant, signer: Signer) -> list[Any]:
    with httpx.Client(base_url=tea.stage.paydesk) as client:
        return [
            client.get(path, headers=signer.headers("GET", path.encode())).raise_for_status().json() for path in LISTS
        ]


@pytest.fixture
def create(wire: Wire, signer: Signer) -> Any:
    """Send a body to POST /v1/payment_intents, signed as it stands."""

    def sending(body: bytes, **headers: str) -> Any:
        target = b"/v1/payment_intents"
        signed = signer.headers("POST", target, body, idempotency_key=token_hex(8))
        return wire.ask(whole("POST", target, {"Content-Type": "application/json"} | signed | headers, body))

    return sending
