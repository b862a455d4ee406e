"""The catalogues of the translations: they follow the code, and are compiled.

    python -m tests.catalogues                      adds and removes messages, compiles, and lists the untranslated
    python -m tests.catalogues --missing > new.json  prints the untranslated as JSON, to be filled in
    python -m tests.catalogues new.json             takes the translations from there, too

The JSON has each message with its translation by language: a text, or a list of texts for a plural.

Babel reads and writes the files, because a machine that tests need not have the tools of gettext. Django's `templatize`
makes source text of a template, as it does for `makemessages`.
"""

from __future__ import annotations

import functools
import io
import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent / "streaming"
LOCALE = ROOT / "locale"
LANGUAGES = ("ar", "de", "es", "fr", "ja", "pt", "zh_Hans")
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
}
# The catalogue of a site has one form of plurals for each language, so these are those that Django has.
PLURALS = {
    "ar": "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 "
    ": n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5;",
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=3; plural=n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;",
    "fr": "nplurals=2; plural=(n > 1);",
    "ja": "nplurals=1; plural=0;",
    "pt": "nplurals=2; plural=(n != 1);",
    "zh_Hans": "nplurals=1; plural=0;",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%")
MessageId = str | tuple[str, ...]


@functools.cache
def code_messages() -> dict[MessageId, list[str]]:
    """Returns every message that the app's code and templates mark, with the files that have it."""
    found: dict[MessageId, list[str]] = {}
    for path in sorted([*ROOT.rglob("*.py"), *ROOT.rglob("*.html")]):
        for message in _messages_in(path):
            places = found.setdefault(message, [])
            if (place := path.relative_to(ROOT.parent).as_posix()) not in places:
                places.append(place)
    return found


def _messages_in(path: Path) -> Iterator[MessageId]:
    is_code = path.suffix == ".py"
    source = path.read_text() if is_code else templatize(path.read_text(), origin=str(path))
    # What `templatize` makes of a template has no indentation that Python could read, but its strings are JavaScript's.
    language = "python" if is_code else "javascript"
    for _line, message, _comments, _context in extract(language, io.BytesIO(source.encode()), keywords=KEYWORDS):
        yield message if isinstance(message, str) else tuple(message)


def path_of(language: str, suffix: str = "po") -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"django.{suffix}"


def read(language: str) -> Catalog:
    if not path_of(language).exists():
        return Catalog(locale=language, domain="django")
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language, domain="django")


def messages_of(catalogue: Catalog) -> dict[MessageId, Message]:
    """Returns the messages of a catalogue without its header."""
    return {one.id if isinstance(one.id, str) else tuple(one.id): one for one in catalogue if one.id}


def texts_of(message: Message) -> tuple[str, ...]:
    """Returns the translations of a message: one, or one for each plural."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def compiled(language: str) -> bytes:
    """Returns the content of the `.mo` file (GNU gettext's manual, "The Format of GNU MO Files").

    Babel's own writer puts its version and the time into the header, so each run would make another file.
    """
    header = "".join(f"{name}: {value}\n" for name, value in _header(language).items())
    texts = {"": header} | {_joined(key): "\0".join(texts_of(one)) for key, one in messages_of(read(language)).items()}
    pairs = sorted((key.encode(), text.encode()) for key, text in texts.items() if text.strip("\0"))
    sources, targets = [key for key, _text in pairs], [text for _key, text in pairs]
    count, at = len(pairs), 28 + 16 * len(pairs)
    table, content = [], b""
    for each in (*sources, *targets):
        table += [len(each), at + len(content)]
        content += each + b"\0"
    return (
        struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, at)
        + struct.pack(f"<{4 * count}I", *table)
        + content
    )


def _joined(key: MessageId) -> str:
    return key if isinstance(key, str) else "\0".join(key)


def update(language: str, translated: dict[str, Any]) -> list[MessageId]:
    """Makes the catalogue have the messages of the code, and no others. Returns those without a translation."""
    known = {key: texts_of(one) for key, one in messages_of(read(language)).items()}
    fresh = Catalog(locale=language, domain="django", fuzzy=False)
    fresh.mime_headers = list(_header(language).items())
    missing = []
    for key, places in sorted(code_messages().items(), key=lambda item: str(item[0])):
        singular = key if isinstance(key, str) else key[0]
        given = translated.get(singular, known.get(key, ""))
        texts = (given,) if isinstance(given, str) else tuple(given)
        if not all(texts):
            missing.append(key)
            texts = ("",) * (1 if isinstance(key, str) else forms(language))
        fresh.add(key, texts[0] if isinstance(key, str) else texts, [(place, None) for place in places])
    _write(language, fresh)
    return missing


def forms(language: str) -> int:
    return int(PLURALS[language].partition("=")[2].partition(";")[0])


def _write(language: str, catalogue: Catalog) -> None:
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    write_po(out, catalogue, width=120, omit_header=True, include_lineno=False, sort_by_file=False)
    header = [
        'msgid ""',
        'msgstr ""',
        *(f'"{name}: {value}\\n"' for name, value in _header(language).items()),
    ]
    path_of(language).write_bytes("\n".join(header).encode() + b"\n\n" + out.getvalue().lstrip())
    path_of(language, "mo").write_bytes(compiled(language))


def _header(language: str) -> dict[str, str]:
    """The header of a catalogue. It has no dates, so that a catalogue changes only if its messages do."""
    return {
        "Project-Id-Version": "django-llm-streaming",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language],
    }


def update_all(translated: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Updates all catalogues. Returns the untranslated messages in the form in which `translated` is given."""
    missing: dict[str, dict[str, Any]] = {}
    for language in LANGUAGES:
        given = {message: texts[language] for message, texts in translated.items() if texts.get(language)}
        for key in update(language, given):
            singular, empty = (key, "") if isinstance(key, str) else (key[0], [""] * forms(language))
            missing.setdefault(singular, {})[language] = empty
    return missing


def main(arguments: list[str]) -> int:
    files = [Path(name) for name in arguments if name != "--missing"]
    missing = update_all(json.loads(files[0].read_text()) if files else {})
    if "--missing" in arguments:
        print(json.dumps(missing, ensure_ascii=False, indent=2))
        return 0
    for message, texts in missing.items():
        print(f"{json.dumps(message, ensure_ascii=False)}: {', '.join(texts)}")
    print(f"{len(code_messages())} messages, {len(missing)} of them untranslated.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
