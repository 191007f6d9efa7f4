"""The one door to pyarrow: batches as Arrow tables, every value exact.

Arrow has no number of any size, so a table's types depend on what has to fit: `table` takes, for each property, the
first of these that holds every value of the batch.

- `integer`: int64, decimal128(38, 0), string
- `number`: decimal128(38, 10), decimal128(38, more), string
- `singer.decimal` with precision and scale: that decimal128, then as `number`
- `boolean`: bool
- `date-time`: timestamp[us, UTC] (the instant; its offset is not kept), string
- `date`: date32, string; `time`: time64[us], string (a time with an offset is one)
- any other string, `uuid` among them: string
- objects, arrays, and properties that may be anything: string, the JSON text as it came
- properties of several scalar types: string, a JSON string as what it says and other values as their JSON text

An absent property and null are both null. This module must not know a database.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from singer_kit.batch.metadata import Stamp, metadata_columns, missing_properties
from singer_kit.batch.pieces import NULL, Cells, Piece
from singer_kit.codec import decode, encode
from singer_kit.schema.columns import Column, ColumnType, columns_of
from singer_kit.schema.digits import digits_of_decimals, digits_of_integers, plain
from singer_kit.schema.evolve import DigitsNeeded, Limits, widened

if TYPE_CHECKING:
    from singer_kit.batch.batch import Batch

__all__ = [
    "ArrowReader",
    "MisfitError",
    "arrow_type",
    "bytes_in_long_texts",
    "table",
    "take_memory_from_system",
    "with_row_order",
]

_ARROW_TYPES: Final[dict[str, Any]] = {
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
    "hugeint": pa.string(),
    "double": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "instant": pa.timestamp("us", "UTC"),
    "uuid": pa.string(),
    "json": pa.string(),
    "text": pa.string(),
}

_UUIDS: Final = re.compile(r"(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\n)*+")
_TIMES: Final = re.compile(r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?\n)*+")
_INSTANT: Final = re.compile(r"(.{10})[Tt ](.{8})(?:\.([0-9]{1,6})0*)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_HUGEINT_BITS: Final = 127
_LONG_TEXT: Final = 8192
_LONGEST_SURE_DECIMAL: Final = 38
_LONGEST_INTEGER: Final = 1000
"""Digits beyond which 1E+999999 is not written out."""


class MisfitError(Exception):
    """Some columns are too narrow for a batch. `needed` is the room that each needs; None: only text will do."""

    def __init__(self, needed: dict[str, DigitsNeeded | None]) -> None:
        super().__init__(f"too narrow: {', '.join(sorted(needed))}")
        self.needed = needed


class _Misfit(Exception):  # noqa: N818 - a value passed up one frame, not an error that anybody sees
    def __init__(self, needed: DigitsNeeded | None = None) -> None:
        self.needed = needed


class ArrowReader:
    """Reads batches of one schema into Arrow tables of given column types, to which nothing is rounded.

    `columns` are in the tables' order; those named in `stamped` are the batch's metadata columns, the others the
    records' properties. The tables' columns are called `c0`, `c1` and so on, because names are strangers' and databases
    fold case. `hugeint` and `uuid` are Arrow strings, for a database to cast; `json` is marked as `arrow.json`.
    """

    def __init__(self, columns: Sequence[Column], stamped: Iterable[str] = ()) -> None:
        self._columns = tuple(columns)
        self._stamped = frozenset(stamped)
        self._schema = pa.schema([_field(f"c{place}", column.type) for place, column in enumerate(columns)])
        self._cells = Cells(
            [column for column in columns if column.name not in self._stamped], has_times=bool(self._stamped)
        )

    def read(self, batch: "Batch") -> pa.Table:
        """The batch as a table. Raises `MisfitError`, of all columns at once, when values do not fit exactly."""
        needed: dict[str, DigitsNeeded | None] = {}
        slices: list[Any] = []
        start = 0
        for piece in self._cells.pieces(batch):
            stamps = self._stamps(batch, piece, start)
            cells_of_next = iter(piece.cells)
            arrays = []
            for column in self._columns:
                try:
                    if column.name in self._stamped:
                        arrays.append(_stamped(column, stamps[column.name], piece.count))
                    else:
                        arrays.append(_array(column, next(cells_of_next), is_raw=piece.is_raw))
                except _Misfit as misfit:
                    _add_need(needed, column.name, misfit.needed)
            if not needed:
                slices.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
            start += piece.count
        if needed:
            raise MisfitError(needed)
        return pa.Table.from_batches(slices, schema=self._schema)

    def _stamps(self, batch: "Batch", piece: Piece, start: int) -> dict[str, Any]:
        if not self._stamped or batch.stamp is None:
            return {}
        stamp = Stamp(batch.stamp.received_at, batch.stamp.batched_at, batch.stamp.sequence + start)
        return metadata_columns(batch.schema, stamp, extracted_at=piece.times, versions=piece.versions)


def table(batch: "Batch") -> pa.Table:
    """The batch as an Arrow table under its properties' own names; this module's docstring tells the types."""
    stamped = {} if batch.stamp is None else missing_properties(batch.schema)
    columns = list(columns_of({"properties": {**batch.schema.get("properties", {}), **stamped}}))
    limits = Limits(has_hugeint=False)
    while True:
        try:
            read = ArrowReader(columns, stamped).read(batch)
        except MisfitError as misfit:
            columns = [
                Column(column.name, widened(column.type, misfit.needed[column.name], 0, limits), column.arrives)
                if column.name in misfit.needed
                else column
                for column in columns
            ]
        else:
            return read.rename_columns([column.name for column in columns])


def with_row_order(read: pa.Table, name: str) -> pa.Table:
    """`read` and a column of 0, 1, 2 and so on."""
    return read.append_column(name, pa.array(range(read.num_rows), pa.int64()))


def take_memory_from_system() -> None:
    """Arrow's memory comes from the system's allocator, which gives it back: 20 MB less in a long load."""
    pa.set_memory_pool(pa.system_memory_pool())


def bytes_in_long_texts(read: pa.Table) -> int:
    """How many bytes are in texts longer than 8 KiB each."""
    total = 0
    for column in read.columns:
        if pa.types.is_string(column.type):
            lengths = pc.binary_length(column)
            if (pc.max(lengths).as_py() or 0) > _LONG_TEXT:
                total += pc.sum(pc.filter(lengths, pc.greater(lengths, _LONG_TEXT))).as_py()
    return total


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """How a column travels in Arrow."""
    if column_type.kind == "decimal":
        return pa.decimal128(column_type.precision, column_type.scale)
    return _ARROW_TYPES[column_type.kind]


def _field(name: str, column_type: ColumnType) -> pa.Field:
    # Arrow's own mark for JSON text: who knows it need not look whether it is.
    marks = {"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": ""}
    return pa.field(name, arrow_type(column_type), metadata=marks if column_type.kind == "json" else None)


def _add_need(needed: dict[str, DigitsNeeded | None], name: str, more: DigitsNeeded | None) -> None:
    known = needed.get(name, more)
    if known is None or more is None:
        needed[name] = None
    else:
        needed[name] = DigitsNeeded(
            max(known.integer_digits, more.integer_digits),
            max(known.scale, more.scale),
            max(known.bits, more.bits),
        )


def _stamped(column: Column, cells: Any, count: int) -> pa.Array:
    if isinstance(cells, list):
        if cells[0] != cells[-1] or len(set(cells)) > 1:
            return _array(column, cells)
        cells = cells[0]
    return pa.repeat(_array(column, [cells])[0], count)


def _array(column: Column, cells: Sequence[Any], *, is_raw: bool = False) -> pa.Array:
    if is_raw and column.arrives != "number":
        return _from_anything(cells, column.type)
    return _CONVERTERS[column.arrives](cells, column.type)


def _from_integers(cells: Sequence[int | None], column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case "bigint":
            try:
                return pa.array(cells, pa.int64())
            except (OverflowError, pa.ArrowInvalid):
                raise _Misfit(_digits(cells)) from None
        case "hugeint":
            needed = _digits(cells)
            if needed.bits > _HUGEINT_BITS:
                raise _Misfit(needed)
            return _strings([None if cell is None else str(cell) for cell in cells])
        case "decimal":
            try:
                return _as_decimals(
                    _strings([None if cell is None else str(cell) for cell in cells]), arrow_type(column_type)
                )
            except pa.ArrowInvalid:
                raise _Misfit(_digits(cells)) from None
        case "double":
            try:
                doubles = [None if cell is None else float(cell) for cell in cells]
            except OverflowError:
                raise _Misfit from None
            if doubles != list(cells):
                raise _Misfit
            return pa.array(doubles, pa.float64())
        case "text" | "json":
            return _strings([None if cell is None else str(cell) for cell in cells])
        case _:
            raise _Misfit


def _digits(cells: Sequence[int | None]) -> DigitsNeeded:
    return digits_of_integers(cell for cell in cells if cell is not None)


def _from_booleans(cells: Sequence[bool | None], column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case "boolean":
            return pa.array(cells, pa.bool_())
        case "text" | "json":
            return _strings([None if cell is None else "true" if cell else "false" for cell in cells])
        case _:
            raise _Misfit


def _from_strings(cells: Sequence[str | None], column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case "text":
            return _strings(cells)
        case "instant":
            return _instants(cells)
        case "date":
            try:
                return _strings(cells).cast(pa.date32())
            except pa.ArrowInvalid:
                raise _Misfit from None
        case "decimal":
            return _decimals(_strings(cells), cells, column_type)
        case "time":
            if not _TIMES.fullmatch(_lines(cells)):
                raise _Misfit
            return pa.array([None if cell is None else time.fromisoformat(cell) for cell in cells], pa.time64("us"))
        case "uuid":
            if not _UUIDS.fullmatch(_lines(cells)):
                raise _Misfit
            return _strings(cells)
        case "json":
            return _strings([None if cell is None else encode(cell).decode() for cell in cells])
        case _:
            raise _Misfit


def _strings(cells: Sequence[str | None]) -> pa.Array:
    return pa.array(cells, pa.string())


def _lines(cells: Sequence[str | None]) -> str:
    present = [cell for cell in cells if cell is not None]
    return "\n".join(present) + "\n" if present else ""


def _instants(cells: Sequence[str | None]) -> pa.Array:
    instants = pa.timestamp("us", "UTC")
    try:
        return _strings(cells).cast(instants)
    except pa.ArrowInvalid:
        pass
    rewritten = [None if cell is None else _instant_for_arrow(cell) for cell in cells]
    try:
        return _strings(rewritten).cast(instants)
    except pa.ArrowInvalid:
        raise _Misfit from None


def _instant_for_arrow(cell: str) -> str:
    """The same instant as Arrow reads it; unchanged, and so refused there, when microseconds do not hold it."""
    parts = _INSTANT.fullmatch(cell)
    if parts is None:
        return cell
    day, clock, fraction, offset = parts.groups()
    return f"{day}T{clock}{'.' + fraction if fraction else ''}{offset.upper()}"


def _decimals(texts: pa.Array, cells: Sequence[Any], column_type: ColumnType) -> pa.Array:
    """Decimals from their texts; `cells` are the same, an item each, and looked at only when Arrow refuses."""
    decimals = arrow_type(column_type)
    try:
        return _as_decimals(texts, decimals)
    except pa.ArrowInvalid:
        pass
    try:
        values = [None if cell is None else Decimal(cell) for cell in cells]
    except InvalidOperation:
        raise _Misfit from None
    if not all(value is None or value.is_finite() for value in values):
        raise _Misfit
    needed = digits_of_decimals(value for value in values if value is not None)
    try:
        return _as_decimals(_strings([None if value is None else plain(value) for value in values]), decimals)
    except pa.ArrowInvalid:
        raise _Misfit(needed) from None


def _as_decimals(texts: pa.Array, decimals: pa.DataType) -> pa.Array:
    """`texts` as `decimals`, exactly; raises `ArrowInvalid` where one does not fit.

    Arrow (26) wraps around without a word when a number of at most 38 digits has too many before its point, and gives
    0 for one that is very small. So those that could be such are looked at here: long texts, and ones with exponents.
    """
    made = texts.cast(decimals)
    room = decimals.precision - decimals.scale
    if _may_wrap_around(texts, room):
        try:
            needed = digits_of_decimals(Decimal(text) for text in texts.to_pylist() if text is not None)
        except InvalidOperation:
            raise pa.ArrowInvalid("no decimal") from None
        if needed.integer_digits > room or needed.scale > decimals.scale:
            raise pa.ArrowInvalid("too many digits")
    return made


def _may_wrap_around(texts: pa.Array, room: int) -> bool:
    """False only when no text has an exponent, more than `room` characters before its point, or very many at all."""
    lengths = pc.binary_length(texts)
    longest = pc.max(lengths).as_py() or 0
    if longest > _LONGEST_SURE_DECIMAL:
        return True
    if longest > room:
        points = pc.find_substring(texts, ".")
        if pc.max(pc.if_else(pc.less(points, 0), lengths, points)).as_py() > room:
            return True
    data = texts.buffers()[2]
    letters = data.to_pybytes() if data is not None else b""
    return b"e" in letters or b"E" in letters


def _from_numbers(cells: Sequence[Any], column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case "decimal":
            texts = _texts(cells)
            return _decimals(texts, _Lazily(texts), column_type)
        case "double":
            try:
                return _texts(cells).cast(pa.float64())
            except pa.ArrowInvalid:
                raise _Misfit from None
        case "text":
            try:
                return _strings([None if text is None else plain(Decimal(text)) for text in _texts(cells).to_pylist()])
            except InvalidOperation:
                return _from_anything(cells, column_type)
        case _:
            return _from_anything(cells, column_type)


class _Lazily(Sequence[Any]):
    """An Arrow array as Python values, made when somebody looks."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, place: Any) -> Any:
        return self._array[place].as_py()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array.to_pylist())


def _texts(cells: Sequence[Any]) -> pa.Array:
    """The bytes of `Raw` cells as text, null for null; no value of it is looked at in Python."""
    lengths = list(map(len, cells))
    ends = pc.cumulative_sum(pa.array([0, *lengths], pa.int32()))
    data = b"".join(cells)
    validity = None
    if len(NULL) in lengths and b"null" in data:
        validity = pa.array([cell != NULL for cell in cells], pa.bool_()).buffers()[1]
    return pa.StringArray.from_buffers(len(cells), ends.buffers()[1], pa.py_buffer(data), validity)


def _from_anything(cells: Sequence[Any], column_type: ColumnType) -> pa.Array:
    match column_type.kind:
        case "json":
            return _texts(cells)
        case "text":
            return _strings([_content(text) for text in _texts(cells).to_pylist()])
    values = [decode(cell) for cell in cells]
    types = {type(value) for value in values if value is not None}
    if not types:
        return pa.nulls(len(values), arrow_type(column_type))
    if types == {str}:
        return _from_strings(values, column_type)
    if types == {bool}:
        return _from_booleans(values, column_type)
    if column_type.kind == "decimal" and types <= {int, Decimal, str}:
        texts = [None if value is None else str(value) for value in values]
        return _from_strings(texts, column_type)
    if types <= {int, Decimal}:
        needed = digits_of_decimals(Decimal(value) for value in values if value is not None)
        if needed.scale or needed.integer_digits > _LONGEST_INTEGER:
            raise _Misfit(needed)
        return _from_integers([None if value is None else int(value) for value in values], column_type)
    raise _Misfit


def _content(text: str | None) -> str | None:
    """What a JSON string says; any other JSON text as it is."""
    if text is None or not text.startswith('"'):
        return text
    content: str = decode(text)
    return content


_CONVERTERS: Final[dict[str, Callable[[Sequence[Any], ColumnType], pa.Array]]] = {
    "integer": _from_integers,
    "boolean": _from_booleans,
    "string": _from_strings,
    "number": _from_numbers,
    "any": _from_anything,
}
