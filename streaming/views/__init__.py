"""The edges that speak HTTP: parse, authorise, call one verb, encode."""

from __future__ import annotations
