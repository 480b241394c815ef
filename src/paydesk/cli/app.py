"""Every command, with its options and its help."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from paydesk.cli import audit, dead, keeping, ledger, notices, output
from paydesk.cli.asking import AsJson, Data, ask, read_config, sentences
from paydesk.config import explain

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
merchants = typer.Typer(no_args_is_help=True, help="Merchants and their accounts.")
webhooks = typer.Typer(no_args_is_help=True, help="Webhook endpoints.")
sign = typer.Typer(no_args_is_help=True, help="Signatures of requests (PD1).")
app.add_typer(merchants, name="merchants")
app.add_typer(webhooks, name="webhooks")
app.add_typer(sign, name="sign")
app.add_typer(audit.app, name="audit")
app.add_typer(dead.app, name="dead")
app.add_typer(ledger.app, name="ledger")
keeping.add_to(app)

SHOWN_ONCE = (
    "The secrets are shown this once. Keep `secret` on the merchant's server; tell the PSP `notice_url` and "
    "`notice_secret`."
)


@app.callback()
def about() -> None:
    """Paydesk: a self-hosted hosted checkout."""


@app.command()
def serve(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one.", show_default="8080")] = None,
    host: Annotated[str | None, typer.Option(show_default="127.0.0.1")] = None,
    admin_port: Annotated[
        str | None, typer.Option(help="Of /metrics; 0 takes a free one, off is none.", show_default="the one above")
    ] = None,
    without_asking: Annotated[
        bool, typer.Option("--without-asking", help="Open a restored database though not every PSP said what happened.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the API, the frame, webhooks and duties in one process. SIGTERM finishes what is under way."""
    from paydesk.assembly.serving import serve as serve_until_stopped  # noqa: PLC0415 (other commands start faster)
    from paydesk.telemetry import Log  # noqa: PLC0415

    config = read_config(data=data, port=port, host=host, admin_port=admin_port)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)

    def ready(origin: str, admin: str | None) -> None:
        output.show({"serving": origin, "admin": admin or "off", "data": str(config.data)}, as_json=as_json)
        sys.stdout.flush()

    with sentences():
        serving = serve_until_stopped(config, os.environ, Log(config.log_level), ready, ask_first=not without_asking)
        status = uvloop.run(serving)
    raise SystemExit(status)


@merchants.command("create")
def merchants_create(
    name: Annotated[str, typer.Argument(help="Shown to shoppers.")],
    origin: Annotated[list[str], typer.Option(help="A shop's origin that may embed the frame; may be repeated.")],
    psp_url: Annotated[str, typer.Option(help="Where the merchant's PSP is.")],
    psp_key: Annotated[
        str | None, typer.Option(help="What the PSP knows the merchant by; made up if left out.")
    ] = None,
    fee: Annotated[str, typer.Option(help='What the platform keeps of each payment, as in "1.5%+25".')] = "0",
    refund_fee: Annotated[str, typer.Option(help="The same of each refund, beside its amount.")] = "0",
    dispute_fee: Annotated[str, typer.Option(help="The same of each dispute.")] = "0",
    settlement_delay: Annotated[int, typer.Option(help="Days until what was captured is available: 0 to 30.")] = 2,
    late_payments: Annotated[
        str, typer.Option(help="What becomes of money that arrives when its payment is over: refund, hold or keep.")
    ] = "refund",
    notice_secret: notices.NoticeSecret = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Create a merchant with a test account and a key. Its secrets are shown this once."""
    facts = ask(
        data,
        "merchants create",
        name=name,
        origins=origin,
        psp_url=psp_url,
        psp_key=psp_key,
        fee=fee,
        refund_fee=refund_fee,
        dispute_fee=dispute_fee,
        settlement_delay_days=settlement_delay,
        late_payments=late_payments,
        notice_secret=notice_secret,
    )
    output.show(facts, as_json=as_json, note=SHOWN_ONCE)


merchants.command("notices")(notices.merchants_notices)
app.command("notices")(notices.notices)


@webhooks.command("add")
def webhooks_add(
    merchant: Annotated[str, typer.Argument(help="A merchant's or an account's id.")],
    url: Annotated[str, typer.Argument(help="Where events are posted to.")],
    events: Annotated[str, typer.Option(help="Event types, comma separated; * for all.")] = "*",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook endpoint. It may be in private space where PAYDESK_EGRESS_ALLOW says so."""
    wanted = [event.strip() for event in events.split(",")]
    facts = ask(data, "webhooks add", merchant=merchant, url=url, events=wanted)
    output.show(facts, as_json=as_json, note="The secret verifies what is sent there. Give it to the receiver alone.")


@app.command()
def outcomes(data: Data = None, as_json: AsJson = False) -> None:
    """List the payments whose outcome is unknown, the oldest first: the PSP was asked, and nobody knows what it did."""
    found = ask(data, "outcomes")
    rows: list[dict[str, Any]] = found["outcomes"]
    for row in rows if not as_json else ():
        row["amount"] = f"{row['amount_decimal']} {row['currency']}"
        row["next_check"] = row["next_check"] or "never: see `paydesk dead list`"
    columns = ["since", "account", "intent", "operation", "about", "amount", "psp", "tries", "next_check"]
    output.show_rows(rows, columns, as_json=as_json, note="There are more." if found["more"] else "")


@sign.command("explain")
def sign_explain(
    method: Annotated[str, typer.Argument(help="GET, POST or DELETE.")],
    path: Annotated[str, typer.Argument(help="Path and query exactly as sent, such as /v1/payment_intents?limit=3.")],
    key_id: Annotated[str, typer.Option(help="The key's id (key_test_…), never the secret.")],
    timestamp: Annotated[str, typer.Option(help="X-Request-Timestamp as sent.")],
    nonce: Annotated[str, typer.Option(help="X-Request-Nonce as sent.")],
    idempotency_key: Annotated[str, typer.Option(help="Idempotency-Key as sent.")] = "",
    body: Annotated[Path | None, typer.Option(help="A file with the body's bytes; - for standard input.")] = None,
    signature: Annotated[
        str, typer.Option(help="X-Signature as sent; checked with PAYDESK_SECRET, if that is set, or with --data.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="A data folder: --signature is checked with the secret of its key.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the string that the server signs for a request, the digest of each part and the clock's offset."""
    from paydesk.cli.explain import explained  # noqa: PLC0415

    with sentences():
        facts = explained(
            method=method,
            target=path,
            key_id=key_id,
            timestamp=timestamp,
            nonce=nonce,
            idempotency_key=idempotency_key,
            body=_bytes_of(body),
            signature_sent=signature,
            secret=os.environ.get("PAYDESK_SECRET", ""),
        )
    if data:
        facts |= ask(data, "sign check", key_id=key_id, canonical=facts["canonical"], signature=signature)
    output.show(facts, as_json=as_json)


@app.command()
def config(data: Data = None, as_json: AsJson = False) -> None:
    """Every setting: its value, where that comes from, its default and a sentence."""
    with sentences():
        settings = explain(os.environ, {"data": data})
    rows: list[dict[str, object]] = [
        {
            "setting": setting.variable,
            "value": setting.value,
            "from": setting.source,
            "default": setting.default,
            "what it is": setting.sentence,
        }
        for setting in settings
    ]
    output.show_rows(rows, ["setting", "value", "from", "default", "what it is"], as_json=as_json, whole="setting")


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after one payment; 0 only if all books agree.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="The data folder.", show_default="a new one in var/demo")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a PSP, Paydesk and a shop; make one whole payment; then stay up for you to try."""
    from paydesk.cli.demo import run_demo  # noqa: PLC0415

    with sentences():
        raise SystemExit(run_demo(once=once, data=data, as_json=as_json))


def run() -> None:
    """The command line."""
    app(prog_name="paydesk")


def _bytes_of(body: Path | None) -> bytes:
    if body is None:
        return b""
    return sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes()
