"""Files and functions that can be read without scrolling far, and rooms with a door-plate."""

import ast
from pathlib import Path

from tests.house.tree import SRC, named, python_sources

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


def long_functions(source: str) -> list[tuple[str, int]]:
    """Name and length of each function that is too long, from `def` to its last line."""
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = ((node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions)
    return [(name, lines) for name, lines in lengths if lines > FUNCTION_LINES_MAX]


def test_files_are_short() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in python_sources()}
    assert lengths
    assert not {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX}


def test_functions_are_short() -> None:
    assert not {named(path): long for path in python_sources() if (long := long_functions(path.read_text()))}


def test_a_long_function_is_seen() -> None:
    source = "class A:\n    async def long(self):\n" + "        pass\n" * FUNCTION_LINES_MAX
    assert long_functions(source) == [("long", FUNCTION_LINES_MAX + 1)]
    assert long_functions("def short():\n" + "    pass\n" * (FUNCTION_LINES_MAX - 1)) == []


def test_every_room_has_its_door_plate() -> None:
    rooms = {path.parent for path in python_sources()} - {SRC}
    assert rooms
    assert not [named(room) for room in sorted(rooms) if not door_plate(room / "__init__.py")]


def door_plate(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text())) if path.exists() else None
