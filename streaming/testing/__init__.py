"""The test kit for projects that use this app. It scripts the model, talks to the site, and reads what was stored.

    @pytest.mark.django_db(transaction=True)
    async def test_my_chat():
        with scripted(text="Hello"):
            result = await chat("Hi", user=None)
        assert result.text == "Hello"
        await settle_all()

`scripts` scripts the model, `recordings` records and replays a real one, `sites` speaks to the site's own views and
sockets, `frames` reads the frames of an answer, and `transcripts` compares what was stored. pytest finds the fixture
`scripted_provider` by itself: see `streaming.pytest_plugin`.

Generations write to the database from other threads. So tests need real transactions (`TransactionTestCase`, or
pytest-django's `transaction=True`) and a database that threads can share: a file, not SQLite's `:memory:`.
"""

from __future__ import annotations

from streaming.testing.frames import chunks_of, drain, frames_of, seqs_of, text_in, text_of
from streaming.testing.recordings import record, replayed
from streaming.testing.scripts import scripted, settle_all
from streaming.testing.sites import EventStream, Socket
from streaming.testing.transcripts import assert_transcript, transcript_of

__all__ = [
    "EventStream",
    "Socket",
    "assert_transcript",
    "chunks_of",
    "drain",
    "frames_of",
    "record",
    "replayed",
    "scripted",
    "seqs_of",
    "settle_all",
    "text_in",
    "text_of",
    "transcript_of",
]
