"""What the command line needs of a connector, and the flags that connectors have in common.

Frozen values and one protocol; it must not know taps and targets.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from singer_kit.codec import Struct

if TYPE_CHECKING:
    from singer_kit.cli.pipes import IO
    from singer_kit.cli.stop import Stop
    from singer_kit.settings import Config, Settings

__all__ = ["CATALOG", "DISCOVER", "INPUT", "SAVED_STATE", "STATE", "TEST", "Connector", "Flag"]


class Flag(Struct, frozen=True):
    """A flag of one connector. Its value stands in the options under `key`.

    Without a `metavar` it is a switch (False, True), otherwise it takes one value (None when not given), and
    a list of values when `repeatable`. `choices` are the values it takes, none for any; a flag with
    `optional_value` may stand alone and then has that value.
    """

    name: str
    help: str
    metavar: str = ""
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    optional_value: str = ""

    @property
    def key(self) -> str:
        """`--saved-state` stands under `saved_state`."""
        return self.name.lstrip("-").replace("-", "_")


DISCOVER = Flag("--discover", "Print the catalog of all streams and end.", aliases=("-d",))
CATALOG = Flag(
    "--catalog",
    "Which streams and fields to read, as `--discover` prints them.",
    metavar="FILE",
    aliases=("--properties", "-p"),
)
STATE = Flag("--state", "Where an earlier run got to; its last STATE value.", metavar="FILE", aliases=("-s",))
TEST = Flag("--test", "Read a first record of every selected stream, write none, and end.")
INPUT = Flag("--input", "Read messages from a file instead of the standard input.", metavar="FILE")
SAVED_STATE = Flag("--saved-state", "Print the state that the destination holds and end.")


class Connector(Protocol):
    """A class that `singer_kit.cli.run.run` can run.

    Call order: `settings` and `about` answer without a config; `execute` is called once, with a config that
    has passed. It raises a `SingerKitError` to end the run with that error's exit code, and returns early,
    everything safe written, when `stop.requested`; the exit code is then 128 + the signal's number.
    """

    kind: ClassVar[Literal["tap", "target", "mapper"]]
    name: ClassVar[str]
    version: ClassVar[str]
    flags: ClassVar[tuple[Flag, ...]]

    @classmethod
    def settings(cls) -> "Settings":
        """The settings it takes, those common to its kind among them."""

    @classmethod
    def about(cls) -> dict[str, Any]:
        """`description` and `capabilities` (a list of words), and what else its `--about` should say."""

    @classmethod
    def execute(cls, config: "Config", options: Mapping[str, Any], io: "IO", stop: "Stop") -> None:
        """All that the options ask for is done and written to `io` on return."""
