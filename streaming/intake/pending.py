"""A pending generation: its rows, and the values with which its process starts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Model
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from streaming.conf import settings
from streaming.context import Trail
from streaming.database import Prepared, count_changed, insert
from streaming.intake.client_context import with_context
from streaming.journal import Opening
from streaming.models import Conversation, Generation, History, Message, Owner, from_now, turns_of
from streaming.protocol import GenerationRequest, OutputSpec, ToolCall, ToolSpec, Turn
from streaming.settlement import check_idle
from streaming.signals import announce_at_commit, generation_started
from streaming.tools import Toolbox, is_ours, toolbox_for


class Start(NamedTuple):
    """The values with which a process starts a new generation.

    `turns` are the conversation before its message, and `trail` tells where they come from. `due` are approved calls,
    which are executed first. `output` is the object that the answer must be.
    """

    system: str
    turns: tuple[Turn, ...]
    opening: Opening
    toolbox: Toolbox
    due: tuple[ToolCall, ...] = ()
    output: OutputSpec | None = None
    trail: Trail = Trail()

    def request(self, tool_choice: str | None) -> GenerationRequest:
        """The request for the provider."""
        return GenerationRequest(
            turns=self.turns,
            system=self.system,
            tools=self.toolbox.specs,
            tool_choice=tool_choice,
            output=self.output and self.output.apart_from(self.toolbox.tools),
        )


class Accepted(NamedTuple):
    """The generation that answers a submission. `start` is None if an earlier submission started it."""

    generation: Generation
    start: Start | None


class Sender(NamedTuple):
    """The owner who submits, and the worker that will run the generation.

    `toolbox` has the tools that the owner's code offers; None means those of the settings. `output` is the object
    that the owner's code wants as the answer. `client_tools` are offered beside the toolbox, and their client executes
    them. `context` is what the client tells the model beside the question.
    """

    owner: Owner
    worker: str
    toolbox: Toolbox | None = None
    output: OutputSpec | None = None
    client_tools: tuple[ToolSpec, ...] = ()
    context: str = ""

    def turns(self, path: Sequence[Message]) -> tuple[Turn, ...]:
        """Returns the turns of the path that the model is sent."""
        return with_context(turns_of(path), self.context)

    def tools(self, alias: str, conversation: Conversation) -> Toolbox:
        """Returns the tools that the model is offered. The site's own win over a client's of the same name."""
        toolbox = self.toolbox or toolbox_for(alias, conversation.tool_names)
        brought = Toolbox.of(tool for tool in self.client_tools if not is_ours(tool.name))
        return Toolbox({**brought.tools, **toolbox.tools}) if brought.tools else toolbox


def idle(history: History) -> History:
    """Returns the messages of a conversation in which no answer is being written.

    They are read again if an answer has been settled here whose process had died: it has its text now.

    Raises:
        Conflict: an answer is being written.
    """
    if not (active := history.active):
        return history
    check_idle(active)
    return History.read(history.conversation)


def store(*rows: Model) -> None:
    """Stores new rows of one model, parents first. It is one statement, unless a site listens to their signals."""
    if _is_listened_to(type(rows[0])):
        for row in rows:
            row.save(force_insert=True)
    else:
        insert(*rows)


def begin(
    sender: Sender,
    path: Sequence[Message],
    answer: Message,
    alias: str,
    opening: Opening,
    toolbox: Toolbox,
    due: tuple[ToolCall, ...] = (),
) -> Accepted:
    """Stores the pending generation of `answer`, which follows the messages of `path`, and shows the path to it.

    The row lives as long as the answer is being written, so it has only the ids of messages: with their rows, the texts
    of the conversation would stay in memory.
    """
    conversation = answer.conversation
    generation = Generation(
        conversation=conversation,
        active_conversation_id=conversation.pk,
        message_id=answer.pk,
        provider=alias,
        worker=sender.worker,
        lease_until=from_now(settings.LEASE_SECONDS),
        head_seq=opening.head_seq,
    )
    store(generation)
    announce_at_commit(generation_started, generation.pk)
    _show(conversation, answer)
    trail = _trail_of(path, alias)
    start = Start(conversation.system_prompt, sender.turns(path), opening, toolbox, due, sender.output, trail)
    return Accepted(generation, start)


def _trail_of(path: Sequence[Message], alias: str) -> Trail:
    """Returns where the turns of a path come from, and what provider `alias` was last sent of them."""
    answers = filter(None, (row.generation_if_any for row in reversed(path)))
    newest = next((answer for answer in answers if answer.provider == alias), None)
    return Trail(
        ids=tuple(row.pk for row in path),
        shown=tuple(row.public_id for row in path),
        last=newest.context if newest else None,
    )


def _show(conversation: Conversation, leaf: Message) -> None:
    """Makes `leaf` the end of the path that is shown."""
    conversation.active_leaf_id, conversation.updated_at = leaf.pk, timezone.now()
    if _is_listened_to(Conversation):
        conversation.save(update_fields=("active_leaf", "updated_at"))
    else:
        _lead_to(id=conversation.pk, active_leaf=leaf.pk, updated_at=conversation.updated_at)


_lead_to = Prepared(
    Conversation,
    lambda given: Conversation.objects.filter(pk=given("id")).update(
        active_leaf=given("active_leaf"), updated_at=given("updated_at")
    ),
    count_changed,
)


def _is_listened_to(model: type[Model]) -> bool:
    """True if somebody wants to know when a row of `model` is saved."""
    return any(signal.has_listeners(model) for signal in (pre_save, post_save))
