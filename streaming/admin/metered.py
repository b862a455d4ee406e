"""The columns of every request to a model: its conversation, the model, tokens, cost and status."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.admin import cells
from streaming.admin.read_only import ReadOnlyAdmin
from streaming.models import Metered

MeteredT = TypeVar("MeteredT", bound=Metered)


class MeteredAdmin(ReadOnlyAdmin[MeteredT]):
    """The admin of a model that is `Metered`. Only staff who may read messages see titles of conversations."""

    to_conversation = "conversation"
    shows_content = False
    list_select_related = ("conversation__user",)
    ordering = ("-created_at",)
    search_fields = ("model",)
    private_columns = {"shown_conversation": "linked_conversation"}

    @admin.display(description=_("conversation"))
    def shown_conversation(self, row: Any) -> SafeString:
        return cells.conversation_link(row.conversation)

    @admin.display(description=_("conversation"))
    def linked_conversation(self, row: Any) -> SafeString:
        """Shows only the id, because staff who may view this row may not always read messages."""
        return cells.link_to("conversation", row.conversation_id, row.conversation_id)

    @admin.display(description=_("user"))
    def shown_user(self, row: Any) -> SafeString:
        return cells.owner_link(row.conversation)

    @admin.display(description=_("model"), ordering="model")
    def shown_model(self, row: Metered) -> str:
        return row.model or row.provider

    @admin.display(description=_("tokens"), ordering="output_tokens")
    def tokens(self, row: Metered) -> str:
        return cells.tokens_of(row) or self.get_empty_value_display()

    @admin.display(description=_("cost"), ordering="cost")
    def shown_cost(self, row: Metered) -> str:
        return cells.money(row.cost) or self.get_empty_value_display()

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, row: Metered) -> SafeString | None:
        return cells.status_badge(row.status)

    @admin.display(description=_("status"), ordering="status")
    def status_and_reason(self, row: Any) -> SafeString:
        reasons = (getattr(row, name, "") for name in ("error_code", "finish_reason"))
        return cells.with_second_line(cells.status_badge(row.status), next(filter(None, reasons), ""))

    @admin.display(description=_("counted by"))
    def usage_source(self, row: Metered) -> Any:
        if row.input_tokens is None and row.output_tokens is None:
            return self.get_empty_value_display()
        if row.is_usage_estimated:
            return _("this site: an estimate, because the answer broke off before the provider told them")
        return _("the provider")
