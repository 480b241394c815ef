"""JSON Schemas of requests and answers, made from the structs, with the sentence that stands under each field."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import fields

Schema = dict[str, Any]

PLACE = "#/components/schemas/{name}"


def components(*, requests: Iterable[Any], answers: Iterable[Any]) -> dict[str, Schema]:
    """The schema of every struct that these types stand on, by its name.

    A field with a default may be left out of a request, but is always sent in an answer, unless its default is UNSET.
    """
    asked, told = _structs(requests), _structs(answers)
    _, found = msgspec.json.schema_components([*asked, *told], ref_template=PLACE)
    for struct in (*asked, *told):
        schema = found[struct.__name__]
        _add_sentences(struct, schema)
        if struct in told:
            _require_what_is_sent(struct, schema)
    return {name: _plain(schema) for name, schema in sorted(found.items())}


def reference(kind: Any) -> Schema:
    """What refers to the schema of a struct, or to any of those in a union."""
    places = [{"$ref": PLACE.format(name=struct.__name__)} for struct in get_args(kind) or (kind,)]
    return places[0] if len(places) == 1 else {"anyOf": places}


def _structs(kinds: Iterable[Any]) -> dict[type[Struct], None]:
    """The structs in these types and in the types of their fields, in a fixed order, each once."""
    return dict.fromkeys(struct for kind in kinds for struct in _inside(kind))


def _inside(kind: Any) -> Iterator[type[Struct]]:
    if isinstance(kind, type) and issubclass(get_origin(kind) or kind, Struct):
        yield kind
        for field in fields(kind):
            yield from _inside(field.type)
    for part in get_args(kind):
        yield from _inside(part)


def _add_sentences(struct: type[Struct], schema: Schema) -> None:
    said = _sentences(struct)
    for field in fields(struct):
        if field.name in said:
            schema["properties"][field.encode_name]["description"] = said[field.name]


def _sentences(struct: type[Struct]) -> dict[str, str]:
    """The sentence under each field of the source, those of the classes above included."""
    said: dict[str, str] = {}
    for above in reversed(struct.__mro__):
        if issubclass(above, Struct) and above is not Struct:
            body = ast.parse(inspect.getsource(above)).body[0]
            assert isinstance(body, ast.ClassDef)
            said |= dict(_under_fields(body))
    return said


def _under_fields(source: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(source.body, source.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                yield name, " ".join(sentence.split())


def _require_what_is_sent(struct: type[Struct], schema: Schema) -> None:
    schema["required"] = [field.encode_name for field in fields(struct) if field.default is not UNSET]
    for shown in schema["properties"].values():
        shown.pop("default", None)


def _plain(schema: Any) -> Any:
    """Without titles that repeat a name, and without the `{}` that msgspec writes for Raw: beside it stands what the
    bytes hold.
    """
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(part) for name, part in schema.items() if not (name == "title" and isinstance(part, str))}
    if "anyOf" in plain:
        plain["anyOf"] = [part for part in plain["anyOf"] if part]
        if len(plain["anyOf"]) == 1:
            plain |= plain.pop("anyOf")[0]
    return plain
