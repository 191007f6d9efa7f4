"""SQL columns for schemas."""

import pytest

from singer_kit.schema import columns as kinds
from singer_kit.schema.columns import NUMBER, Column, columns_of, decimal, number_type


def column(definition):
    (only,) = columns_of({"type": "object", "properties": {"a": definition}})
    return only


@pytest.mark.parametrize(
    ("definition", "kind", "arrives"),
    [
        ({"type": "integer"}, kinds.BIGINT, "integer"),
        ({"type": ["null", "integer"]}, kinds.BIGINT, "integer"),
        ({"type": "number"}, NUMBER, "number"),
        ({"type": ["integer", "number"]}, NUMBER, "number"),
        ({"type": "boolean"}, kinds.BOOLEAN, "boolean"),
        ({"type": "string"}, kinds.TEXT, "string"),
        ({"type": "string", "format": "email"}, kinds.TEXT, "string"),
        ({"type": "string", "format": "date-time"}, kinds.INSTANT, "string"),
        ({"type": "string", "format": "date"}, kinds.DATE, "string"),
        ({"type": "string", "format": "time"}, kinds.TIME, "string"),
        ({"type": "string", "format": "uuid"}, kinds.UUID, "string"),
        ({"type": "object"}, kinds.JSON, "any"),
        ({"type": ["null", "array"], "items": {"type": "integer"}}, kinds.JSON, "any"),
        ({}, kinds.JSON, "any"),
        (True, kinds.JSON, "any"),
        ({"type": "null"}, kinds.JSON, "any"),
        ({"type": ["null", "integer", "string"]}, kinds.TEXT, "any"),
        ({"type": ["null", "integer", "object"]}, kinds.JSON, "any"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"}]}, kinds.TEXT, "any"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, kinds.TEXT, "string"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, kinds.INSTANT, "string"),
        ({"oneOf": [{"type": "string"}, {"type": "array"}]}, kinds.JSON, "any"),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, kinds.BIGINT, "integer"),
        ({"allOf": [{"type": ["integer", "null"]}, {"type": "integer"}]}, kinds.BIGINT, "integer"),
        ({"enum": ["a", "b", None]}, kinds.TEXT, "string"),
        ({"enum": [1, 2]}, kinds.BIGINT, "integer"),
        ({"enum": [1, "b"]}, kinds.TEXT, "any"),
        ({"enum": [1, [2]]}, kinds.JSON, "any"),
        ({"const": True}, kinds.BOOLEAN, "boolean"),
        ({"const": 1.5}, NUMBER, "number"),
        ({"$ref": "#/definitions/x"}, kinds.JSON, "any"),
    ],
)
def test_every_property_has_the_narrowest_column_that_holds_it(definition, kind, arrives):
    """One scalar gives its own type, several give text, structures and unknowns give JSON; nothing is dropped."""
    assert column(definition) == Column("a", kind, arrives)


@pytest.mark.parametrize("spelled", ["singer.decimal", "x-singer.decimal"])
@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ({"precision": 12, "scale": 2}, decimal(12, 2)),
        ({"precision": 12}, decimal(12, 0)),
        ({}, NUMBER),
        ({"precision": 50, "scale": 2}, NUMBER),
        ({"precision": 4, "scale": 8}, NUMBER),
        ({"precision": "12", "scale": 2}, NUMBER),
    ],
)
def test_a_decimal_format_gives_the_decimal_that_it_declares(spelled, digits, kind):
    """Precision and scale are taken where the database has room for them."""
    assert column({"type": ["null", "string"], "format": spelled, **digits}) == Column("a", kind, "string")
    assert column({"type": "number", "format": spelled, **digits}) == Column("a", kind, "number")


def test_numbers_are_doubles_only_when_asked():
    """The caller says what a number is; decimals that a schema declares stay exact."""
    schema = {"properties": {"a": {"type": "number"}, "b": {"type": "string", "format": "singer.decimal"}}}
    assert [c.type for c in columns_of(schema, number=number_type(as_double=True))] == [kinds.DOUBLE, NUMBER]
    assert number_type(as_double=False) == NUMBER


def test_columns_come_in_the_order_of_the_schema():
    """No property is left out or moved, whatever its name."""
    names = ["z", "", "a b", 'q"q', "A", "a", "select"]
    assert [c.name for c in columns_of({"properties": {name: {} for name in names}})] == names
    assert columns_of({}) == ()


def test_references_are_followed_where_they_end():
    """A property that refers to itself is JSON; that takes no type from the others."""
    schema = {
        "definitions": {"id": {"type": "integer"}, "node": {"properties": {"next": {"$ref": "#/definitions/node"}}}},
        "properties": {"a/b~": {"$ref": "#/definitions/id"}, "n": {"$ref": "#/definitions/node"}},
    }
    assert columns_of(schema) == (Column("a/b~", kinds.BIGINT, "integer"), Column("n", kinds.JSON))
