"""Long conversations, stored without asking a model."""

from __future__ import annotations

from django.utils import timezone

from streaming.models import Conversation, Generation, Message, stored_content
from streaming.protocol import TextPart

QUESTION = "What follows from point {number}, and does it matter for a small team that runs its own servers?"
ANSWER = (
    "Point {number} says that **order** matters more than speed:\n\n"
    "- write what arrived, then answer\n- never answer twice\n\n"
    "In code, `commit()` comes before `notify()`. A reader that is told too early finds nothing, and asks again."
)
AT_ONCE = 500


def lengthen(conversation: Conversation, count: int) -> list[Message]:
    """Puts `count` messages before the first one of a conversation: questions and answers, the last one an answer."""
    first = conversation.messages.filter(parent=None).first()
    rows: list[Message] = []
    for number in range(count):
        role, text = ("assistant", ANSWER) if number % 2 else ("user", QUESTION)
        content = stored_content((TextPart(text=text.format(number=number)),))
        rows.append(Message(conversation=conversation, parent=rows[-1] if rows else None, role=role, **content))
    Message.objects.bulk_create(rows, AT_ONCE)
    ended = {"status": "finished", "finish_reason": "stop", "input_tokens": 900, "output_tokens": 70}
    ended |= {"finished_at": timezone.now(), "provider": "default"}
    answers = [Generation(conversation=conversation, message=row, **ended) for row in rows[1::2]]
    Generation.objects.bulk_create(answers, AT_ONCE)
    if first:
        Message.objects.filter(pk=first.pk).update(parent=rows[-1])
    else:
        Conversation.objects.filter(pk=conversation.pk).update(active_leaf=rows[-1])
    return rows
