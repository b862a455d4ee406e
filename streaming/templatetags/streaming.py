"""The chat in a template of yours.

{% load streaming %}
{% chat_assets %}           in the head: the stylesheet and the scripts, with the page's CSP nonce if it has one
{% chat conversation %}     in the body: a `Conversation` of the visitor's own; without one, a new conversation
"""

from __future__ import annotations

import json
import uuid
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

from streaming.models import Conversation
from streaming.views.files import accepted_files
from streaming.views.shown import BLANK_MESSAGES, BLANK_PARTS, shown_messages, texts

register = template.Library()

# Stands in an address for the key that chat.js gives a new conversation.
NEW_KEY = "__key__"

ENTRY = "streaming/chat.js"
# What the entry imports, with the path from there: every file of the directory.
MODULES = sorted(f"chat/{file.name}" for file in Path(__file__).parents[1].glob("static/streaming/chat/*.js"))


@register.inclusion_tag("streaming/_chat.html", takes_context=True)
def chat(
    context: Context,
    conversation: Conversation | None = None,
    *,
    page: bool = False,
    key: str = "",
    draft: str = "",
    edited: str = "",
    refusal: str = "",
) -> dict[str, Any]:
    """Messages and composer. It does not ask whose the conversation is: give it one that the visitor may read.

    `page` makes it the whole page's: a new conversation changes the address. `key` is the one a new conversation
    gets without JavaScript; `draft` and `refusal` are a message that was not accepted, and why; `edited` is the id of
    the one that it was to replace.
    """
    messages = shown_messages(conversation)
    key = conversation.key if conversation else key or uuid.uuid4().hex
    is_edit = bool(edited) and any(message.id == edited for message in messages)
    form_id = f"chat-{uuid.uuid4().hex[:8]}"
    return {
        "api": reverse("streaming:api_chat"),
        "files_url": reverse("streaming:api_files"),
        "accept": accepted_files(conversation.provider if conversation else "default"),
        "page_url": reverse("streaming:conversation", args=(NEW_KEY,)),
        "is_whole_page": page,
        "send_url": reverse("streaming:send", args=(key,)),
        "stop_url": reverse("streaming:stop", args=(key,)),
        "branch_url": reverse("streaming:branch", args=(key,)),
        "conversation": conversation,
        "messages": messages,
        "is_active": any(message.is_active for message in messages),
        "blank_messages": BLANK_MESSAGES,
        "blank_parts": BLANK_PARTS,
        "client_id": uuid.uuid4().hex,
        "form_id": form_id,
        "texts": texts(),
        "draft": "" if is_edit else draft,
        "edited": edited if is_edit else "",
        "edited_draft": draft,
        "refusal": refusal,
    }


@register.simple_tag(takes_context=True)
def chat_assets(context: Context) -> SafeString:
    """The stylesheet, and the entry script with what it imports.

    Every element carries `csp_nonce`, of the context (Django 6's CSP) or of the request (django-csp).
    """
    nonce = context.get("csp_nonce") or getattr(context.get("request"), "csp_nonce", None)
    attribute = format_html(' nonce="{}"', nonce) if nonce else ""
    preload = '\n    <link rel="modulepreload" href="{}"{}>'  # else a browser learns of a module from its importer only
    return format_html(
        '<link rel="stylesheet" href="{}"{}>{}{}\n    <script type="module" src="{}"{}></script>',
        static("streaming/chat.css"),
        attribute,
        _import_map(attribute),
        format_html_join("", preload, ((static(f"streaming/{module}"), attribute) for module in MODULES)),
        static(ENTRY),
        attribute,
    )


def _import_map(attribute: str) -> str:
    """Returns the import map of renamed modules. It comes before the first module, as older browsers demand."""
    renamed = _renamed_modules()
    if not renamed:
        return ""
    imports = json.dumps({"imports": renamed}).replace("<", "\\u003c")  # nothing in it can end the element
    return format_html('\n    <script type="importmap"{}>{}</script>', attribute, mark_safe(imports))  # noqa: S308


def _renamed_modules() -> dict[str, str]:
    """Returns the addresses that relative imports lead to, each with the address that the storage gives the module.

    It is empty if the storage keeps the names of files, or writes the new names into the imports itself.
    """
    if getattr(staticfiles_storage, "support_js_module_import_aggregation", False):
        return {}
    entry = static(ENTRY)
    addresses = {urljoin(entry, module): static(f"streaming/{module}") for module in MODULES}
    return {imported: address for imported, address in addresses.items() if imported != address}
