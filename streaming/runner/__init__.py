"""The execution of one generation, from its first frame to the settled row.

`Run` reads the provider, handles cancels and settles the row; `unread` tells it if nobody reads the answer any more.
`Steps` asks the provider, and asks again when tools gave results. `Routed` moves on to another provider when one fails.
`Fitting` decides which part of a long conversation is sent. `ToolCalls` executes the model's calls. `Steps` and
`ToolCalls` write to the `Draft`, which folds events into the transcript and appends their frames to the live log.
`Timeline` notes when the answer grew. `observed` tells OpenTelemetry about it.
`give_title` asks a model for the title of a conversation, afterwards.
"""

from __future__ import annotations

from streaming.runner.fitting import Fitting
from streaming.runner.observed import observed
from streaming.runner.run import Run
from streaming.runner.steps import Steps
from streaming.runner.timeline import Timeline
from streaming.runner.titles import give_title
from streaming.runner.tool_calls import ToolCalls

__all__ = ["Fitting", "Run", "Steps", "Timeline", "ToolCalls", "give_title", "observed"]
