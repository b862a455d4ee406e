"""Memory that was freed, given back to the system: C's allocator keeps it for long, in case it is wanted again."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


def give_back() -> None:
    """Takes milliseconds, in which other threads of Python go on; does nothing where the C library has no way."""
    _trimmer()(0)


@functools.cache
def _trimmer() -> Callable[[int], object]:
    """glibc's `malloc_trim` (malloc_trim(3)), which takes the bytes to keep."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # no such function; no such library; Windows, which needs a name
        return lambda kept: None
    return trim
