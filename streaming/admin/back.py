"""The page of the admin to which a form leads back."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def page_to_return_to(request: HttpRequest, named: str, otherwise: str) -> str:
    """Returns the address that the request has `named`. Only one of this site is believed."""
    is_ours = url_has_allowed_host_and_scheme(named, {request.get_host()}, require_https=request.is_secure())
    return named if is_ours else otherwise
