"""The admin listener: figures and health beside the public one, and nothing else."""

import re
import socket
from pathlib import Path

import httpx
import pytest

from paydesk.assembly.opened import real_world
from paydesk.config import Config
from paydesk.telemetry import Log
from tests.house.tree import ROOT
from tests.journeys import psp
from tests.journeys.cast import Cast, refused
from tests.journeys.test_commands import sentence
from tests.stage.processes import running
from tests.stage.shopper import VISA
from tests.stage.stage import Stage

Figures = dict[str, float]


def figures(text: str) -> Figures:
    """What stands in Prometheus' text format: name with labels → value."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def scraped(stage: Stage) -> Figures:
    answer = httpx.get(f"{stage.admin}/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return figures(answer.text)


def test_a_payment_shows_in_the_figures(cast: Cast, stage: Stage) -> None:
    before = scraped(stage)
    tea = cast.merchant(receiver=True)
    intent = tea.open()
    assert tea.shopper(intent).pay(VISA).status_code == 200
    tea.receiver.wait_for("payment_intent.succeeded", intent["id"])
    after = scraped(stage)
    while after["paydesk_commands_waiting"]:  # The delivery's record waits 20 ms for company.
        after = scraped(stage)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown('paydesk_requests_total{route="/v1/payment_intents",status="200"}') == 1
    assert grown('paydesk_psp_verdicts_total{psp="sandbox",verdict="Captured"}') == 1
    assert grown('paydesk_deliveries_total{result="succeeded"}') >= 1
    assert grown("paydesk_batches_total") >= grown("paydesk_commit_seconds_count") >= 3
    assert 0 < grown("paydesk_commit_seconds_sum") < 60
    assert after["paydesk_database_bytes"] > 100_000
    assert after["paydesk_wal_bytes"] > 0
    assert after["process_resident_memory_bytes"] > 20_000_000
    assert after['paydesk_duties{kind="ask_psp",state="running"}'] == 0
    for kind in ("ask_psp", "dispatch", "deliver"):
        assert after[f'paydesk_duties{{kind="{kind}",state="due"}}'] == 0
        assert f'paydesk_dead_duties{{kind="{kind}"}}' in after


def test_what_is_under_way_shows(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    shopper = tea.shopper(tea.open())
    psp.order(stage, "lost_after", delay_ms=10)
    assert shopper.pay(VISA).status_code in (200, 202)
    psp.settled(shopper)
    with httpx.stream(
        "GET", f"{stage.paydesk}/v1/payment_intents/{tea.open()['id']}/stream", headers=shopper.http.headers
    ) as answer:
        assert answer.status_code == 401
    other = tea.shopper(tea.open())
    held = scraped(stage)["paydesk_streams_held"]
    path = f"/v1/payment_intents/{other.intent_id}/stream"
    with other.http.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert scraped(stage)["paydesk_streams_held"] == held + 1


def test_it_answers_health_and_nothing_else(stage: Stage) -> None:
    with httpx.Client(base_url=stage.admin) as client:
        for path in ("/livez", "/readyz"):
            assert client.get(path).json() == {"status": "ok"}
        for path in ("/", "/docs", "/openapi.json", "/checkout.js", "/checkout/keys", "/v1/ping", "/metrics/"):
            refused(client.get(path), 404, "route_missing")
        refused(client.post("/metrics"), 405, "method_not_allowed")
        refused(client.get("/metrics?x=1"), 400, "parameter_unknown")


def test_the_public_listener_shows_no_figures(stage: Stage) -> None:
    refused(httpx.get(f"{stage.paydesk}/metrics"), 404, "route_missing")
    assert "/metrics" not in httpx.get(f"{stage.paydesk}/openapi.json").json()["paths"]


def test_the_readme_explains_every_figure_and_no_other(stage: Stage) -> None:
    text = httpx.get(f"{stage.admin}/metrics").text
    shown = set(re.findall(r"^# TYPE (paydesk_\w+)", text, re.MULTILINE))
    shown = {name for name in shown if not name.endswith("_created")}
    told = set(re.findall(r"`(paydesk_\w+)", (ROOT / "README.md").read_text())) - {
        "paydesk_client",
        "paydesk_simulator",
    }
    assert shown == told


def test_a_webhook_never_reaches_it(tmp_path: Path) -> None:
    """Also where the operator opened the network that it is in."""
    config = Config(data=tmp_path, port=8080, admin_host="127.0.0.2", admin_port="9999")
    assert real_world(config, Log())._http._own() == [("127.0.0.1", 8080), ("127.0.0.2", 9999)]
    off = Config(data=tmp_path, port=8080, admin_port="off")
    assert real_world(off, Log())._http._own() == [("127.0.0.1", 8080)]


def test_figures_hold_no_secret_and_no_id(cast: Cast, stage: Stage) -> None:
    tea = cast.merchant()
    tea.open()
    text = httpx.get(f"{stage.admin}/metrics").text
    assert not re.search(r"pi_|at_|acct_|sk_test|whsec|4242", text)
    assert tea.account[5:] not in text


def test_a_port_in_use_is_said_and_which_one(tmp_path: Path, stage: Stage) -> None:
    port = stage.admin.rsplit(":", 1)[1]
    said = sentence("serve", "--port", "0", "--admin-port", port, data=tmp_path / "other")
    assert f":{port}" in said
    assert "--admin-port" in said


def test_by_default_it_is_on_the_port_above(tmp_path: Path) -> None:
    """Two ports side by side that are free now: should somebody take one meanwhile, that is said."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    command = ["paydesk", "serve", "--port", str(port), "--data", str(tmp_path / "data")]
    try:
        with running(command, log=tmp_path / "serve", ready="admin") as (_, line):
            assert line.split() == ["admin", f"http://127.0.0.1:{port + 1}"]
    except AssertionError as why:
        if "Address already in use" not in str(why):
            raise


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    command = ["paydesk", "serve", "--port", "0", "--admin-port", "off", "--data", str(tmp_path / "data")]
    with running(command, log=tmp_path / "serve", ready="admin") as (_, line):
        assert line.split() == ["admin", "off"]


@pytest.mark.parametrize("port", ["65536", "-1", "eighty", "９０９０", "0" * 5000])
def test_ports_that_are_none(port: str) -> None:
    assert "PAYDESK_ADMIN_PORT" in sentence("config", PAYDESK_ADMIN_PORT=port)


def test_above_the_last_port_is_none() -> None:
    assert "PAYDESK_ADMIN_PORT" in sentence("config", PAYDESK_PORT="65535")
