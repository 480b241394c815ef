"""Marked cards paid in every way that ends differently, and everything that the run wrote while it did so."""

import json
import secrets
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from paydesk_client import PaydeskAuth
from tests.kills.campaign import reserved_port
from tests.leaks.marks import Mark, Marks
from tests.stage.processes import running
from tests.stage.receiver import Receiver
from tests.stage.stage import SHOP, Merchant, Stage
from tests.vault.seal_card import seal_bytes

ENVIRONMENT = {
    "PAYDESK_LOG_LEVEL": "debug",
    "PAYDESK_PSP_TIMEOUT_SECONDS": "1",
    "PAYDESK_PSP_MAX_IN_FLIGHT_SECONDS": "1",
}


class Others(Struct, frozen=True, kw_only=True):
    """Who else plays."""

    shop: str
    shop_endpoint_secret: str
    psp_key: str


class Left(Struct, frozen=True, kw_only=True):
    """What a run leaves behind."""

    kept: dict[str, bytes]
    """Database with its log, what the processes wrote, what the receiver was sent."""
    answers: dict[str, bytes]
    """Every answer over HTTP, headers and all."""
    marks: list[Mark]
    secrets: dict[str, list[str]]
    """What must be in no log and in no row: the key's secret, the endpoint's, the client secrets, the PSP's key."""
    counts: dict[str, int]
    """How many answers had which status."""


class Play:
    """A stage, a merchant's server and a browser whose answers are all kept."""

    def __init__(self, stage: Stage, merchant: Merchant, others: Others) -> None:
        self.stage = stage
        self.merchant = merchant
        self.marks = Marks(20_260_301)
        self.answers: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}
        self.client_secrets: list[str] = []
        self.jwes: list[str] = []
        self.others = others
        facts = merchant.facts
        self.server = self._client(PaydeskAuth(facts["key_id"], facts["secret"]))
        self.browser = self._client(None)

    def open(self, **more: Any) -> dict[str, Any]:
        """A payment intent."""
        answer = self.create({"amount": 4200, "currency": "usd", **more})
        assert answer.status_code == 200, answer.text
        self.client_secrets.append(answer.json()["client_secret"])
        return answer.json()

    def create(self, body: object, key: str = "") -> httpx.Response:
        """POST /v1/payment_intents; `body` as JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"idempotency-key": key or secrets.token_hex(8), "content-type": "application/json"}
        return self.server.post("/v1/payment_intents", content=content, headers=headers)

    def seal(self, intent: dict[str, Any], mark: Mark, **other: Any) -> str:
        """The card as the frame seals it; `other` overrides what is inside."""
        session = self.get(f"/checkout/{intent['id']}/session", intent).json()
        now = datetime.fromisoformat(session["server_time"])
        inside = {
            "v": 1,
            "number": mark.number,
            "exp_month": 12,
            "exp_year": now.year + 3,
            "cvc": mark.cvc,
            "name": mark.name,
            "intent": intent["id"],
            "origin": SHOP,
            "iat": int(now.timestamp()),
            "jti": secrets.token_urlsafe(16),
        }
        return self.seal_text(json.dumps(inside | other))

    def seal_text(self, plaintext: str) -> str:
        """Any plaintext, sealed with the newest key."""
        jwk = self.browser.get("/checkout/keys").json()["keys"][0]
        self.jwes.append(seal_bytes(jwk, plaintext.encode()))
        return self.jwes[-1]

    def confirm(self, intent: dict[str, Any], card: object, **more: Any) -> httpx.Response:
        """POST …/confirm with whatever stands for the card."""
        return self.confirm_body(intent, {"card": card, **more})

    def confirm_body(self, intent: dict[str, Any], body: object) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {intent['client_secret']}", "content-type": "application/json"}
        return self.browser.post(f"/checkout/{intent['id']}/confirm", content=content, headers=headers)

    def get(self, path: str, intent: dict[str, Any]) -> httpx.Response:
        """What a shopper reads."""
        return self.browser.get(path, headers={"authorization": f"Bearer {intent['client_secret']}"})

    def close(self) -> None:
        self.server.close()
        self.browser.close()

    def left(self) -> Left:
        """All that is there now."""
        facts = self.merchant.facts
        return Left(
            kept=self._files() | self._received(),
            answers=self.answers,
            marks=self.marks.made,
            secrets={
                "the key's secret": [facts["secret"]],
                "an endpoint's secret": [self.merchant.receiver.secret, self.others.shop_endpoint_secret],
                "a client secret": [secret.partition("_secret_")[2] for secret in self.client_secrets],
                "the PSP's key": [self.others.psp_key],
                "a sealed card": [jwe.split(".")[3] for jwe in self.jwes],
            },
            counts=self.counts,
        )

    def _client(self, auth: httpx.Auth | None) -> httpx.Client:
        hooks: Any = {"response": [self.keep]}
        return httpx.Client(base_url=self.stage.paydesk, auth=auth, event_hooks=hooks, timeout=30, trust_env=False)

    def keep(self, response: httpx.Response) -> None:
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
        what = f"answer {len(self.answers)}: {response.request.method} {response.status_code}"
        self.answers[what] = headers.encode() + b"\n\n" + response.read()
        status = f"{response.status_code // 100}xx"
        self.counts[status] = self.counts.get(status, 0) + 1

    def _files(self) -> dict[str, bytes]:
        """Everything in the run's folder: data, write-ahead log, logs of all processes."""
        files = [path for path in self.stage.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.stage.folder)): path.read_bytes() for path in files}

    def _received(self) -> dict[str, bytes]:
        received = self.merchant.receiver.received
        return {f"webhook {n}": repr(one.headers).encode() + b"\n" + one.body for n, one in enumerate(received)}


@contextmanager
def playing(folder: Path) -> Generator[Play]:
    """PSP, Paydesk at log level debug and the demo shop, with a merchant whose key at the PSP is known."""
    folder.mkdir(parents=True, exist_ok=True)
    with running(["paydesk_sandbox", "psp", "--port", "0"], log=folder / "psp", ready="listening on") as (_, line):
        stage = Stage(folder, line.split()[-1], ENVIRONMENT)
        try:
            stage.start()
            psp_key = f"psp_{secrets.token_hex(16)}"
            create = ["merchants", "create", "Tea House", "--origin", SHOP, "--psp-url", stage.psp]
            facts = stage.command(*create, "--psp-key", psp_key)
            receiver = Receiver()
            receiver.secret = stage.command("webhooks", "add", facts["merchant_id"], receiver.url)["secret"]
            merchant = Merchant(stage, facts, receiver)
            with closing(merchant), shop(stage, facts) as (url, secret):
                others = Others(shop=url, shop_endpoint_secret=secret, psp_key=psp_key)
                with closing(Play(stage, merchant, others)) as play:
                    yield play
        finally:
            stage.close()


@contextmanager
def shop(stage: Stage, facts: dict[str, str]) -> Generator[tuple[str, str]]:
    """The demo shop of that merchant: its address, and the secret of its webhook endpoint."""
    with reserved_port() as port:
        secret = stage.command("webhooks", "add", facts["merchant_id"], f"http://127.0.0.1:{port}/webhooks")["secret"]
        environment = {
            "SHOP_KEY_ID": facts["key_id"],
            "SHOP_SECRET": facts["secret"],
            "SHOP_WEBHOOK_SECRET": secret,
        }
        arguments = ["paydesk_sandbox", "shop", "--port", str(port), "--paydesk", stage.paydesk]
        log = stage.folder / "shop"
        with running(arguments, log=log, ready="listening on", environment=environment) as (_, line):
            yield line.split()[-1], secret
