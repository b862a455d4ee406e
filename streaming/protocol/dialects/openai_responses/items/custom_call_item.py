"""The call of a tool that takes free text."""

from __future__ import annotations

from streaming.protocol.dialects.answer import AnswerWriter, name_of
from streaming.protocol.dialects.openai_responses.items.call_items import CallItem
from streaming.protocol.dialects.openai_responses.items.item import JSONObject, id_of

XAI_TOOLS = frozenset({"x_keyword_search", "x_semantic_search", "x_user_search", "x_thread_fetch"})
"""Names of tools of xAI that no site offers."""


class CustomCallItem(CallItem):
    """A call with free text as input, not JSON.

    xAI sends calls of tools that it executes itself in this form, without their results. If the tool is not known to
    be offered, and nothing shows that it is one of xAI's, the call is held back until the next item: a model that
    writes a message after its call has the result.
    """

    input_field = "input"
    is_json = False
    _is_held = True

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._call.before_end = self.decide

    def provider_runs(self, wire: JSONObject) -> bool:
        return self._is_xais(wire) and not self._is_offered(wire)

    def decide(self, *, is_provider_executed: bool = False) -> None:
        """Ends the wait: the next item, or the end of the response, shows who executes the call."""
        if self._is_held:
            self._call.is_provider_executed |= is_provider_executed
            self.release()

    def _announce(self, wire: JSONObject) -> None:
        if self._is_held:
            self._is_held = not (self._is_offered(wire) or self._is_xais(wire))
            self._call.is_provider_executed = self.provider_runs(wire)
        super()._announce(wire)

    def _is_offered(self, wire: JSONObject) -> bool:
        return name_of(wire.get("name")) in self._writer.tools

    def _is_xais(self, wire: JSONObject) -> bool:
        is_grok = "grok" in (self._writer.model or "").lower()
        return is_grok or id_of(wire).startswith("xs_") or name_of(wire.get("name")) in XAI_TOOLS
