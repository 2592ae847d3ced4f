"""The command ``cytopress``: its subcommands, exit codes and error messages."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

import cytopress
from cytopress.cli import (
    archiving,
    coding,
    describing,
    file_info,
    listing,
    predicting,
    recommending,
    studying,
    training,
    trying,
)
from cytopress.cli.progress_bars import bar
from cytopress.datasets.build_progress import display
from cytopress.errors import CytopressError, CytopressWarning

# As a first hour goes; groups of commands stand among the others.
ORDER = ("try", "study", "recommend", "encode", "decode", "info", "archive", "predict", "codecs")
# Options with two names, each of which every command takes that has one of them.
SAME = {"workers": "jobs"}


class StoppedError(CytopressError):
    """Ctrl-C or SIGTERM ended a command."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class InOrder(TyperGroup):
    """The commands in the order in which they are met; those of no such order come last."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; Typer would leave without a word where it is stopped."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            sentence = str(error) or "Stopped; run the same command again to resume."
            raise StoppedError(sentence, getattr(error, "exit_code", 130)) from error

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    name="cytopress",
    cls=InOrder,
    help="Compress microscopy images, and measure what that does to the analysis that follows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: SAME.get(name, name),
    },
)
for part in (
    studying,
    trying,
    recommending,
    coding,
    archiving,
    file_info,
    archiving,
    predicting,
    training,
    describing,
    listing,
):
    part.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(cytopress.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show an error's traceback (works anywhere)."),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 the work failed, 2 the command was wrong."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    warnings.showwarning = _show_warning
    display.set(bar)
    # Libraries log errors before they raise them; here an error is one sentence.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app([argument for argument in arguments if argument != "--debug"])
    except CytopressError as error:
        _leave(error, str(error), error.exit_code, debug=debug)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        _leave(error, f"{name}{error.strerror or error}.", 1, debug=debug)
    except MemoryError as error:
        detail = f" ({error})" if str(error) else ""
        _leave(error, f"This needs more memory than there is{detail}.", 1, debug=debug)
    except ImportError as error:
        _leave(error, f"{error}; install the extra that provides it.", 1, debug=debug)


def _leave(error: BaseException, sentence: str, code: int, *, debug: bool) -> None:
    if debug:
        raise error
    print(f"cytopress: {sentence}", file=sys.stderr)
    sys.exit(code)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    # Warnings of libraries are for developers.
    if issubclass(category, CytopressWarning):
        print(f"cytopress: note: {message}", file=sys.stderr)
