"""Template tags that put the chat into your own templates.

{% load streaming %}
{% chat_assets %}           in the head: the stylesheet and the scripts, with the page's CSP nonce if it has one
{% chat conversation %}     in the body: one of the visitor's conversations, or a new one if you name none
{{ text|chat_markdown }}    the Markdown of a model or of anybody else, as safe HTML
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from streaming.access import login_address, may_chat
from streaming.conf import settings
from streaming.markdown import RenderOptions, render
from streaming.models import Conversation
from streaming.providers import known_alias, offered_providers
from streaming.views import (
    BLANK_MESSAGES,
    BLANK_PARTS,
    ShownMessage,
    ShownWindow,
    accepted_files,
    newest_messages,
    script_texts,
)

register = template.Library()

# A placeholder in addresses. chat.js replaces it with the key of the new conversation.
NEW_KEY = "__key__"

# The names of the nonce in a context, and on a request: those of Django 6's CSP, and those of django-csp.
CONTEXT_NONCES = ("csp_nonce", "CSP_NONCE")
NONCES = ("csp_nonce", "_csp_nonce")

STYLES = ("streaming/chat.css", "streaming/markdown.css")
ENTRY = "streaming/chat.js"
# The modules that the entry imports, as paths relative to it.
MODULES = sorted(f"chat/{file.name}" for file in Path(__file__).parents[1].glob("static/streaming/chat/*.js"))


@register.inclusion_tag("streaming/_chat.html", takes_context=True)
def chat(
    context: Context,
    conversation: Conversation | str | None = None,
    *,
    id: str = "",  # the HTML attribute
    page: bool = False,
    key: str = "",
    draft: str = "",
    edited: str = "",
    refusal: str = "",
) -> dict[str, Any]:
    """Shows a conversation's messages and the composer. The caller must check that the visitor may read it.

    `id` is the element's id. By default the first chat of a response has the id `chat`, and the second `chat-2`.
    `page` is True if the chat is the whole page. Then a new conversation changes the page's address. `key` is the key
    that a new conversation gets if there is no JavaScript. `draft` is a message that was refused, `refusal` is the
    reason, and `edited` is the id of the message that the draft was meant to replace.
    """
    if not isinstance(conversation, Conversation):
        conversation = None  # the template names a variable that the context does not have
    request = context.get("request")
    asked = request.GET if request and page else {}
    edited, commented = edited or asked.get("edit", ""), asked.get("comment", "")
    window = _window(conversation, asked, edited or commented)
    messages = window.messages
    key = conversation.key if conversation else key or uuid.uuid4().hex
    is_edit = bool(edited) and any(message.id == edited and message.role == "user" for message in messages)
    chat_id = id or _next_id(request)
    return _addresses(key) | {
        "chat_id": chat_id,
        "has_icons": _is_first(request),
        "form_id": f"{chat_id}-form",
        "request": request,  # for templates of the site
        "may_write": may_chat(request) if request else True,
        "login_url": login_address(request.get_full_path() if request else ""),
        "is_whole_page": page,
        "conversation": conversation,
        "messages": messages,
        "earlier": window.earlier,
        "first": window.first,
        "is_active": any(message.is_active for message in messages),
        "provider": _chosen_provider(conversation, messages),
        "accept": accepted_files(known_alias(conversation.provider) if conversation else "default"),
        "client_id": uuid.uuid4().hex,
        "draft": "" if is_edit else draft,
        "edited": edited if is_edit else "",
        "edited_draft": draft,
        "commented": commented,
        "refusal": refusal,
        **_of_the_site(),
    }


def _window(conversation: Conversation | None, asked: Mapping[str, str], opened: str) -> ShownWindow:
    """The messages to show. The address of a page may ask for others with `before` and `from` (`newest_messages`).

    `opened` is the id of the message whose form is open, or "".
    """
    if conversation is None:
        return ShownWindow([])
    return newest_messages(conversation, before=asked.get("before", ""), since=opened or asked.get("from", ""))


def _of_the_site() -> dict[str, Any]:
    """The part of the template's context that is the same for all conversations."""
    return {
        "offered": offered_providers().items(),
        "suggestions": settings.SUGGESTIONS,
        "shows_usage": settings.SHOW_USAGE,
        "blank_messages": BLANK_MESSAGES,
        "blank_parts": BLANK_PARTS,
        "texts": script_texts(),
    }


def _addresses(key: str) -> dict[str, str]:
    """The addresses that the forms and the script of a conversation use."""
    return {
        "api": reverse("streaming:api_chat"),
        "files_url": reverse("streaming:api_files"),
        "page_url": reverse("streaming:conversation", args=(NEW_KEY,)),
        "view_url": reverse("streaming:conversation", args=(key,)),
        "send_url": reverse("streaming:send", args=(key,)),
        "stop_url": reverse("streaming:stop", args=(key,)),
        "feedback_url": reverse("streaming:feedback", args=(key,)),
        "branch_url": reverse("streaming:branch", args=(key,)),
    }


def _chosen_provider(conversation: Conversation | None, messages: list[ShownMessage]) -> str:
    """The alias of the provider that wrote the last answer, or else of the conversation's."""
    wrote = [message.provider for message in messages if message.provider]
    return wrote[-1] if wrote else conversation.provider if conversation else "default"


def _next_id(request: Any) -> str:
    """The id of the next chat in a response. Without a request it is random, because nobody counts."""
    if request is None:
        return f"chat-{uuid.uuid4().hex[:8]}"
    number = request.streaming_chats = getattr(request, "streaming_chats", 0) + 1
    return "chat" if number == 1 else f"chat-{number}"


def _is_first(request: Any) -> bool:
    """True for the first chat of a response: it brings the icons. Without a request each chat does."""
    if request is None:
        return True
    is_first = not getattr(request, "streaming_has_icons", False)
    request.streaming_has_icons = True
    return is_first


@register.filter
def chat_markdown(text: str) -> SafeString:
    """Returns Markdown as safe HTML, the same that the chat page shows."""
    return mark_safe(_rendered(str(text), RenderOptions(settings.IMAGE_HOSTS)))  # noqa: S308  # it is cleaned


@functools.lru_cache(maxsize=256)
def _rendered(text: str, options: RenderOptions) -> str:
    """The HTML of a text. A page shows the same texts at every visit."""
    return render(text, options)


@register.simple_tag(takes_context=True)
def chat_assets(context: Context) -> SafeString:
    """Links the stylesheets, the entry script and the modules that it imports.

    Every element carries the nonce of Django 6's CSP or of django-csp, with their context processors or without them.
    """
    attribute = _nonce_attribute(context)
    preload = '\n    <link rel="modulepreload" href="{}"{}>'  # else a browser must first read the importers
    return format_html(
        '{}{}{}\n    <script type="module" src="{}"{}></script>',
        format_html_join("\n    ", '<link rel="stylesheet" href="{}"{}>', ((static(one), attribute) for one in STYLES)),
        _import_map(attribute),
        format_html_join("", preload, ((static(f"streaming/{module}"), attribute) for module in MODULES)),
        static(ENTRY),
        attribute,
    )


def _nonce_attribute(context: Context) -> str:
    """` nonce="…"` if the page has a nonce. Both libraries' nonces are made when first used, and are falsy before."""
    request = context.get("request")
    nonces = (*(context.get(name) for name in CONTEXT_NONCES), *(getattr(request, name, None) for name in NONCES))
    nonce = next((str(nonce) for nonce in nonces if nonce is not None), "")
    return format_html(' nonce="{}"', nonce) if nonce else ""


def _import_map(attribute: str) -> str:
    """The import map of renamed modules. It must come before the first module: older browsers demand that."""
    renamed = _renamed_modules()
    if not renamed:
        return ""
    imports = json.dumps({"imports": renamed}).replace("<", "\\u003c")  # so no name can close the element
    return format_html('\n    <script type="importmap"{}>{}</script>', attribute, mark_safe(imports))  # noqa: S308


def _renamed_modules() -> dict[str, str]:
    """The addresses that relative imports lead to -> the addresses that the storage gives the modules.

    It is empty if the storage keeps the names of files, or if it writes the new names into the imports.
    """
    if getattr(staticfiles_storage, "support_js_module_import_aggregation", False):
        return {}
    entry = static(ENTRY)
    addresses = {urljoin(entry, module): static(f"streaming/{module}") for module in MODULES}
    return {imported: address for imported, address in addresses.items() if imported != address}
