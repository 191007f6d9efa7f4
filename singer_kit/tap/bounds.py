"""Where a partition's read begins and ends: bookmark, start date, lookback and end date, typed.

It reads settings and values; it must not know partitions or states.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from singer_kit.codec import JSON
from singer_kit.errors import SettingsError, StateError
from singer_kit.late import late
from singer_kit.spec.instants import order_key
from singer_kit.tap.cursor import bookmark_text

if TYPE_CHECKING:
    from singer_kit.durations import Duration

durations = late("singer_kit.durations")

__all__ = ["Bounds", "KeyKind", "kind_of"]

KeyKind = Literal["instant", "date", "number", "text"]


def kind_of(schema: Mapping[str, Any], key: str) -> KeyKind:
    """What the values of the replication key are, by its schema."""
    found = (schema.get("properties") or {}).get(key)
    return _kind(found) if isinstance(found, Mapping) else "text"


def _kind(schema: Mapping[str, Any]) -> KeyKind:
    said = schema.get("type", ())
    types = {said} if isinstance(said, str) else set(said)
    if types & {"integer", "number"}:
        return "number"
    if schema.get("format") == "date-time":
        return "instant"
    if schema.get("format") == "date":
        return "date"
    for keyword in ("anyOf", "oneOf"):
        for branch in schema.get(keyword) or ():
            if isinstance(branch, Mapping) and (kind := _kind(branch)) != "text":
                return kind
    return "text"


class Bounds:
    """The bounds of one stream's reads; `ceiling` is the bookmark that no row dated in the future may pass.

    The ceiling holds for instants and dates: the start of the run. It keeps a row dated 2030 from hiding all that
    changes until then.
    """

    def __init__(
        self,
        stream: str,
        kind: KeyKind,
        config: Mapping[str, Any],
        *,
        lookback: str | int | None,
        now: datetime,
    ) -> None:
        self._stream = stream
        self._kind = kind
        self._config = config
        self._lookback = self._parsed_lookback(lookback if lookback is not None else config.get("lookback"))
        self._begin = self._setting("start_date")
        self.end = self._setting("end_date")
        self.ceiling: JSON = bookmark_text(now if kind == "instant" else now.date()) if self._is_calendar else None

    @property
    def _is_calendar(self) -> bool:
        return self._kind in ("instant", "date")

    def start(self, bookmark: JSON) -> Any:
        """The typed value from which to read, given what the state holds: None on a first read without start date."""
        if bookmark is None:
            return self._begin
        return self._looked_back(self._typed(bookmark))

    def comparable(self, bookmark: JSON) -> Any:
        """`bookmark` as it is where its order among the rows' values is plain, else typed: `"9"` for a number is 9."""
        if bookmark is None:
            return None
        typed = self._typed(bookmark)
        return bookmark if order_key(bookmark)[0] == order_key(typed)[0] else typed

    def _typed(self, bookmark: JSON) -> Any:
        try:
            if self._is_calendar:
                instant = durations.parse_start(str(bookmark))
                return instant if self._kind == "instant" else instant.date()
            if self._kind == "number" and isinstance(bookmark, str):
                number = Decimal(bookmark)
                return int(number) if number == number.to_integral_value() and "e" not in bookmark.lower() else number
        except (ValueError, ArithmeticError) as error:
            raise StateError(
                f"stream {self._stream!r}: its bookmark in the state is not {_ARTICLES[self._kind]}.",
                next_step="correct the state, or leave the stream's bookmark out to read it from the beginning.",
            ) from error
        return bookmark

    def _looked_back(self, value: Any) -> Any:
        if self._lookback is None:
            return value
        if not isinstance(self._lookback, int):
            if isinstance(value, datetime):
                return durations.subtract(value, self._lookback)
            if isinstance(value, date):
                return durations.subtract(datetime(value.year, value.month, value.day), self._lookback).date()  # noqa: DTZ001
            return value
        return value - self._lookback if isinstance(value, (int, Decimal)) else value

    def _setting(self, name: str) -> Any:
        text = self._config.get(name)
        if text is None or not self._is_calendar:
            return None
        try:
            instant = text if isinstance(text, datetime) else durations.parse_start(str(text))
        except ValueError as error:
            raise SettingsError(
                f"The setting {name!r} is no instant.", place=f"setting: {name}", next_step=f"{error}."
            ) from error
        return instant if self._kind == "instant" else instant.date()

    def _parsed_lookback(self, lookback: Any) -> "Duration | int | None":
        if lookback is None or isinstance(lookback, int):
            return lookback
        try:
            duration: Duration = durations.parse_duration(str(lookback))
        except ValueError as error:
            raise SettingsError(
                f"stream {self._stream!r}: its lookback is no duration.", place="lookback", next_step=f"{error}."
            ) from error
        return duration


_ARTICLES: dict[KeyKind, str] = {
    "instant": "an instant",
    "date": "a date",
    "number": "a number",
    "text": "a text",
}
