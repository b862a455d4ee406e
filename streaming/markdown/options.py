"""The site's choices about the rendering."""

from __future__ import annotations

from typing import NamedTuple


class RenderOptions(NamedTuple):
    """`image_hosts` has the host names whose pictures are shown. Pictures of other hosts become links.

    A picture from a foreign server tells that server who reads the answer. A model that was tricked can even write what
    it knows into the picture's address.
    """

    image_hosts: frozenset[str] = frozenset()
