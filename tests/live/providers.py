"""The aliases that live tests use: the local model, a peer that replies as a test says, and scripts."""

from __future__ import annotations

from typing import Any

from tests.entries import scripted_entry
from tests.wanted import RECIPE

# name: (dialect, provider, path of the server that its SDK expects)
DIALECTS = {
    "chat": ("openai-chat", "streaming.providers.openai.ChatCompletions", "/v1"),
    "responses": ("openai-responses", "streaming.providers.openai.Responses", "/v1"),
    "messages": ("anthropic-messages", "streaming.providers.anthropic.Messages", ""),
}
# This key must not appear anywhere, even if a peer quotes it.
TOOLS = ["get_weather", "send_mail", "ask_location", "waits"]
API_KEY = "sk-CANARY-0123456789abcdef"


def providers(peer_url: str) -> dict[str, dict[str, Any]]:
    """Returns the aliases of each dialect and of the scripts.

    Each dialect has `local-`, `long-`, `brief-` (cut at eight tokens), `calls-`, `peer-` and `tools-`. Only `calls-`
    and `tools-` are offered tools of the site.
    """
    offered = {
        "default": scripted_entry(text="Hello from the script."),
        "slow": scripted_entry(text="word " * 200, delay=0.05),
    }
    for name, (dialect, backend, path) in DIALECTS.items():
        offered |= {
            f"local-{name}": _local(dialect, 20),
            f"long-{name}": _local(dialect, 1024),
            f"brief-{name}": _local(dialect, 8),
            f"calls-{name}": _calling(dialect),
            f"peer-{name}": _peer(backend, peer_url + path),
            f"tools-{name}": _peer(backend, peer_url + path) | {"TOOLS": TOOLS},
        }
    call = {"name": "Recipe", "arguments": RECIPE}
    offered |= {
        "recipe": scripted_entry(text=f"Sure:\n```json\n{RECIPE}\n```", delay=0.005),
        "recipe-tool": scripted_entry(text="", tool_calls=[call], structured="tool", chunk_size=7),
        "recipe-hang": scripted_entry(text=RECIPE, hang_after=8),
        "recipe-refused": scripted_entry(text=RECIPE, error="authentication"),
        "recipe-cut": scripted_entry(text=RECIPE, error="connection_lost", fail_after=8),
    }
    offered |= {f"words-{count}": scripted_entry(text="word " * count) for count in (20, 2000)}
    return {alias: {"TOOLS": []} | entry for alias, entry in offered.items()}


def _local(dialect: str, tokens: int) -> dict[str, Any]:
    options = {"dialect": dialect, "temperature": 0, "max_output_tokens": tokens}
    return {"BACKEND": "streaming.providers.local.LocalModel", "OPTIONS": options}


def _calling(dialect: str) -> dict[str, Any]:
    options = {"dialect": dialect, "temperature": 0, "max_output_tokens": 120, "tool_choice": "required"}
    return {"BACKEND": "tests.local_model.Practised", "OPTIONS": options, "TOOLS": ["get_weather"]}


def _peer(backend: str, url: str) -> dict[str, Any]:
    options = {"model": "peer-model", "api_key": API_KEY, "base_url": url, "max_retries": 0}
    return {"BACKEND": backend, "OPTIONS": options}
