"""The stream doctor measures one stream at several places on its way, and says at which one it goes wrong.

`layers` opens the stream: from the view, through the middleware, over HTTP. `findings` judges what arrived.
"""

from __future__ import annotations

from streaming.management.doctor.findings import Finding, findings
from streaming.management.doctor.layers import behind_middleware, culprit, over_http, view_alone
from streaming.management.doctor.measurement import Measurement

__all__ = ["Finding", "Measurement", "behind_middleware", "culprit", "findings", "over_http", "view_alone"]
