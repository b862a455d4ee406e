"""All URLs of the app. A site includes them with `include("streaming.urls")`, at its root or below."""

from __future__ import annotations

from streaming.views import (
    agui_patterns,
    chat_patterns,
    conversation_patterns,
    deletion_patterns,
    feedback_patterns,
    file_patterns,
    health_patterns,
    listing_patterns,
    page_patterns,
    probe_patterns,
    share_patterns,
    shared_patterns,
)

app_name = "streaming"
urlpatterns = [
    *chat_patterns,
    *agui_patterns,
    *conversation_patterns,
    *feedback_patterns,
    *listing_patterns,
    *file_patterns,
    *health_patterns,
    *deletion_patterns,
    *page_patterns,
    *probe_patterns,
    *share_patterns,
    *shared_patterns,
]
