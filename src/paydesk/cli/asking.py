"""How a command asks a running `serve`, or the data folder itself, and what it says when something is wrong."""

import asyncio
import os
from collections.abc import Callable, Generator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from paydesk.cli import output
from paydesk.config import Config, read
from paydesk.errors import Refusal, Sentence

Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", show_default="var/paydesk")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_config(**given: Any) -> Config:
    """The settings; what is wrong with them is a sentence."""
    with sentences():
        return read(os.environ, given)


def ask(data: Path | None, what: str, **arguments: Any) -> dict[str, Any]:
    """The operator's request, through a running `serve` or with the data folder itself."""
    from paydesk.assembly.operator import Request  # noqa: PLC0415 (other commands start faster)
    from paydesk.assembly.serving import with_house  # noqa: PLC0415
    from paydesk.telemetry import Log  # noqa: PLC0415

    config = read_config(data=data)
    with sentences():
        answer = asyncio.run(with_house(config, os.environ, Log("error"), Request(what, arguments)))
    if error := answer.get("error"):
        output.fail(error["message"])
    return answer["done"]


def follow(data: Path | None, what: str, tell: Callable[[dict[str, Any]], None], **arguments: Any) -> dict[str, Any]:
    """The same of what has more to say than one line: `tell` hears every line before the last."""
    from paydesk.assembly.operator import Request  # noqa: PLC0415
    from paydesk.assembly.serving import told  # noqa: PLC0415
    from paydesk.telemetry import Log  # noqa: PLC0415

    config = read_config(data=data)

    async def following() -> dict[str, Any]:
        lines = told(config, os.environ, Log("error"), Request(what, arguments), new_data=False)
        async with aclosing(lines):
            async for line in lines:
                if "done" in line or "error" in line:
                    return line
                tell(line)
        raise AssertionError(f"{what} ended without a last line")

    with sentences():
        last = asyncio.run(following())
    if error := last.get("error"):
        output.fail(error["message"])
    return last["done"]


@contextmanager
def sentences() -> Generator[None]:
    """What goes wrong in a known way is one sentence and exit status 1, not a traceback."""
    try:
        yield
    except Refusal as why:
        output.fail(why.message)
    except Sentence as why:
        output.fail(str(why))
    except OSError as why:
        output.fail(f"{why.filename}: {why.strerror}." if why.filename else str(why))
