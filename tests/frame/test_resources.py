"""Where the folders beside the code are found: in a checkout, in a wheel, and in a broken installation."""

from pathlib import Path

import pytest

from paydesk import resources


def test_a_checkout_has_them_at_its_root() -> None:
    root = Path(__file__).resolve().parents[2]
    assert resources.folder("static") == root / "static"
    assert resources.folder("templates") == root / "templates"
    assert resources.folder("webhooks") == root / "webhooks"


def test_a_wheel_has_them_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site" / "paydesk"
    (package / "static").mkdir(parents=True)
    (tmp_path / "static").mkdir()  # A stranger's folder two levels up must not win.
    assert resources.folder("static", package=package) == package / "static"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    package = tmp_path / "src" / "paydesk"
    package.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"'templates'.*incomplete"):
        resources.folder("templates", package=package)
