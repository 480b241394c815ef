"""`paydesk.errors.CODES` is the whole list: what is raised stands in it, and what stands in it is raised."""

import ast

from paydesk.errors import CODES
from tests.house.tree import SRC, named, python_sources

NOT_YET: dict[str, str] = {
    "insufficient_scope": "Every key may do everything, until keys with a scope can be made.",
}
"""Codes that nothing uses yet, each with the reason why it stands in the table already."""

TABLE = SRC / "paydesk" / "errors.py"
SERVER = [path for path in python_sources() if path.is_relative_to(SRC / "paydesk") and path != TABLE]


def texts(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def refused_codes(source: str) -> set[str]:
    """Every text in the first argument of a `Refusal(…)`: `"a" if x else "b"` gives both."""
    codes: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != "Refusal":
            continue
        first = node.args[:1] or [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        codes |= {code for argument in first for code in texts(argument)}
    return codes


def test_what_is_raised_stands_in_the_table() -> None:
    unknown = {named(path): codes - CODES.keys() for path in SERVER if (codes := refused_codes(path.read_text()))}
    assert not {name: codes for name, codes in unknown.items() if codes}


def test_what_stands_in_the_table_is_used() -> None:
    used = {text for path in SERVER for text in texts(ast.parse(path.read_text()))}
    assert sorted(CODES.keys() - used) == sorted(NOT_YET)


def test_refusals_are_found_however_they_are_written() -> None:
    source = """
raise Refusal("a", "b", param="c")
raise errors.Refusal("d" if x else "e") from None
f(Refusal(code="g", message="h"))
"""
    assert refused_codes(source) == {"a", "d", "e", "g"}
