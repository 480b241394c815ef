"""`paydesk dead`: duties that were parked with their reason, until a person retries or drops them."""

from typing import Annotated, Any

import typer

from paydesk.cli import output
from paydesk.cli.asking import AsJson, Data, ask

app = typer.Typer(no_args_is_help=True, help="Duties that failed too often and were parked; webhooks given up.")

DutyId = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `dead list` shows it.")]
COLUMNS = ["id", "account", "died", "tries", "failures", "reason"]


@app.command("list")
def dead_list(
    kind: Annotated[str | None, typer.Option(help="Of this kind alone: ask_psp, dispatch, deliver …")] = None,
    account: Annotated[str | None, typer.Option(help="Of this account, or this merchant's, alone.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List dead duties, the longest dead first."""
    found = ask(data, "dead list", kind=kind, account=account, limit=limit)
    rows: list[dict[str, Any]] = found["dead"]
    output.show_rows(
        rows, COLUMNS, as_json=as_json, note="There are more: --limit shows them." if found["more"] else ""
    )


@app.command("show")
def dead_show(duty_id: DutyId, data: Data = None, as_json: AsJson = False) -> None:
    """Show everything that is known of one; of one that was dropped, who did it, when and why."""
    output.show(ask(data, "dead show", duty_id=duty_id), as_json=as_json)


@app.command("retry")
def dead_retry(
    duty_id: Annotated[str | None, typer.Argument(metavar="ID", help="One dead duty.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All of a --kind that are dead by now.")] = False,
    kind: Annotated[str | None, typer.Option(help="Which kind, with --all.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Do it again: at once where a `serve` runs, else when it starts. A webhook is sent on its whole schedule."""
    if everyone != (kind is not None) or everyone == (duty_id is not None):
        output.fail("Name one dead duty, or all of a kind with --all --kind KIND.")
    output.show(ask(data, "dead retry", duty_id=duty_id, kind=kind), as_json=as_json)


@app.command("drop")
def dead_drop(
    duty_id: DutyId,
    reason: Annotated[str, typer.Option(help="Why it need not be done.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take it away: it will never be done. A payment whose outcome is unknown can't be dropped.

    The log of who did what keeps the reason.
    """
    output.show(ask(data, "dead drop", duty_id=duty_id, reason=reason), as_json=as_json)
