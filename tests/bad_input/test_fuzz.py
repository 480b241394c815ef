"""Every route of /openapi.json, asked with what its description allows and with what it does not: never a 5xx, always
the one shape. Bounded in time, so the number of cases depends on the machine.
"""

import contextlib
import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.bad_input.wire import Answered, Signer, Wire, whole
from tests.journeys.cast import Cast
from tests.stage.stage import Merchant, Stage

EXAMPLES = 25
"""For each route, in each mode."""
SECONDS = 10
"""For each mode."""

BOUNDED = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
)


class Signed(requests.auth.AuthBase):
    """Signs what is about to be sent, byte for byte; a client secret where a route takes one."""

    def __init__(self, signer: Signer, client_secret: str) -> None:
        self.signer = signer
        self.client_secret = client_secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        target = (request.path_url or "").encode("latin-1", "replace")
        if target.startswith(b"/checkout"):
            request.headers["Authorization"] = f"Bearer {self.client_secret}"
            return request
        body = request.body or b""
        key = request.headers.get("Idempotency-Key")
        text = key.decode("latin-1") if isinstance(key, bytes) else key
        signed = self.signer.headers(
            request.method or "", target, body.encode() if isinstance(body, str) else body, idempotency_key=text
        )
        request.headers.update({name: value for name, value in signed.items() if name != "Idempotency-Key"})
        return request


class Fuzzed:
    """A merchant of its own, since what its description allows may well be created."""

    def __init__(self, stage: Stage, merchant: Merchant) -> None:
        intent = merchant.open()
        assert merchant.shopper(intent).pay().status_code == 200  # Nothing is left to wait for: no request is held.
        self.intent = intent["id"]
        self.signer = Signer(merchant.facts["key_id"], merchant.facts["secret"])
        self.session = requests.Session()
        self.session.trust_env = False
        self.auth = Signed(self.signer, intent["client_secret"])
        self.schema = schemathesis.openapi.from_dict(httpx.get(f"{stage.paydesk}/openapi.json").json())
        self.schema.config.base_url = stage.paydesk
        self.seen: set[int] = set()

    def operations(self) -> Iterator[Any]:
        for found in self.schema.get_all_operations():
            yield found.ok()

    def send(self, case: Any) -> requests.Response:
        """As generated, but about an intent that is there: half of all cases would end at a 404 otherwise."""
        if "intent" in case.path_parameters and len(case.path_parameters["intent"]) % 2:
            case.path_parameters["intent"] = self.intent
        asked = case.as_transport_kwargs()
        asked.pop("cookies", None)
        answer = self.session.request(**asked, auth=self.auth, timeout=30, allow_redirects=False)
        self.seen.add(answer.status_code)
        return answer


@pytest.fixture(scope="module")
def fuzzed(stage: Stage, cast: Cast) -> Iterator[Fuzzed]:
    playing = Fuzzed(stage, cast.merchant("Fuzzed"))
    yield playing
    playing.session.close()


def held(response: requests.Response) -> None:
    """No fault of ours, and errors in the one shape."""
    assert response.status_code < 500, (response.request.method, response.request.url, response.text)
    if response.status_code >= 400:
        shape = Answered(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )
        assert shape.error["code"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_described_route(fuzzed: Fuzzed, mode: GenerationMode) -> None:
    until = time.monotonic() + SECONDS
    for operation in fuzzed.operations():

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if time.monotonic() < until:
                held(fuzzed.send(case))

        # Where a route takes nothing, nothing that it takes can be wrong.
        with contextlib.suppress(Unsatisfiable), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask()
    assert {200, 400} <= fuzzed.seen


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["amount", "currency", "metadata", "description", "statement_descriptor", "return_url", "capture_method", "status"]
)


@settings(BOUNDED, max_examples=150)
@given(body=st.dictionaries(FIELDS, JSON, max_size=5) | JSON, cut=st.integers(0, 3), data=st.binary(max_size=40))
def test_bodies_of_any_kind(wire: Wire, signer: Signer, body: object, cut: int, data: bytes) -> None:
    text = json.dumps(body, ensure_ascii=cut == 0).encode("utf-8", "surrogatepass")
    sent = {0: text, 1: text, 2: text[: len(text) // 2], 3: data}[cut]
    target = b"/v1/payment_intents"
    headers = signer.headers("POST", target, sent, idempotency_key="fuzz") | {"Content-Type": "application/json"}
    answer = wire.ask(whole("POST", target, headers, sent))
    assert answer.status == 400, answer
    assert answer.error["code"]


@settings(BOUNDED, max_examples=150)
@given(target=st.binary(max_size=60), method=st.sampled_from(["GET", "POST", "DELETE", "HEAD"]))
def test_targets_of_any_kind(wire: Wire, signer: Signer, target: bytes, method: str) -> None:
    target = b"/v1/" + target.replace(b"\r", b"").replace(b"\n", b"").replace(b" ", b"")
    answer = wire.ask(whole(method, target, signer.headers(method, target)))
    assert 400 <= answer.status < 500, answer
