"""Opens the files that commands name. `-` is standard input or output."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.core.management.base import CommandError, OutputWrapper

from streaming.management.terminal import harmless


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Opens a file for reading.

    Raises:
        CommandError: it cannot be read.
    """
    if name == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
        yield file


@contextmanager
def written(name: str, standard: OutputWrapper) -> Iterator[Callable[[str], Any]]:
    """Opens a file, and yields the function that writes to it. It appears under its name only if it is whole.

    Raises:
        CommandError: it cannot be written.
    """
    if name == "-":
        as_shown = harmless if standard.isatty() else str
        yield lambda text: standard.write(as_shown(text), ending="")
        return
    unfinished = Path(f"{name}.{secrets.token_hex(4)}.unfinished")  # another command may write to the same file
    with ExitStack() as stack:
        with _writing(name):
            file = unfinished.open("w", encoding="utf-8", newline="")
        stack.callback(unfinished.unlink, missing_ok=True)
        stack.callback(_close, file)

        def write(text: str) -> None:
            with _writing(name):
                file.write(text)

        yield write
        with _writing(name):
            file.close()
            unfinished.replace(name)


@contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error


def _close(file: TextIO) -> None:
    """Closes a file that is thrown away. A full disk was told already."""
    with suppress(OSError):
        file.close()
