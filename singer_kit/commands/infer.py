"""`singer-kit infer`: a schema from samples. What a schema is, is decided in `singer_kit.schema.infer`."""

from pathlib import Path

import click

from singer_kit.codec import pretty
from singer_kit.commands.captured import Rows, captured, file_stream
from singer_kit.errors import UsageError
from singer_kit.schema.infer import Inference

__all__ = ["command"]


@click.command("infer")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out-dir", metavar="DIR", help="Write DIR/STREAM.json for each stream instead of printing one schema.")
@click.option("--stream", metavar="NAME", help="Only this stream of files that hold Singer messages.")
@click.option("--key", "keys", multiple=True, metavar="NAME", help="A property of the primary key; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Look at the first N rows of each stream only.")
@click.option("--strict", is_flag=True, help="Allow null, and let a property be missing, only where that was seen.")
def command(
    *,
    files: tuple[str, ...],
    out_dir: str | None,
    stream: str | None,
    keys: tuple[str, ...],
    limit: int | None,
    strict: bool,
) -> None:
    """Write a JSON Schema that every sample row keeps.

    FILE holds JSON lines or captured Singer messages, compressed or not; - is the standard input. Plain files are
    taken together as samples of one stream, unless --out-dir is given: then each is a stream named after its file.
    """
    seen = _look(files, limit, apart=out_dir is not None)
    if stream is not None:
        if stream not in seen:
            raise UsageError(
                f"No row of stream '{stream}' was found.", place=f"streams: {', '.join(sorted(seen)) or 'none'}"
            )
        seen = {stream: seen[stream]}
    if not seen:
        raise UsageError("The files hold no row to learn from.", place=f"files: {', '.join(files)}")
    if out_dir is not None:
        folder = Path(out_dir)
        folder.mkdir(parents=True, exist_ok=True)
        for name, inference in seen.items():
            path = folder / f"{_safe(name)}.json"
            path.write_text(pretty(inference.schema(keys, strict=strict)) + "\n", encoding="utf-8")
            click.echo(f"{path}: {inference.count} rows", err=True)
        return
    if len(seen) > 1:
        raise UsageError(
            f"The files hold {len(seen)} streams, and one schema describes one.",
            place=f"streams: {', '.join(sorted(seen))}",
            next_step="choose one with --stream NAME, or write all with --out-dir DIR.",
        )
    (inference,) = seen.values()
    click.echo(pretty(inference.schema(keys, strict=strict)))


def _look(files: tuple[str, ...], limit: int | None, *, apart: bool) -> dict[str, Inference]:
    """What the rows of each stream have shown; plain rows are one stream, or one for each file when `apart`."""
    seen: dict[str, Inference] = {}
    for file in files:
        plain = file_stream(file if apart else files[0])
        for event in captured(file):
            if isinstance(event, Rows):
                inference = seen.setdefault(plain if event.stream is None else event.stream, Inference())
                left = len(event.rows) if limit is None else max(0, limit - inference.count)
                for row in event.rows[:left]:
                    inference.add(row)
    return seen


def _safe(name: str) -> str:
    """A stream's name as a file name: nothing in it leaves the folder."""
    kept = "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in name)
    return kept if kept.strip(".") else f"_{kept}"
