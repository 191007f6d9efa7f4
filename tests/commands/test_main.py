"""The singer-kit program: its commands are named without loading them, errors have codes."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import click
import pytest

from singer_kit.commands.explain import NEXT_STEPS, error_classes
from singer_kit.commands.main import COMMANDS, main
from singer_kit.errors import EXIT_CODE_MEANINGS, ExitCode, SingerKitError


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With one line each."""
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)


def test_help_loads_no_command() -> None:
    """`singer-kit --help` imports neither a command's module nor anything heavy."""
    program = (
        "import sys; from singer_kit.commands.main import main; main(['--help']);"
        "print(*sorted(name for name in sys.modules if name.startswith('singer_kit.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {f"singer_kit.commands.{name}" for name in COMMANDS} & set(done.stderr.split())
    assert "singer_kit.codec" not in done.stderr.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Its module has a click command of that name, whose help says more than the list."""
    assert find_spec(f"singer_kit.commands.{name}") is not None
    command = import_module(f"singer_kit.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_slips_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command: exit code 2 and the one that was meant."""
    code, out, err = said(capsys, "dif", "a", "b")
    assert (code, out) == (2, "")
    assert "Did you mean 'diff'?" in err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and number."""
    assert said(capsys, "--version")[1].startswith("singer-kit ")


def test_a_reader_that_has_gone() -> None:
    """`singer-kit explain | head -0` ends with 141 and without a traceback."""
    program = "import sys; from singer_kit.commands.main import main; sys.exit(main(['explain'] ))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_every_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Meaning, the errors that lead to it, and what to do."""
    assert set(NEXT_STEPS) == set(ExitCode) == set(EXIT_CODE_MEANINGS)
    for code in ExitCode:
        _, out, _ = said(capsys, "explain", str(code.value))
        assert EXIT_CODE_MEANINGS[code] in out
        assert "next: " in out
    assert "RecordError" in said(capsys, "explain", "5")[1]
    assert "killed by SIGKILL" in said(capsys, "explain", "137")[1]
    assert "PATH" in said(capsys, "explain", "127")[1]
    assert said(capsys, "explain", "77")[0] == 2


def test_every_error_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name in any case, with its parents and its exit code."""
    assert SingerKitError in error_classes()
    for each in error_classes():
        code, out, _ = said(capsys, "explain", each.__name__.lower())
        assert code == 0
        assert each.__name__ in out
        assert "exit code" in out
    code, _, err = said(capsys, "explain", "RecrodError")
    assert code == 2
    assert "did you mean RecordError?" in err


def test_all_is_the_whole_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a code, all codes and the tree of errors."""
    out = said(capsys, "explain")[1]
    assert all(meaning in out for meaning in EXIT_CODE_MEANINGS.values())
    assert all(each.__name__ in out for each in error_classes())
