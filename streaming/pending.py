"""A pending generation: the rows of an answer that is about to be written, and what its process starts from."""

from __future__ import annotations

from typing import NamedTuple

from streaming.conf import settings
from streaming.errors import Conflict
from streaming.journal.opening import Opening
from streaming.models import Conversation, Generation, Message, Owner
from streaming.models.generations import from_now
from streaming.protocol.parts import ToolCall, Turn
from streaming.protocol.requests import GenerationRequest
from streaming.settlement import reap_one
from streaming.tools import Toolbox

BUSY = "An answer is still being written in this conversation. Wait for it, or stop it."


class Start(NamedTuple):
    """What a new generation starts from: `turns` are the conversation before its message, `due` calls to execute."""

    system: str
    turns: tuple[Turn, ...]
    opening: Opening
    toolbox: Toolbox
    due: tuple[ToolCall, ...] = ()

    def request(self, tool_choice: str | None) -> GenerationRequest:
        return GenerationRequest(
            turns=self.turns, system=self.system, tools=self.toolbox.specs, tool_choice=tool_choice
        )


class Accepted(NamedTuple):
    """`start` is None when the generation is an earlier one that was joined."""

    generation: Generation
    start: Start | None


class Sender(NamedTuple):
    """Who submits, the process that is to run it, and the tools that their code brings along, if it does.

    `ahead` counts what the same owner has on its way in before this.
    """

    owner: Owner
    worker: str
    toolbox: Toolbox | None = None
    ahead: int = 0


def check_idle(conversation: Conversation) -> None:
    """Settle what died here.

    Raises:
        Conflict: an answer is being written.
    """
    for active in Generation.objects.filter(active_conversation=conversation):
        reap_one(active.pk)
        if Generation.objects.filter(pk=active.pk).active().exists():
            raise Conflict(BUSY)


def pending(sender: Sender, answer: Message, alias: str, opening: Opening) -> Generation:
    """Store the message that will be written, and its generation."""
    conversation = answer.conversation
    answer.save(force_insert=True)
    generation = Generation.objects.create(
        conversation=conversation,
        active_conversation=conversation,
        message=answer,
        provider=alias,
        worker=sender.worker,
        lease_until=from_now(settings.LEASE_SECONDS),
        head_seq=opening.head_seq,
    )
    conversation.active_leaf = answer
    conversation.save(update_fields=("active_leaf", "updated_at"))
    return generation
