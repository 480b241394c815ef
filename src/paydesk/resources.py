"""The folders that are not Python: what shoppers see, what browsers load, what merchants may rely on.

`templates`, `static` and `webhooks` stand beside the package in a wheel (pyproject's `force-include` puts them there)
and at the root of the repository in a checkout.
"""

from pathlib import Path
from typing import Literal

Name = Literal["templates", "static", "webhooks"]

PACKAGE = Path(__file__).resolve().parent


def folder(name: Name, *, package: Path = PACKAGE) -> Path:
    """Where the folder `name` is. FileNotFoundError if this copy of Paydesk came without it."""
    places = (package / name, package.parents[1] / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"No folder {name!r} beside the package or at the root of a checkout: the installation is incomplete."
    )
