"""The options with which commands select conversations."""

from __future__ import annotations

import datetime
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db.models import QuerySet

from streaming.models import Conversation, Owner

AGE = re.compile(r"(\d+)([dhm])")
OLDEST = datetime.timedelta(days=36_500)
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def age(text: str) -> datetime.timedelta:
    """Reads an age such as 90d, 12h or 30m."""
    found = AGE.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no age; write for example 90d, 12h or 30m")
    try:
        read = datetime.timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        read = datetime.timedelta.max
    if read > OLDEST:
        raise ArgumentTypeError(f"{text!r} is too long; the longest age is {OLDEST.days}d")
    return read


def add_owner_arguments(parser: ArgumentParser) -> None:
    """Adds `--user` and `--owner`, of which one may be given."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="USERNAME", help="Only this user's conversations.")
    whose.add_argument("--owner", metavar="KEY", help="Only those of the owner with this key, for example visitor:….")


def of_owner(conversations: QuerySet[Conversation], options: dict[str, Any]) -> QuerySet[Conversation]:
    """Narrows a selection to the owner that the options name."""
    if options["user"] is not None:
        return conversations.filter(owner_key=owner_named(options["user"]).key)
    return conversations.filter(owner_key=options["owner"]) if options["owner"] is not None else conversations


def owner_named(username: str) -> Owner:
    """The owner who is the user of that name.

    Raises:
        CommandError: there is no such user.
    """
    users = get_user_model()
    try:
        return Owner.of_user(users.objects.get_by_natural_key(username).pk)
    except users.DoesNotExist as error:
        raise CommandError(f"There is no user {username!r}. Give the name with which the user signs in.") from error
