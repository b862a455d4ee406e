"""The chat in a template of yours.

{% load streaming %}
{% chat_assets %}           in the head: the stylesheet and the script, with the page's CSP nonce if it has one
{% chat conversation %}     in the body: a `Conversation` of the visitor's own; without one, a new conversation
"""

from __future__ import annotations

import uuid
from typing import Any

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from streaming.models import Conversation
from streaming.views.files import accepted_files
from streaming.views.shown import BLANK_MESSAGES, BLANK_PARTS, shown_messages, texts

register = template.Library()

# Stands in an address for the key that chat.js gives a new conversation.
NEW_KEY = "__key__"


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
    """`csp_nonce` of the context (Django 6's CSP) or of the request (django-csp) goes on both elements."""
    nonce = context.get("csp_nonce") or getattr(context.get("request"), "csp_nonce", None)
    attribute = format_html(' nonce="{}"', nonce) if nonce else ""
    return format_html(
        '<link rel="stylesheet" href="{}"{}>\n    <script type="module" src="{}"{}></script>',
        static("streaming/chat.css"),
        attribute,
        static("streaming/chat.js"),
        attribute,
    )
