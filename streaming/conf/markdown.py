"""The settings of how answers are shown."""

from __future__ import annotations

from streaming.conf.rules import HOSTS
from streaming.conf.setting import Setting


class MarkdownSettings:
    """See `streaming.conf.settings.Settings`."""

    IMAGE_HOSTS = Setting(
        HOSTS,
        (),
        "The host names whose pictures are shown in answers, over HTTPS. Pictures of other hosts become links. "
        "Empty: no pictures.\n\n"
        "The server of a picture learns who reads the answer, and the picture's address may contain what the "
        "model knows. The page's `img-src` must allow the hosts, too.",
    )
