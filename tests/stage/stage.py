"""Sandbox PSP and Paydesk as processes, merchants made by the command line, webhooks received."""

import json
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from paydesk_client import Paydesk
from tests.stage.processes import Process, running
from tests.stage.receiver import Receiver
from tests.stage.shopper import Shopper

SHOP = "https://shop.example"

ENVIRONMENT = {
    "PAYDESK_EGRESS_ALLOW": "127.0.0.0/8",
    "PAYDESK_RATE_LIMITS": "off",
    "PAYDESK_ADMIN_PORT": "0",  # Also where a stage starts again on its own port: the one above may be somebody's.
    "PAYDESK_PSP_TIMEOUT_SECONDS": "2",
    "PAYDESK_PSP_MAX_IN_FLIGHT_SECONDS": "3",
}


class Merchant:
    """A merchant of a stage: its ids, its signed client, its receiver."""

    def __init__(self, stage: "Stage", facts: dict[str, str], receiver: Receiver | None) -> None:
        self.stage = stage
        self.facts = facts
        self.account = facts["account_id"]
        self.client = Paydesk(stage.paydesk, facts["key_id"], facts["secret"])
        self._receiver = receiver
        self._shoppers: list[Shopper] = []

    @property
    def receiver(self) -> Receiver:
        assert self._receiver, "this merchant was made without a receiver"
        return self._receiver

    def open(self, amount: int = 4200, currency: str = "usd", **more: Any) -> dict[str, Any]:
        """A payment intent."""
        return self.client.payment_intents.create(amount=amount, currency=currency, **more)

    def shopper(self, intent: dict[str, Any]) -> Shopper:
        self._shoppers.append(Shopper(self.stage.paydesk, intent, SHOP))
        return self._shoppers[-1]

    def close(self) -> None:
        self.client.close()
        for shopper in self._shoppers:
            shopper.close()
        if self._receiver:
            self._receiver.close()


class Stage:
    """Where PSP and Paydesk are; `folder` holds data and logs."""

    def __init__(self, folder: Path, psp: str, environment: dict[str, str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.psp = psp
        self.environment = {**ENVIRONMENT, **environment}
        self.paydesk = ""
        self.admin = ""
        self.server: Process | None = None
        self._merchants: list[Merchant] = []

    def start(self, port: int = 0) -> None:
        """Start `serve` on the data folder."""
        arguments = ["paydesk", "serve", "--port", str(port), "--data", str(self.data), "--json"]
        log = self.folder / "paydesk"
        log.with_suffix(".out").unlink(missing_ok=True)
        self.server = Process(arguments, log=log, environment=self.environment)
        self.server.wait_for("}")
        said = json.loads(self.server.out.read_text())
        self.paydesk, self.admin = said["serving"], said["admin"]

    @property
    def port(self) -> int:
        return int(self.paydesk.rsplit(":", 1)[1])

    def command(self, *arguments: str) -> dict[str, Any]:
        """`paydesk … --json`, against this stage's data."""
        done = subprocess.run(
            [sys.executable, "-m", "paydesk", *arguments, "--data", str(self.data), "--json"],
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def merchant(
        self,
        name: str = "Tea House",
        *,
        fee: str = "0",
        events: str = "*",
        receiver: bool = True,
        notices: bool = False,
    ) -> Merchant:
        """A new merchant, with a receiver for its events; with `notices` its PSP tells Paydesk of every change."""
        psp_key = f"psp-{secrets.token_hex(8)}"
        create = ["merchants", "create", name, "--origin", SHOP, "--psp-url", self.psp, "--psp-key", psp_key]
        facts = self.command(*create, "--fee", fee)
        if notices:
            self.tell_psp(psp_key, facts)
        listening = Receiver() if receiver else None
        if listening:
            added = self.command("webhooks", "add", facts["merchant_id"], listening.url, "--events", events)
            listening.secret = added["secret"]
        self._merchants.append(Merchant(self, facts, listening))
        return self._merchants[-1]

    def tell_psp(self, psp_key: str, facts: dict[str, Any]) -> None:
        """Where the merchant's PSP is to send notices, and what signs them."""
        answer = httpx.post(
            f"{self.psp}/v1/notice_endpoint",
            headers={"authorization": f"Bearer {psp_key}"},
            json={"url": facts["notice_url"], "secret": facts["notice_secret"]},
        )
        assert answer.status_code == 200, answer.text

    def charges(self, attempt: str) -> list[dict[str, Any]]:
        """What the PSP's own books say about an attempt."""
        return httpx.get(f"{self.psp}/books", params={"reference": attempt}).json()["charges"]

    def close(self) -> None:
        for merchant in self._merchants:
            merchant.close()
        if self.server:
            self.server.stop()


@contextmanager
def staged(folder: Path, **environment: str) -> Generator[Stage]:
    """A stage with PSP and Paydesk running."""
    folder.mkdir(parents=True, exist_ok=True)
    with running(["paydesk_sandbox", "psp", "--port", "0"], log=folder / "psp", ready="listening on") as (_, line):
        stage = Stage(folder, line.split()[-1], environment)
        try:
            stage.start()
            yield stage
        finally:
            stage.close()
