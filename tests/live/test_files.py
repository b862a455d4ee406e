"""Uploads to real servers, and the files that their providers get."""

from __future__ import annotations

from tests.live.client import Visit
from tests.live.wires import answer_wire
from tests.peers import Peer
from tests.pictures import PNG, data_url
from tests.servers import Site


async def test_upload_and_send_on_every_server(every_site: Site, visit: Visit, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Green."))
    visitor = await visit(every_site).greet()
    big = PNG + b"\0" * 3_000_000  # more than Django accepts in a body, and more than it keeps in memory
    uploaded = await visitor.http.post("/api/files", files={"file": ("cat.png", big, "image/png")})
    assert uploaded.status_code == 201, uploaded.text
    url = uploaded.json()["url"]
    stream = await (await visitor.ask("What is it?", "peer-chat", files=[{"url": url}])).whole()
    assert stream.text == "Green."
    [asked] = (await peer.asked()).json["messages"]
    assert asked["content"][0]["image_url"]["url"] == data_url(big)
    served = await visitor.http.get(url)
    assert served.content == big
    assert served.headers["content-security-policy"] == "sandbox; default-src 'none'"
    for path in (url, f"/api/chat/{visitor.key}", f"/api/chat/{visitor.key}/stream?after=0"):
        head = await visitor.http.head(path)
        got = await visitor.http.get(path)  # over the same connection, so the first response had no body
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers.get("content-length") == got.headers.get("content-length")
