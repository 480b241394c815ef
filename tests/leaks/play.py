"""Marked cards paid in every way that ends differently, and everything that the run wrote while it did so."""

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from paydesk_client import PaydeskAuth
from tests.kills.campaign import reserved_port
from tests.leaks.forms import search
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


ANSWERS = "answers of the API and the shop"
FILES = {
    "database": ("data/paydesk.db",),
    "write-ahead log": ("data/paydesk.db-wal",),
    "backups": (".backup",),
    "log of the server": ("paydesk.out", "paydesk.err"),
    "log of the PSP": ("psp.out", "psp.err"),
    "log of the shop": ("shop.out", "shop.err"),
    "other files": ("",),
}
"""By the ends of their names; the first that fits."""


class Others(Struct, frozen=True, kw_only=True):
    """Who else plays."""

    shop: str
    shop_endpoint_secret: str
    psp_key: str


class Left(Struct, frozen=True, kw_only=True):
    """What a run leaves behind."""

    places: dict[str, dict[str, bytes]]
    """Where something may have come to lie → what lies there, by its name."""
    marks: list[Mark]
    secrets: dict[str, list[str | bytes]]
    """What may be answered once, to whom it concerns, and be nowhere else."""
    counts: dict[str, int]
    """How many answers had which status."""

    def found(self, place: str) -> list[str]:
        """Every hit there. An answer or a command may tell a secret to whom it belongs; a card is told to nobody."""
        traces: dict[str, list[str | bytes]] = {}
        for mark in self.marks:
            traces.setdefault(mark.used_for, []).extend(mark.traces)
        return search(self.places[place], traces if place == ANSWERS else traces | self.secrets)


class Play:
    """A stage, a merchant's server and a browser whose answers are all kept."""

    def __init__(self, stage: Stage, merchant: Merchant, others: Others, seed: int) -> None:
        self.stage = stage
        self.merchant = merchant
        self.marks = Marks(seed)
        self.answers: dict[str, bytes] = {}
        self.commands: dict[str, bytes] = {}
        self.metrics = b""
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
        return self.change("/v1/payment_intents", body, key)

    def change(self, path: str, body: object, key: str = "") -> httpx.Response:
        """The same at any path."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"idempotency-key": key or secrets.token_hex(8), "content-type": "application/json"}
        return self.server.post(path, content=content, headers=headers)

    def command(self, *arguments: str) -> None:
        """`paydesk …`, and what it printed."""
        whole = [sys.executable, "-m", "paydesk", *arguments, "--data", str(self.stage.data)]
        done = subprocess.run(whole, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        self.commands[f"{len(self.commands)}: {' '.join(arguments)}"] = done.stdout + done.stderr

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
        facts, key = self.merchant.facts, self._master_key()
        return Left(
            places=self._files()
            | {
                "webhooks": self._received(),
                ANSWERS: self.answers,
                "printed by commands": self.commands,
                "metrics": {"metrics": self.metrics},
            },
            marks=self.marks.made,
            secrets={
                "the key's secret": [facts["secret"]],
                "an endpoint's secret": [self.merchant.receiver.secret, self.others.shop_endpoint_secret],
                "the secret of notices": [facts["notice_secret"]],
                "a client secret": [secret.partition("_secret_")[2] for secret in self.client_secrets],
                "the PSP's key": [self.others.psp_key],
                "a sealed card": [jwe.split(".")[3] for jwe in self.jwes],
                "the master key": [key, base64.urlsafe_b64decode(key + "=")],
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

    def _master_key(self) -> str:
        return self.stage.data.with_name(f"{self.stage.data.name}.key").read_text().strip()

    def _files(self) -> dict[str, dict[str, bytes]]:
        """Everything in the run's folder, except for the file that holds the master key."""
        found: dict[str, dict[str, bytes]] = {place: {} for place in FILES}
        for path in self.stage.folder.rglob("*"):
            if path.is_file() and path.suffix != ".key":
                name = str(path.relative_to(self.stage.folder))
                place = next(place for place, ends in FILES.items() if name.endswith(ends))
                found[place][name] = path.read_bytes()
        return found

    def _received(self) -> dict[str, bytes]:
        received = self.merchant.receiver.received
        return {f"webhook {n}": repr(one.headers).encode() + b"\n" + one.body for n, one in enumerate(received)}


@contextmanager
def playing(folder: Path, seed: int) -> Generator[Play]:
    """PSP, Paydesk at log level debug and the demo shop, with a merchant whose key at the PSP is known."""
    folder.mkdir(parents=True, exist_ok=True)
    with running(["paydesk_sandbox", "psp", "--port", "0"], log=folder / "psp", ready="listening on") as (_, line):
        stage = Stage(folder, line.split()[-1], ENVIRONMENT)
        try:
            stage.start()
            psp_key = f"psp_{secrets.token_hex(16)}"
            create = ["merchants", "create", "Tea House", "--origin", SHOP, "--psp-url", stage.psp]
            facts = stage.command(*create, "--psp-key", psp_key)
            stage.tell_psp(psp_key, facts)
            receiver = Receiver()
            receiver.secret = stage.command("webhooks", "add", facts["merchant_id"], receiver.url)["secret"]
            merchant = Merchant(stage, facts, receiver)
            with closing(merchant), shop(stage, facts) as (url, secret):
                others = Others(shop=url, shop_endpoint_secret=secret, psp_key=psp_key)
                with closing(Play(stage, merchant, others, seed)) as play:
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
