"""The `OPTIONS` of a provider as a typed value, and the problems of options that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import ImproperlyConfigured

from streaming.conf import AtLeastOne, is_address, suggest
from streaming.protocol import GenerationRequest, StreamParser
from streaming.protocol.requests import Way
from streaming.providers.base import Problem


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of every provider. Each is a default that a request may override, `extra_body` key by key.

    `takes` are the media types of files that the model understands, for example `image/*`. None means those of the
    provider's class. `structured` is how the model is asked for a JSON object: `schema` (the vendor's own mode), `tool`
    (a forced call) or `prompt`. None means the way that suits the provider.
    """

    model: str = ""
    system: str = ""
    max_output_tokens: AtLeastOne | None = None
    temperature: float | None = None
    tool_choice: str | None = None
    extra_body: dict[str, Any] = {}
    parser: dict[str, Any] = {}
    takes: tuple[str, ...] | None = None
    structured: Way | None = None


OptionsT = TypeVar("OptionsT", bound=Options)


def read(kind: type[OptionsT], options: Mapping[str, Any]) -> OptionsT:
    """Returns `options` as a value of type `kind`.

    Raises:
        ImproperlyConfigured: with the message and the hint of the first problem.
    """
    for problem in problems(kind, None, options):
        raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
    return msgspec.convert(dict(options), kind)


def problems(kind: type[Options], alias: str | None, options: Mapping[str, Any]) -> list[Problem]:
    """Returns a problem for each option that `kind` does not have, and one if a value has the wrong type."""
    known = kind.__struct_fields__
    who = "The provider" if alias is None else f"Provider {alias!r}"
    found = [_unknown(who, name, known) for name in options if name not in known]
    try:
        made = msgspec.convert({name: value for name, value in options.items() if name in known}, kind)
        StreamParser("openai-chat", **made.parser)  # the options are the same in every dialect
    except msgspec.ValidationError as exc:
        found.append(Problem("bad_option", f"{who} has an option with a wrong value: {exc}.", "Correct it."))
    except (TypeError, ValueError) as exc:
        found.append(Problem("bad_option", f"{who} has wrong options for the parser: {exc}.", "Correct them."))
    return found


def _unknown(who: str, name: object, known: tuple[str, ...]) -> Problem:
    return Problem("unknown_option", f"{who} has an unknown option {name!r}.", suggest(str(name), known))


def missing_extra(alias: str, module: str, hint: str) -> list[Problem]:
    """Returns a problem with this hint if `module` cannot be imported."""
    if find_spec(module) is not None:
        return []
    return [Problem("missing_extra", f"Provider {alias!r} needs the package {module!r}, which is not installed.", hint)]


def missing_model(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns a problem if the options name no model."""
    if options.get("model"):
        return []
    return [Problem("missing_model", f"Provider {alias!r} names no model.", 'Set OPTIONS["model"].')]


def wrong_url(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns a problem if `base_url` is no address. The message does not repeat it: it may have a password."""
    url = options.get("base_url")
    if not url or not isinstance(url, str) or is_address(url):
        return []
    text = f"The base_url of provider {alias!r} is not the address of a server."
    return [Problem("bad_option", text, "Write it with its scheme, for example https://api.example.com/v1.")]


def with_defaults(request: GenerationRequest, options: Options) -> GenerationRequest:
    """Returns the request with the provider's defaults for what it leaves open."""
    return msgspec.structs.replace(
        request,
        model=request.model or options.model,
        system=request.system or options.system,
        max_output_tokens=request.max_output_tokens or options.max_output_tokens,
        temperature=options.temperature if request.temperature is None else request.temperature,
        tool_choice=request.tool_choice or options.tool_choice,
        extra=options.extra_body | request.extra,
    )
