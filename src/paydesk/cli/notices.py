"""`paydesk notices` and `paydesk merchants notices`: what PSPs say of their own accord."""

from typing import Annotated

import typer

from paydesk.cli import output
from paydesk.cli.asking import AsJson, Data, ask

COLUMNS = ["received", "account", "id", "about", "reference", "status", "reason", "tries", "next_try"]

NoticeSecret = Annotated[
    str | None, typer.Option(help="What the merchant's PSP signs its notices with; made up if left out.")
]


def notices(
    status: Annotated[str | None, typer.Option(help="new, applied, parked or ignored; all if left out.")] = None,
    account: Annotated[str | None, typer.Option(help="A merchant's or an account's id.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List what PSPs said of their own accord, the newest first. A parked one is about something not known here."""
    rows = ask(data, "notices", status=status, account=account)["notices"]
    output.show_rows(rows, COLUMNS, as_json=as_json)


def merchants_notices(
    merchant: Annotated[str, typer.Argument(help="A merchant's or an account's id.")],
    notice_secret: NoticeSecret = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a new secret for the notices of a merchant's PSP; the one before holds no longer."""
    facts = ask(data, "merchants notices", merchant=merchant, secret=notice_secret)
    output.show(facts, as_json=as_json, note="Tell the PSP both, so that its notices are taken.")
