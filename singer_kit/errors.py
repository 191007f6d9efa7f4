"""Every exception and exit code, named after who can act: the user, the far system, the other connector, or us.

SingerKitError                       1   a fault of ours (also anything not listed here)
+-- UsageError                       2   the command line
|   +-- SettingsError                2   the config file, the environment
|   +-- CatalogError                 2   the catalog, a selection
|   +-- SchemaError                  2   a schema that a connector declares or sends is not usable
|   +-- MapError                     2   a stream map
+-- SourceError                      3   the system that is read
|   +-- SourceUnavailableError       3     transient: trying again may help
|   +-- SourceRecordError            3     a record of the source breaks the stream's own schema
+-- DestinationError                 4   the system that is written
|   +-- DestinationUnavailableError  4     transient: trying again may help
+-- MessageError                     5   what the other connector sent
|   +-- ProtocolError                5     a line that is no Singer message, or comes at the wrong time
|   +-- RecordError                  5     a record that breaks its schema or lacks its key
+-- StateError                       6   a state that cannot be read or written
|   +-- StateLockedError             6     another run of the same pipeline holds the state
+-- StalledError                     7   nothing moved for too long
+-- InterruptedRunError        130/143   SIGINT, SIGTERM: the run ended early, its last safe state was written
+-- ReaderGoneError                141   whoever reads our output has gone

An error is a sentence, a place and a next step; it never holds a secret. This module must not import the house.
"""

from enum import IntEnum
from signal import SIGINT


class ExitCode(IntEnum):
    """What a connector or a command returns to the shell. `EXIT_CODE_MEANINGS` says each in words."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    SOURCE = 3
    DESTINATION = 4
    MESSAGE = 5
    STATE = 6
    STALLED = 7
    TAP_FAILED = 20
    TARGET_FAILED = 21
    BOTH_FAILED = 22
    NOTHING_TO_DO = 99
    SIGINT = 130
    READER_GONE = 141
    SIGTERM = 143


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "all well",
    ExitCode.INTERNAL: "a fault of ours",
    ExitCode.USAGE: "usage, settings or catalog",
    ExitCode.SOURCE: "the source failed",
    ExitCode.DESTINATION: "the destination failed",
    ExitCode.MESSAGE: "bad message or record from the other side",
    ExitCode.STATE: "state invalid or locked",
    ExitCode.STALLED: "stalled or timed out",
    ExitCode.TAP_FAILED: "`singer-kit run`: the tap failed",
    ExitCode.TARGET_FAILED: "`singer-kit run`: the target failed",
    ExitCode.BOTH_FAILED: "`singer-kit run`: both failed",
    ExitCode.NOTHING_TO_DO: "`singer-kit run`: nothing to do",
    ExitCode.SIGINT: "ended by SIGINT",
    ExitCode.READER_GONE: "the reader of our output has gone",
    ExitCode.SIGTERM: "ended by SIGTERM",
}


class SingerKitError(Exception):
    """An error with a sentence, an optional place and an optional next step.

    `sentence` says what is wrong and never holds a secret; `place` is one line per entry, such as
    `schema: orders.properties.total (catalog.json)`; `next_step` is an imperative. `str(error)` is all of them,
    the place and the next step indented below the sentence.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, sentence: str, *, place: str = "", next_step: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.place = place
        self.next_step = next_step

    def __str__(self) -> str:
        lines = [self.sentence, *self.place.splitlines()]
        if self.next_step:
            lines.append(f"next: {self.next_step}")
        return "\n  ".join(lines)


class UsageError(SingerKitError):
    """The command line asks for something that cannot be done as it stands."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """A setting is missing, unknown or of the wrong type, or a config file cannot be read."""


class CatalogError(UsageError):
    """The catalog cannot be read, or asks for what the tap does not have."""


class SchemaError(UsageError):
    """A schema is not valid, or cannot be used for what it is meant for."""


class MapError(UsageError):
    """A stream map is not valid, or failed on a record: maps fail closed."""


class SourceError(SingerKitError):
    """The source refused or broke, and trying again will not help."""

    exit_code = ExitCode.SOURCE


class SourceUnavailableError(SourceError):
    """The source did not answer as it should; a later try may work."""


class SourceRecordError(SourceError):
    """A record that the source gave breaks the schema of its own stream."""


class DestinationError(SingerKitError):
    """The destination refused or broke, and trying again will not help."""

    exit_code = ExitCode.DESTINATION


class DestinationUnavailableError(DestinationError):
    """The destination did not answer as it should; a later try may work."""


class MessageError(SingerKitError):
    """What the other connector sent cannot be used."""

    exit_code = ExitCode.MESSAGE


class ProtocolError(MessageError):
    """A line is no Singer message, or comes where it must not."""


class RecordError(MessageError):
    """A record breaks its schema, or its key is missing or null."""


class StateError(SingerKitError):
    """A state cannot be read, is not what it should be, or cannot be written."""

    exit_code = ExitCode.STATE


class StateLockedError(StateError):
    """Another run of the same pipeline is under way."""


class StalledError(SingerKitError):
    """Nothing moved within the time allowed."""

    exit_code = ExitCode.STALLED


class InterruptedRunError(SingerKitError):
    """A signal asked the run to end; what was safe was kept. `signum` is SIGINT or SIGTERM."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"The run was ended by {'SIGINT' if signum == SIGINT else 'SIGTERM'}.")
        self.signum = signum
        self.exit_code = ExitCode.SIGINT if signum == SIGINT else ExitCode.SIGTERM


class ReaderGoneError(SingerKitError):
    """Whoever read our output has closed it."""

    exit_code = ExitCode.READER_GONE
