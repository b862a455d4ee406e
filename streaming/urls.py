"""Everything the app serves over HTTP. A site mounts it with `include("streaming.urls")`, at its root if it likes."""

from __future__ import annotations

from streaming.views.api import api_patterns
from streaming.views.branches import branch_patterns
from streaming.views.files import file_patterns
from streaming.views.pages import page_patterns

app_name = "streaming"
urlpatterns = [*branch_patterns, *api_patterns, *file_patterns, *page_patterns]
