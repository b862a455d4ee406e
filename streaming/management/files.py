"""Opens the files that commands name. `-` is standard input or output."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, OutputWrapper


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
        yield functools.partial(standard.write, ending="")
        return
    unfinished = Path(f"{name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file.write
        unfinished.replace(name)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
