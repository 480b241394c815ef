"""The `paydesk` command: the same with and without a running `serve`, and sentences where something is wrong."""

import json
import os
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from paydesk.assembly.listening import bind
from paydesk.assembly.opening import CannotOpen
from paydesk.cli import output
from paydesk_client import Paydesk
from tests.journeys.cast import Cast
from tests.stage.stage import SHOP, Stage

FACTS = {"merchant_id", "account_id", "key_id", "secret", "notice_url", "notice_secret"}
PAID = "payment_intent.succeeded"
SIGNED = ["--key-id", "key_test_abc", "--timestamp", "2023-10-15T14:22:31Z", "--nonce", "n" * 16]


def paydesk(*arguments: str, data: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYDESK_")}
    return subprocess.run(
        [sys.executable, "-m", "paydesk", *arguments, *(["--data", str(data)] if data else [])],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=inherited | {"COLUMNS": "200"} | environment,
    )


def shown(*arguments: str, data: Path | None = None, **environment: str) -> Any:
    done = paydesk(*arguments, "--json", data=data, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def sentence(*arguments: str, data: Path | None = None, **environment: str) -> str:
    """What a command that went wrong said: one sentence, exit status 1, no traceback."""
    done = paydesk(*arguments, data=data, **environment)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("paydesk: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr.removeprefix("paydesk: ").strip()


def create(name: str, **options: str) -> list[str]:
    given = {"origin": SHOP, "psp-url": "http://127.0.0.1:1"} | {
        key.replace("_", "-"): to for key, to in options.items()
    }
    return ["merchants", "create", name, *(part for key, value in given.items() for part in (f"--{key}", value))]


def test_a_merchant_of_a_running_serve_can_sign_at_once(stage: Stage) -> None:
    facts = shown(*create("Tea House", psp_url=stage.psp, fee="1.5%+25"), data=stage.data)
    assert set(facts) == FACTS
    assert facts["secret"].startswith("sk_test_")
    with Paydesk(stage.paydesk, facts["key_id"], facts["secret"]) as client:
        assert client.ping()["livemode"] is False
        assert client.payment_intents.list()["data"] == []


def test_endpoints_of_a_running_serve(cast: Cast, stage: Stage) -> None:
    """A merchant's id stands for its test account; either is taken."""
    tea = cast.merchant()
    added = shown(
        "webhooks", "add", tea.facts["merchant_id"], "http://127.0.0.1:1/a", "--events", PAID, data=stage.data
    )
    assert set(added) >= {"id", "url", "secret"}
    assert added["enabled_events"] == [PAID]
    assert added["secret"].startswith("whsec_")
    seen = tea.client.webhook_endpoints.retrieve(added["id"])
    assert (seen["url"], seen["enabled_events"]) == ("http://127.0.0.1:1/a", [PAID])
    other = cast.operate("webhooks add", merchant=tea.account, url="http://127.0.0.1:1/b", events=["*"])
    assert tea.client.webhook_endpoints.retrieve(other["id"])["enabled_events"] == ["*"]


def test_without_a_serve_the_data_folder_is_opened_and_kept(tmp_path: Path, stage: Stage) -> None:
    data, key = tmp_path / "shop", tmp_path / "shop.key"
    facts = shown(*create("Tea House", psp_url=stage.psp), data=data)
    added = shown("webhooks", "add", facts["merchant_id"], "https://shop.example/hooks", data=data)
    other = Stage(tmp_path, stage.psp, {})
    other.data = data
    other.start()
    try:
        with Paydesk(other.paydesk, facts["key_id"], facts["secret"]) as client:
            assert [endpoint["id"] for endpoint in client.webhook_endpoints.list()["data"]] == [added["id"]]
    finally:
        other.close()
    assert (data / "paydesk.db").stat().st_mode & 0o777 == 0o600
    assert key.stat().st_mode & 0o777 == 0o600
    assert not (data / "control.sock").exists()

    # Without its own master key a database is not opened.
    kept = key.read_bytes()
    key.unlink()
    assert "master key" in sentence(*create("Tea House"), data=data)
    key.write_bytes(b"A" * len(kept.strip()))
    key.chmod(0o600)
    assert "master key" in sentence(*create("Tea House"), data=data).lower()


def test_a_second_serve_on_the_same_data_says_so(stage: Stage) -> None:
    said = sentence("serve", "--port", "0", data=stage.data)
    assert "open in another process" in said
    assert httpx.get(f"{stage.paydesk}/livez").status_code == 200


def test_where_serve_can_not_listen_is_said(tmp_path: Path) -> None:
    data = tmp_path / "other"
    assert "no address is known" in sentence("serve", "--host", "pay..example", data=data)
    assert "PAYDESK_PUBLIC_URL" in sentence("serve", "--host", "0.0.0.0", "--port", "0", data=data)
    assert not data.exists()


def test_a_name_that_does_not_resolve_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nameless(socket.socket):
        def bind(self, address: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "socket", Nameless)
    with pytest.raises(CannotOpen, match=r"'pay\.example': no address is known by that name"):
        bind("pay.example", 0, "")


def test_a_port_in_use_is_said(tmp_path: Path, stage: Stage) -> None:
    assert f":{stage.port}" in sentence("serve", "--port", str(stage.port), data=tmp_path / "other")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"origin": "*"}, "origin"),
        ({"origin": "null"}, "origin"),
        ({"origin": "https://*.shop.example"}, "origin"),
        ({"origin": "https://shop.example/"}, "origin"),
        ({"origin": "https://shop.example/path"}, "origin"),
        ({"origin": "https://shop.example; script-src *"}, "origin"),
        ({"origin": "https://shop.example;"}, "origin"),
        ({"origin": "https://a.example https://b.example"}, "origin"),
        ({"origin": "http://shop.example"}, "origin"),
        ({"origin": "https://shop.example:"}, "origin"),
        ({"origin": "https://shop.example:000443"}, "origin"),
        ({"origin": "https://shop.example:70000"}, "origin"),
        ({"origin": "https://user@shop.example"}, "origin"),
        ({"origin": "https://münchen.example"}, "origin"),
        ({"origin": "https://[::1"}, "origin"),
        ({"origin": "ftp://shop.example"}, "origin"),
        ({"origin": "javascript:alert(1)"}, "origin"),
        ({"origin": ""}, "origin"),
        ({"fee": "1,5%"}, "fee"),
        ({"fee": "101%"}, "fee"),
        ({"fee": "-1%"}, "fee"),
        ({"refund_fee": "1,5%"}, "fee"),
        ({"dispute_fee": "101%"}, "fee"),
        ({"settlement_delay_days": -1}, "0 to 30 days"),
        ({"settlement_delay_days": 31}, "0 to 30 days"),
        ({"psp_url": "ftp://psp.example"}, "URL"),
        ({"psp_url": "http://"}, "URL"),
        ({"psp_url": "http://["}, "URL"),
        ({"psp_url": "http://psp.example:99999"}, "URL"),
        ({"psp_url": "http://psp.example/?key=1"}, "URL"),
        ({"psp_url": "http://psp.example/#"}, "URL"),
        ({"psp_url": "http://user:password@psp.example"}, "no user or password"),
        ({"psp_url": "http://@psp.example"}, "no user or password"),
        ({"psp_url": "http://psp example"}, "no spaces"),
        ({"psp_url": " http://psp.example"}, "no spaces"),
        ({"psp_url": "http://psp.example\n"}, "no spaces"),
        ({"psp_url": "http://psp.example\\@other.example"}, "URL"),
        ({"psp_url": "http://psp.ⓔxample"}, "ASCII"),
    ],
)
def test_merchants_that_can_not_be(cast: Cast, changed: dict[str, Any], said: str) -> None:
    """Over the socket: it is what the command prints (and the next test sees that it does)."""
    asked = {"name": "Tea", "origins": [SHOP], "psp_url": cast.stage.psp, "psp_key": None, "fee": "0"}
    given = {("origins" if key == "origin" else key): ([to] if key == "origin" else to) for key, to in changed.items()}
    answer = cast.ask("merchants create", **(asked | given))
    assert answer["error"]["code"] == "parameter_invalid", answer
    assert said in answer["error"]["message"]
    assert "password@" not in answer["error"]["message"]


def test_a_name_that_is_a_card_number(cast: Cast) -> None:
    """It would be shown to every shopper, and kept."""
    asked = {"name": "4242 4242 4242 4242", "origins": [SHOP], "psp_url": cast.stage.psp, "psp_key": None, "fee": "0"}
    error = cast.ask("merchants create", **asked)["error"]
    assert (error["code"], error["param"]) == ("card_number_in_text", "name")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example:443", "https://shop.example"),
        ("https://Shop.Example:08443", "https://shop.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(cast: Cast, given: str, kept: str) -> None:
    """It stands in the page's policy, and is what a card payload names."""
    tea = cast.merchant(origin=given)
    intent = tea.open()
    page = httpx.get(f"{cast.stage.paydesk}/checkout/{intent['id']}")
    assert page.status_code == 200
    assert f"frame-ancestors {kept};" in page.headers["content-security-policy"]
    shopper = tea.shopper(intent)
    shopper.origin = kept
    assert shopper.pay().status_code == 200


def test_what_is_wrong_is_one_sentence_with_a_serve_and_without(stage: Stage, tmp_path: Path) -> None:
    for data in (stage.data, tmp_path / "shop"):
        assert "https://[/red]" in sentence(*create("Tea", origin="https://[/red]"), data=data)
    assert "mer_none" in sentence("webhooks", "add", "mer_none", "https://shop.example", data=stage.data)


@pytest.mark.parametrize(
    "command",
    [
        ["webhooks", "add", "mer_none", "https://shop.example"],
        ["outcomes"],
        ["sign", "explain", "GET", "/v1/ping", *SIGNED],
        ["dead", "list"],
        ["ledger", "verify"],
    ],
)
def test_a_folder_with_nothing_in_it_stays_so(command: list[str], tmp_path: Path) -> None:
    """A mistyped --data is said, and no empty database is made of it."""
    said = sentence(*command, data=tmp_path / "mistyped")
    assert str(tmp_path / "mistyped" / "paydesk.db") in said
    assert "--data" in said
    assert list(tmp_path.iterdir()) == []


def test_endpoints_that_can_not_be(cast: Cast) -> None:
    merchant = cast.merchant().facts["merchant_id"]
    for url, events, said in (
        ("https://shop.example", "payment.paid", "event type"),
        ("https://shop.example", "", "event type"),
        ("ftp://shop.example", "*", "URL"),
        ("https://[", "*", "URL"),
    ):
        answer = cast.ask("webhooks add", merchant=merchant, url=url, events=events.split(","))
        assert said in answer["error"]["message"], answer


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert str(file) in sentence(*create("Tea House"), data=file / "data")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "paydesk.db").write_bytes(b"not a database" * 100)
    (tmp_path / "data.key").write_bytes(b"")
    sentence(*create("Tea House"), data=folder)


def test_config_shows_every_setting_with_its_source() -> None:
    rows = {row["setting"]: row for row in shown("config", PAYDESK_PORT="9000", PAYDESK_RATE_LIMITS="off")}
    assert (rows["PAYDESK_PORT"]["value"], rows["PAYDESK_PORT"]["from"]) == ("9000", "environment")
    assert rows["PAYDESK_RATE_LIMITS"]["value"] == "off"
    assert (rows["PAYDESK_ATTEMPTS_MAX"]["value"], rows["PAYDESK_ATTEMPTS_MAX"]["from"]) == ("10", "default")
    assert all(row["what it is"].endswith(".") for row in rows.values())
    assert "PAYDESK_PORT\t9000\tenvironment\t8080" in paydesk("config", PAYDESK_PORT="9000").stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("RATE_LIMITS", "maybe"),
        ("EGRESS_ALLOW", "127.0.0.1/8"),
        ("EGRESS_ALLOW", "everything"),
        ("LOG_LEVEL", "loud"),
        ("PUBLIC_URL", "pay.example"),
    ],
)
def test_settings_that_can_not_be(name: str, value: str) -> None:
    assert f"PAYDESK_{name}" in sentence("config", **{f"PAYDESK_{name}": value})


def test_a_narrow_terminal_breaks_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = StringIO()
    monkeypatch.setattr(output, "console", Console(file=printed, force_terminal=True, width=80, no_color=True))
    rows: list[dict[str, object]] = [{"setting": "PAYDESK_" + "X" * 32, "what it is": "A long sentence. " * 9}]
    output.show_rows(rows, ["setting", "what it is"], as_json=False, whole="setting")
    assert "PAYDESK_" + "X" * 32 in printed.getvalue()


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["ledger", "verify"],
        ["audit", "list"],
        ["audit", "verify"],
        ["backup"],
        ["restore"],
        ["unknown-charges"],
        ["serve"],
        ["merchants", "create"],
        ["webhooks", "add"],
        ["sign", "explain"],
        ["config"],
        ["demo"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = paydesk(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: paydesk" in done.stdout
    if command and command != ["demo"]:
        assert "--json" in done.stdout
