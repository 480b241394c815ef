"""`paydesk backup`, `restore` and `unknown-charges`: a copy of the database, and what a copy can't know."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from paydesk.cli import output
from paydesk.cli.asking import AsJson, Data, ask, follow, read_config, sentences

COLUMNS = ["account", "status", "amount", "currency", "psp_reference", "reference", "made", "may_be_of"]
KEY_NOTE = "The master key is not in it: keep that elsewhere. Without it nothing that is sealed can be opened."
NEXT_NOTE = "Now start `paydesk serve`: it asks every PSP what happened since the backup before it takes anything."


def backup(
    file: Annotated[Path, typer.Argument(help="A new file, which only its owner can read.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database, also while a `serve` runs: whole, as it is at one moment, and looked through."""
    with _bar("Copying") as told:
        done = follow(data, "backup", lambda line: told(line["pages"], line["of"]), file=str(file.absolute()))
    output.show(done, as_json=as_json, note=KEY_NOTE)


def restore(
    file: Annotated[Path, typer.Argument(help="What `paydesk backup` wrote.")],
    over: Annotated[
        bool, typer.Option("--replace", help="Take the place of a database that is there; it is kept aside.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, while no `serve` runs. The next start asks what happened since."""
    from msgspec.structs import asdict  # noqa: PLC0415 (other commands start faster)

    from paydesk.assembly.restoring import restore as put_back  # noqa: PLC0415
    from paydesk.world.real import now_ms  # noqa: PLC0415

    config = read_config(data=data)
    with sentences(), _bar("Restoring") as told:
        done = put_back(config, os.environ, file, over=over, now_ms=now_ms(), told=told)
    output.show(asdict(done), as_json=as_json, note=NEXT_NOTE)


def unknown_charges(data: Data = None, as_json: AsJson = False) -> None:
    """List charges, refunds and disputes that PSPs know and Paydesk does not: made after the backup that was restored.

    Of a charge `may_be_of` names its intent, or those that ask for as much and can still be paid: look at them first.
    """
    found: list[dict[str, Any]] = ask(data, "unknown-charges")["charges"]
    output.show_rows(found, COLUMNS, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """They stand beside `serve`, in no group."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("unknown-charges")(unknown_charges)


@contextmanager
def _bar(what: str) -> Generator[Callable[[int, int], None]]:
    """How far it is, in a terminal alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=output.errors, transient=True, disable=not output.errors.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda pages, of: progress.update(task, completed=pages, total=of or None)
