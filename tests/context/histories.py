"""Histories for tests of the context policy: questions, answers, tool calls with results here and in later rows."""

from __future__ import annotations

from hypothesis import strategies as st

from streaming.protocol import TextPart, ToolApproval, ToolCall, ToolResult, Turn


def question(text: str) -> Turn:
    return Turn(role="user", parts=(TextPart(text=text),))


def answer(text: str) -> Turn:
    return Turn(role="assistant", parts=(TextPart(text=text),))


def call(id: str) -> ToolCall:
    return ToolCall(id=id, name="look", raw_arguments="{}", arguments={}, is_complete=True)


def exchange(number: int, kind: str, words: int) -> list[Turn]:
    """Returns the turns of one question, as the rows of the app or the messages of other clients have them."""
    id, text = f"c{number}", "word " * words
    said = TextPart(text=text)
    shapes: dict[str, list[Turn]] = {
        "text": [answer(text)],
        "failed": [],
        "steps": [Turn(role="assistant", parts=(call(id), ToolResult(call_id=id, output=text), said))],
        "continued": [
            Turn(role="assistant", parts=(call(id), ToolApproval(call_id=id))),
            Turn(role="assistant", parts=(ToolApproval(call_id=id, is_approved=True), ToolResult(call_id=id), said)),
        ],
        "roles": [
            Turn(role="assistant", parts=(call(id),)),
            Turn(role="tool", parts=(ToolResult(call_id=id, output=text),)),
            answer(text),
        ],
        "by user": [
            Turn(role="assistant", parts=(call(id),)),
            Turn(role="user", parts=(ToolResult(call_id=id, output=text),)),
        ],
        "late": [
            Turn(role="assistant", parts=(call(id),)),
            question("meanwhile"),
            Turn(role="tool", parts=(ToolResult(call_id=id),)),
        ],
        "unanswered": [Turn(role="assistant", parts=(call(id),))],
    }
    return [question(f"q{number} {text}"), *shapes[kind]]


KINDS = ("text", "failed", "steps", "continued", "roles", "by user", "late", "unanswered")


@st.composite
def histories(draw: st.DrawFn) -> list[Turn]:
    """Conversations that end with a question, and sometimes begin with an answer or a system turn."""
    shapes = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 60)), max_size=12))
    begin = draw(st.sampled_from([[], [answer("Welcome")], [Turn(role="system", parts=(TextPart(text="Be brief"),))]]))
    turns = [turn for number, (kind, words) in enumerate(shapes) for turn in exchange(number, kind, words)]
    return [*begin, *turns, question("and now?")]
