"""Writes everything that the documentation has from the code: `make reference`."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from docs.reference.written import problems, written  # noqa: E402  # it needs the apps


def main() -> None:
    if found := problems():
        sys.exit("\n".join(["The reference is not complete:", *(f"  {one}" for one in found)]))
    for path, content in written().items():
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
            print(f"Wrote {path.name}")


if __name__ == "__main__":
    main()
