"""`singer-kit diff`: what differs between two captured sides, for people or as JSON; `comparison` compares."""

from typing import Any

import click

from singer_kit.codec import encode
from singer_kit.commands.comparison import Difference, Found, StreamSummary, comparison

__all__ = ["command"]

_WIDTH = 60


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--key", "keys", multiple=True, metavar="NAME", help="A property of the key; repeatable. [from SCHEMA]")
@click.option("--ignore", "ignored", multiple=True, metavar="NAME", help="A property that does not count; repeatable.")
@click.option("--stream", metavar="NAME", help="Only this stream; plain rows count as its rows.")
@click.option("--last-wins", is_flag=True, help="Of several rows of one key only the last counts, as for an upsert.")
@click.option("--ignore-schema", is_flag=True, help="Compare rows only.")
@click.option("--state", "states", is_flag=True, help="Compare the last STATE of both sides, too.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Rows to show for a stream.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    *,
    before: str,
    after: str,
    keys: tuple[str, ...],
    ignored: tuple[str, ...],
    stream: str | None,
    last_wins: bool,
    ignore_schema: bool,
    states: bool,
    limit: int,
    as_json: bool,
) -> int:
    """Compare A with B: captured Singer messages, or JSON lines, compressed or not; - is the standard input.

    The order of rows and of members does not matter, nor do properties that begin with an underscore. Numbers are
    compared by decimal value (1 is 1.0) and instants by the moment they name; null is not missing.

    Exit code 0: the same; 1: they differ; 2: usage.
    """
    with comparison(keys, ignored=ignored, only=stream) as compared:
        compared.read(0, before)
        compared.read(1, after)
        found = compared.result(examples=limit, last_wins=last_wins, states=states, schemas=not ignore_schema)
    click.echo(encode(_as_json(found)).decode() if as_json else "\n".join(_lines(found)))
    return 0 if found.is_same else 1


def _as_json(found: Difference) -> dict[str, Any]:
    streams = {
        stream.stream: {
            "rows": {"before": stream.rows_before, "after": stream.rows_after},
            "added": stream.added,
            "removed": stream.removed,
            "changed": stream.changed,
            "schema": list(stream.schema),
            "examples": [_example(each) for each in stream.examples],
        }
        for stream in found.streams
    }
    result: dict[str, Any] = {"same": found.is_same, "streams": streams}
    if found.is_state_same is not None:
        result["same_state"] = found.is_state_same
    return result


def _example(each: Found) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": each.kind, "key": each.key}
    if each.row is not None:
        shown["row"] = each.row
    if each.fields is not None:
        shown["fields"] = each.fields
    return shown


def _lines(found: Difference) -> list[str]:
    names = [stream.stream or "rows" for stream in found.streams]
    width = max([len("stream"), *map(len, names)])
    lines = [f"{'stream':<{width}}  {'before':>9}  {'after':>9}  {'added':>7}  {'removed':>7}  {'changed':>7}  schema"]
    for name, stream in zip(names, found.streams, strict=True):
        counts = f"{stream.rows_before:>9}  {stream.rows_after:>9}  {stream.added:>7}  {stream.removed:>7}"
        schema = "differs" if stream.schema else "same"
        lines.append(f"{name:<{width}}  {counts}  {stream.changed:>7}  {schema}")
    for name, stream in zip(names, found.streams, strict=True):
        if not stream.is_same:
            lines += ["", f"{name}:", *_details(stream)]
    if found.is_state_same is not None:
        lines += ["", f"state: {'same' if found.is_state_same else 'differs'}"]
    return [*lines, "", "same" if found.is_same else "different"]


def _details(stream: StreamSummary) -> list[str]:
    lines = [f"  schema: {line}" for line in stream.schema]
    for each in stream.examples:
        sign = {"added": "+", "removed": "-", "changed": "~"}[each.kind]
        key = ", ".join(f"{name}={_short(value)}" for name, value in each.key.items())
        if each.fields is None:
            lines.append(f"  {sign} {key or _short(each.row, 100)}")
            continue
        lines.append(f"  {sign} {key}")
        for name, sides in each.fields.items():
            old = _short(sides["before"]) if "before" in sides else "(missing)"
            new = _short(sides["after"]) if "after" in sides else "(missing)"
            lines.append(f"      {name}: {old} -> {new}")
    hidden = stream.added + stream.removed + stream.changed - len(stream.examples)
    return [*lines, f"  and {hidden} more rows"] if hidden > 0 else lines


def _short(value: object, width: int = _WIDTH) -> str:
    text = encode(value).decode()
    return text if len(text) <= width else text[: width - 3] + "..."
