"""Static files: named by content, modules that import by hashed names, and what a start refuses."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from paydesk import resources
from paydesk.web.assets import Assets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "entry.js").write_text('import { part } from "./part.js";\nimport "./deep.js";\npart();\n')
    (tmp_path / "part.js").write_text('import {\n  deep,\n} from "./deep.js";\nexport const part = deep;\n')
    (tmp_path / "deep.js").write_text("export const deep = () => 1;\n")
    (tmp_path / "look.css").write_text("p { color: red }\n")
    (tmp_path / "checkout.js").write_text("(() => {})();\n")
    return tmp_path


def body(assets: Assets, name: str) -> str:
    asset = assets.find(assets.url(name))
    assert asset is not None
    return asset.body.decode()


def test_an_address_holds_the_hash_of_what_is_served(folder: Path) -> None:
    assets = Assets(folder)
    asset = assets.find(assets.url("look.css"))
    assert asset is not None
    digest = hashlib.sha256(asset.body).hexdigest()[:16]
    assert assets.url("look.css") == f"/static/look.{digest}.css"
    assert asset.etag == f'"{digest}"'
    assert asset.immutable


def test_imports_are_by_hashed_names(folder: Path) -> None:
    assets = Assets(folder)
    assert body(assets, "entry.js") == (
        f'import {{ part }} from "{assets.url("part.js")}";\nimport "{assets.url("deep.js")}";\npart();\n'
    )
    assert f'}} from "{assets.url("deep.js")}";' in body(assets, "part.js")
    assert assets.modules("entry.js") == ("part.js", "deep.js")


def test_a_change_deep_down_changes_every_address_above(folder: Path) -> None:
    before = Assets(folder)
    (folder / "deep.js").write_text("export const deep = () => 2;\n")
    after = Assets(folder)
    for name in ("deep.js", "part.js", "entry.js"):
        assert before.url(name) != after.url(name)
        assert after.find(before.url(name)) is None
    assert before.url("look.css") == after.url("look.css")


def test_integrity_is_of_the_bytes_served(folder: Path) -> None:
    assets = Assets(folder)
    digest = hashlib.sha384(body(assets, "part.js").encode()).digest()
    assert assets.integrity("part.js") == "sha384-" + base64.b64encode(digest).decode()


def test_the_loader_has_a_lasting_and_a_pinned_address(folder: Path) -> None:
    assets = Assets(folder)
    newest, pinned = assets.find("/checkout.js"), assets.find(assets.url("checkout.js"))
    assert newest is not None
    assert pinned is not None
    assert re.fullmatch(r"/checkout\.[0-9a-f]{16}\.js", assets.url("checkout.js"))
    assert newest.body == pinned.body
    assert dict(newest.headers())[b"cache-control"] == b"public, max-age=300"
    assert dict(pinned.headers())[b"cache-control"] == b"public, max-age=31536000, immutable"


def test_headers_let_other_origins_load_them(folder: Path) -> None:
    asset = Assets(folder).find("/checkout.js")
    assert asset is not None
    assert asset.headers() == [
        (b"content-type", b"text/javascript; charset=utf-8"),
        (b"cache-control", b"public, max-age=300"),
        (b"etag", asset.etag.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"access-control-allow-origin", b"*"),
    ]


@pytest.mark.parametrize(
    "path",
    ["/static/look.css", "/static/../x.toml", "/static/", "/static/look.0000000000000000.css", "/part.js"],
)
def test_other_paths_are_not_there(folder: Path, path: str) -> None:
    assert Assets(folder).find(path) is None


def test_a_circle_of_imports_is_refused(folder: Path) -> None:
    (folder / "deep.js").write_text('import { part } from "./part.js";\nexport const deep = part;\n')
    with pytest.raises(ValueError, match="imports itself"):
        Assets(folder)


def test_a_missing_import_is_refused(folder: Path) -> None:
    (folder / "deep.js").write_text('export * from "./gone.js";\n')
    with pytest.raises(ValueError, match=r"static/gone\.js is imported, but not there"):
        Assets(folder)


def test_an_unknown_type_is_refused(folder: Path) -> None:
    (folder / "notes.txt").write_text("?")
    with pytest.raises(ValueError, match=r"static/notes\.txt"):
        Assets(folder)


def test_every_import_of_ours_is_served() -> None:
    assets = Assets(resources.folder("static"))
    for name in ("frame.js", *assets.modules("frame.js")):
        imported = re.findall(r'from "([^"]+)"', body(assets, name))
        assert all(assets.find(url) for url in imported), name
