from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent.parent

PROGRAM = """
import sys
sys.path[:0] = [{root!r}, {msgspec!r}]
from streaming.protocol import StreamParser, Transcript

parser, transcript = StreamParser("openai-chat"), Transcript()
body = b'data: {{"choices":[{{"delta":{{"content":"Hi"}},"finish_reason":"stop"}}]}}'
for event in parser.feed(body) + parser.close():
    transcript.apply(event)
print(transcript.text, transcript.outcome)
forbidden = {{"django", "channels", "asgiref", "asyncio", "socket", "httpx", "aiohttp", "openai", "anthropic"}}
print(sorted(forbidden & set(sys.modules)))
"""


def test_it_runs_in_a_bare_interpreter(tmp_path):
    """The interpreter has only the package and msgspec: no site-packages, no environment, no settings."""
    (tmp_path / "msgspec").symlink_to(Path(msgspec.__file__).parent)
    program = PROGRAM.format(root=str(ROOT), msgspec=str(tmp_path))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("Hi finished\n[]\n", "")
