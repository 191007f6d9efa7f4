"""`$ref` resolved: a schema that stands by itself, as the Singer specification asks.

Understood are JSON pointers (`#/definitions/x`, `#/$defs/x`, any other place), anchors, `$id` within the
document, and files beside it. Nothing is fetched over a network, and a schema that came over a wire reads no
file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from singer_kit.codec import DecodeError, decode
from singer_kit.errors import SchemaError
from singer_kit.schema.dialect import draft_of, subschemas
from singer_kit.schema.drafts import map_subschemas
from singer_kit.schema.nullable import ANNOTATIONS, Schema

MOST_NODES = 100_000
"""How many schemas an inlined schema may hold: definitions that refer to each other twice may explode."""

_HOLDERS = frozenset({"$defs", "definitions"})
_NEIGHBOURS = (
    {"properties", "patternProperties", "additionalProperties", "unevaluatedProperties"},
    {"items", "prefixItems", "additionalItems", "contains", "minContains", "maxContains", "unevaluatedItems"},
    {"if", "then", "else"},
)
"""Keywords that read each other: those of a `$ref` and of its siblings must not be mixed."""


def has_refs(schema: Any) -> bool:
    """Whether anything in the schema refers elsewhere."""
    return any(word in each for each in subschemas(schema) for word in ("$ref", "$recursiveRef", "$dynamicRef"))


def resolve_refs(schema: Schema, *, base: Path | None = None, pointer: str = "") -> Schema:
    """The schema with every `$ref` replaced by what it refers to, and without `$defs` and `definitions`.

    `base` is the file that `schema` came from, or its folder; without it, references to files are refused.
    `pointer` selects a part of the document, such as `/components/schemas/User`. Keywords beside a `$ref`
    apply too, unless `$schema` names a draft up to 7, where only annotations do. Raises `SchemaError` for a
    reference that leads nowhere, leaves the machine, or leads back to itself.
    """
    folder = None if base is None else (base if base.is_dir() else base.parent)
    return _Resolver().resolve(_Document(schema, folder, "" if base is None else base.name), pointer)


def read_schema(path: Path) -> Schema:
    """The JSON object in a file. Raises `SchemaError`."""
    try:
        document = decode(path.read_bytes())
    except OSError as error:
        raise SchemaError(
            f"A schema file cannot be read: {error.strerror}.",
            place=f"file: {path}",
            next_step="correct the path.",
        ) from error
    except DecodeError as error:
        raise SchemaError(f"A schema file is not JSON: {error}.", place=f"file: {path}") from error
    if not isinstance(document, dict):
        raise SchemaError("A schema file holds no JSON object.", place=f"file: {path}")
    return document


def find(document: Any, pointer: str) -> Any:
    """What a JSON pointer leads to. Raises `KeyError` when it leads nowhere."""
    if pointer and not pointer.startswith("/"):
        raise KeyError(pointer)
    place = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping):
            place = place[name]
        elif isinstance(place, (list, tuple)) and name.isdecimal() and int(name) < len(place):
            place = place[int(name)]
        else:
            raise KeyError(name)
    return place


class _Document:
    """A schema document: where its files are, and what its `$id`s and anchors name."""

    def __init__(self, schema: Any, folder: Path | None, name: str) -> None:
        self.schema = schema
        self.folder = folder
        self.name = name
        self.siblings_apply = not (
            isinstance(schema, Mapping) and "$schema" in schema and draft_of(dict(schema)) in ("4", "6", "7")
        )
        self._names: dict[str, Any] | None = None

    @property
    def names(self) -> dict[str, Any]:
        """The schemas that have a name of their own: `#anchor`, or an address without its fragment."""
        if self._names is None:
            self._names = {}
            for each in subschemas(self.schema):
                for keyword, prefix in (("$id", ""), ("id", ""), ("$anchor", "#")):
                    if isinstance(each.get(keyword), str):
                        self._names[prefix + each[keyword].removesuffix("#")] = each
        return self._names


class _Resolver:
    """One call of `resolve_refs`: the files read, the references under way, the schemas made so far."""

    def __init__(self) -> None:
        self.files: dict[Path, _Document] = {}
        self.under_way: list[tuple[int, str]] = []
        self.nodes = 0

    def resolve(self, document: _Document, pointer: str) -> Schema:
        try:
            start = find(document.schema, pointer)
        except (KeyError, IndexError):
            raise _dead_end(f"#{pointer}", document) from None
        resolved = self._inline(start, document)
        if not isinstance(resolved, dict):
            raise SchemaError("The schema is no JSON object.", place=f"$ref: #{pointer}")
        return resolved

    def _inline(self, schema: Any, document: _Document) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise SchemaError(
                f"The schema holds more than {MOST_NODES} schemas once its references are inlined.",
                next_step="declare a member whose details do not matter as a plain object.",
            )
        if not isinstance(schema, Mapping):
            return schema
        for word in ("$dynamicRef", "$recursiveRef"):
            if word in schema:
                raise SchemaError(f"The schema uses {word}, which cannot be inlined.", place=f"{word}: {schema[word]}")
        rest = {word: value for word, value in schema.items() if word not in _HOLDERS and word != "$ref"}
        siblings = map_subschemas(rest, lambda below: self._inline(below, document))
        if "$ref" not in schema:
            return siblings
        target = self._follow(schema["$ref"], document)
        if not document.siblings_apply:
            siblings = {word: value for word, value in siblings.items() if word in ANNOTATIONS}
        return _beside(target, siblings)

    def _follow(self, ref: Any, document: _Document) -> Any:
        if not isinstance(ref, str):
            raise SchemaError(f"A $ref is a {type(ref).__name__}, not a string.")
        target, there = self._look_up(ref, document)
        step = (id(target), ref)
        if any(seen == step[0] for seen, _ in self.under_way):
            path = " -> ".join([*(name for _, name in self.under_way), ref])
            raise SchemaError(
                "The schema refers to itself, so it has no end once its references are inlined.",
                place=f"$ref: {path}",
                next_step="declare the inner member as a plain object, without properties.",
            )
        self.under_way.append(step)
        try:
            return self._inline(target, there)
        finally:
            self.under_way.pop()

    def _look_up(self, ref: str, document: _Document) -> tuple[Any, _Document]:
        """What `ref` names, and the document it stands in."""
        if ref in document.names:
            return document.names[ref], document
        address, fragment = urldefrag(ref)
        fragment = unquote(fragment)
        if not address:
            there, root = document, document.schema
        elif address in document.names:
            there, root = document, document.names[address]
        else:
            there = self._open(address, ref, document)
            root = there.schema
        if f"#{fragment}" in there.names:
            return there.names[f"#{fragment}"], there
        try:
            return find(root, fragment), there
        except (KeyError, IndexError):
            raise _dead_end(ref, document) from None

    def _open(self, address: str, ref: str, document: _Document) -> _Document:
        if "://" in address and not address.startswith("file://"):
            raise SchemaError(
                "The schema refers to another machine; nothing is fetched.",
                place=f"$ref: {ref}",
                next_step="save that schema beside this one and refer to the file.",
            )
        if document.folder is None:
            raise SchemaError(
                "The schema refers to a file, but did not come from one.",
                place=f"$ref: {ref}",
                next_step="use schema_from_file, or inline the reference.",
            )
        path = (document.folder / unquote(address.removeprefix("file://"))).resolve()
        if path not in self.files:
            self.files[path] = _Document(read_schema(path), path.parent, path.name)
        return self.files[path]


def _beside(target: Any, siblings: Schema) -> Any:
    """One schema that says what `target` and the keywords beside its `$ref` say."""
    if not siblings:
        return target
    rules = {word: value for word, value in siblings.items() if word not in ANNOTATIONS}
    about = {word: value for word, value in siblings.items() if word in ANNOTATIONS}
    if isinstance(target, dict) and not _clash(target, rules):
        return {**target, **rules, **about}
    own = {word: target[word] for word in target if word in ANNOTATIONS} if isinstance(target, dict) else {}
    return {"allOf": [target, rules], **own, **about}


def _clash(target: Schema, rules: Schema) -> bool:
    return any(word in target for word in rules) or any(
        not group.isdisjoint(target) and not group.isdisjoint(rules) for group in _NEIGHBOURS
    )


def _dead_end(ref: str, document: _Document) -> SchemaError:
    place = f"$ref: {ref}" + (f"\nfile: {document.name}" if document.name else "")
    return SchemaError("The schema refers to something that is not there.", place=place, next_step="correct the $ref.")
