"""In which order streams are read: parents before children, and first the one where an earlier run ended.

Pure; it must not read.
"""

from collections.abc import Iterator, Sequence

from singer_kit.codec import Struct
from singer_kit.errors import SchemaError
from singer_kit.tap.discovery import StreamPlan

__all__ = ["Branch", "schedule"]


class Branch(Struct, frozen=True):
    """A stream and the streams that are read for each of its rows."""

    plan: StreamPlan
    children: tuple["Branch", ...] = ()

    def walk(self) -> Iterator["Branch"]:
        """This branch, then those below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def schedule(plans: Sequence[StreamPlan], *, first: str | None = None) -> list[Branch]:
    """The branches to read, those without a selected stream left out; the one that holds `first` comes first.

    The order is that of the tap, turned so that it begins with `first` and ends with what stands before it. Raises
    `SchemaError` for a parent that the tap does not have, and for streams that are each other's parents.
    """
    below: dict[str, list[StreamPlan]] = {}
    roots = []
    for plan in plans:
        parent = _parent_of(plan, plans)
        if parent is None:
            roots.append(plan)
        else:
            below.setdefault(parent.tap_stream_id, []).append(plan)
    branches = [_branch(root, below) for root in roots]
    reached = {each.plan.tap_stream_id for branch in branches for each in branch.walk()}
    lost = [plan.tap_stream_id for plan in plans if plan.tap_stream_id not in reached]
    if lost:
        raise SchemaError(
            f"The streams {', '.join(map(repr, lost))} are each other's parents.",
            next_step="correct parent_stream_type.",
        )
    chosen = [pruned for branch in branches if (pruned := _pruned(branch)) is not None]
    start = next(
        (
            place
            for place, branch in enumerate(chosen)
            if any(each.plan.tap_stream_id == first for each in branch.walk())
        ),
        0,
    )
    return chosen[start:] + chosen[:start]


def _parent_of(plan: StreamPlan, plans: Sequence[StreamPlan]) -> StreamPlan | None:
    wanted = plan.stream.parent_stream_type
    if wanted is None:
        return None
    exact = [each for each in plans if type(each.stream) is wanted]
    found = exact or [each for each in plans if isinstance(each.stream, wanted) and each is not plan]
    if len(found) != 1:
        raise SchemaError(
            f"stream {plan.tap_stream_id!r}: its parent {wanted.__name__} is "
            + ("no stream of this tap." if not found else f"{len(found)} streams of this tap."),
            next_step="let discover_streams give the parent, once.",
        )
    return found[0]


def _branch(plan: StreamPlan, below: dict[str, list[StreamPlan]]) -> Branch:
    return Branch(plan, tuple(_branch(child, below) for child in below.get(plan.tap_stream_id, ())))


def _pruned(branch: Branch) -> Branch | None:
    children = tuple(pruned for child in branch.children if (pruned := _pruned(child)) is not None)
    return Branch(branch.plan, children) if children or branch.plan.is_selected else None
