"""The figures as a page: what was measured on which machine, beside what was aimed at."""

import os
import platform
import statistics
from pathlib import Path
from typing import Any

# bar and goal against the peer, bar and goal against the limit; from the issue that set them.
AIMS = {
    "tap": (10, 15, 0.55, 0.7),
    "target": (25, 40, 0.5, 0.7),
    "jsonl": (20, 30, None, None),
    "duckdb": (5, 8, None, None),
    "startup": (4, 5, None, None),
}
TITLES = {
    "tap": "Tap emission: datetimes and decimals, selection on",
    "target": "Target: decode and validate, null sink",
    "jsonl": "`target-jsonl`: validation on, durable",
    "duckdb": "`target-duckdb`: validation on, upsert by key",
    "startup": "Start-up",
}


def machine() -> dict[str, str]:
    """Cores, processor, Python; no names."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def per_record(row: dict[str, Any]) -> float:
    """Median CPU seconds a record."""
    return statistics.median(row["cpu"]) / row["records"] if row["cpu"] else float("nan")


def ratio(a: dict[str, Any], b: dict[str, Any]) -> float:
    """How many times the CPU of `b` a record of `a` takes: the median of the rounds' ratios."""
    pairs = list(zip(a["cpu"], b["cpu"], strict=False))
    if not pairs:
        return float("nan")
    return statistics.median((x / a["records"]) / (y / b["records"]) for x, y in pairs)


def _find(rows: list[dict[str, Any]], role: str) -> dict[str, Any] | None:
    return next((row for row in rows if row["role"] == role and row["cpu"]), None)


def verdict(value: float, bar: float, goal: float) -> str:
    """In words."""
    return "goal" if value >= goal else "bar" if value >= bar else "below the bar"


def markdown(found: dict[str, Any]) -> str:
    """The whole page."""
    results = found["results"]
    lines = ["# Benchmarks", "", _intro(found), "", *_summary(results), ""]
    for name, title in TITLES.items():
        if name in results:
            lines += [f"## {title}", "", *_table(name, results[name]), ""]
    if "memory" in results:
        lines += ["## Memory: peak resident size, median of three runs", "", *_memory(results["memory"]), ""]
    lines += ["## Versions", "", *(f"- {name}: {version}" for name, version in found["versions"].items()), ""]
    return "\n".join(lines)


def _intro(found: dict[str, Any]) -> str:
    machine = found["machine"]
    return (
        f"Measured by `make bench` on {machine['cores']} cores ({machine['processor']}), {machine['system']}, Python"
        f" {machine['python']}. Every contender gets the same rows: an order of 12 columns (integer, texts, number,"
        " decimal text, boolean, date, date-time, object, array), about 374 bytes as JSON, 60 % of them with non-ASCII"
        " text or escaped quotes. Contenders run interleaved, round by round; the figure is CPU time (user and system,"
        " start-up included) a record, the median of the rounds. Slow peers get a quarter of the records. The limits"
        " are raw loops of the same libraries, which select, check and shape nothing. Absolute figures are of a busy"
        " machine; compare the ratios."
    )


def _summary(results: dict[str, Any]) -> list[str]:
    lines = [
        "| stage | bar | goal | measured | |",
        "|---|---|---|---|---|",
    ]
    for name, (bar, goal, limit_bar, limit_goal) in AIMS.items():
        rows = results.get(name)
        ours, peer = (_find(rows, "ours"), _find(rows, "peer")) if rows else (None, None)
        if rows is None or ours is None or peer is None:
            continue
        times = ratio(peer, ours)
        title = TITLES[name]
        if name == "startup":
            about, peer_about = _find(rows, "ours-about"), _find(rows, "peer-about")
            lines.append(
                f"| `--version` | 1/{bar} of singer-sdk | 1/{goal} | 1/{times:.1f} | {verdict(times, bar, goal)} |"
            )
            if about and peer_about:
                other = ratio(peer_about, about)
                lines.append(
                    f"| `--about` | 1/{bar} of singer-sdk | 1/{goal} | 1/{other:.1f} | {verdict(other, bar, goal)} |"
                )
            continue
        lines.append(f"| {title} | {bar}x {peer['name']} | {goal}x | {times:.1f}x | {verdict(times, bar, goal)} |")
        limit = _find(rows, "limit")
        if limit_bar is not None and limit_goal is not None and limit is not None:
            share = ratio(limit, ours)
            words = verdict(share, limit_bar, limit_goal)
            lines.append(f"| | {limit_bar} of {limit['name']} | {limit_goal} | {share:.2f} | {words} |")
    return lines


def _table(name: str, rows: list[dict[str, Any]]) -> list[str]:
    ours = _find(rows, "ours")
    lines = [
        "| contender | records | CPU s | µs a record | records a CPU second | times ours | peak MiB | arrived |",
        "|---|---|---|---|---|---|---|---|",
    ]
    if name == "startup":
        lines = ["| command | CPU s | times bare Python | peak MiB |", "|---|---|---|---|"]
    limit = _find(rows, "limit")
    for row in rows:
        if not row["cpu"]:
            lines.append(f"| {row['name']} | not run: {row['note']} |" + " |" * (2 if name == "startup" else 6))
            continue
        cpu, rss = statistics.median(row["cpu"]), statistics.median(row["rss"])
        if name == "startup":
            lines.append(f"| {row['name']} | {cpu:.3f} | {ratio(row, limit):.1f} | {rss:.0f} |" if limit else "")
            continue
        arrived = "" if row["arrived"] is None else f"{row['arrived']:,}"
        if row["arrived"] is not None and row["arrived"] != row["records"]:
            arrived += f" of {row['records']:,}: **rows lost**"
        each = per_record(row)
        times = f"{ratio(row, ours):.2f}" if ours else ""
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(
            f"| {row['name']}{note} | {row['records']:,} | {cpu:.2f} | {each * 1e6:.2f} | {1 / each:,.0f} | {times}"
            f" | {rss:.0f} | {arrived} |"
        )
    return lines


def _memory(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| what | 200,000 records | 2,000,000 records | growth |", "|---|---|---|---|"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    for group, members in groups.items():
        failed = "".join(f" (exit code {row['code']})" for row in members if row["code"])
        if len(members) == 2:
            small, large = sorted(members, key=lambda row: row["records"])
            growth = f"{(large['rss'] / small['rss'] - 1) * 100:+.0f} %"
            lines.append(f"| {group}{failed} | {small['rss']:.0f} MiB | {large['rss']:.0f} MiB | {growth} |")
        else:
            lines.append(f"| {group}{failed} | {members[0]['rss']:.0f} MiB | | |")
    return lines
