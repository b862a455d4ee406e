"""The meanings of database errors: the numbers and words of each driver, in one table.

Sources: PostgreSQL's appendix "Error Codes", MySQL's and MariaDB's server and client error references, and SQLite's
result codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from django.db import Error as DatabaseTrouble
from django.db import OperationalError
from django.utils.translation import gettext as _

from streaming.errors import SITE_FAULT, Overloaded, RequestError, SiteFault


class Trouble(Enum):
    """A kind of database error. The value is its code in the log, and the words for those who operate the site."""

    NOT_MIGRATED = "database_not_migrated", "A table or a column is missing. Run `manage.py migrate`"
    BUSY = "database_busy", "The database was locked, or had no connection left"
    AWAY = "database_away", "The database could not be reached"
    REFUSED = "database_refused", "The database reported an error"

    @property
    def passes(self) -> bool:
        """True if the same work may succeed later without anybody's help."""
        return self in (Trouble.BUSY, Trouble.AWAY)


SQLSTATES: dict[str | None, Trouble] = {
    "42P01": Trouble.NOT_MIGRATED,  # undefined_table
    "42703": Trouble.NOT_MIGRATED,  # undefined_column
    "40001": Trouble.BUSY,  # serialization_failure
    "40P01": Trouble.BUSY,  # deadlock_detected
    "53300": Trouble.BUSY,  # too_many_connections
    "55P03": Trouble.BUSY,  # lock_not_available
    "57014": Trouble.BUSY,  # query_canceled, by a timeout
    "08000": Trouble.AWAY,  # connection_exception, and its kinds
    "08001": Trouble.AWAY,
    "08003": Trouble.AWAY,
    "08004": Trouble.AWAY,
    "08006": Trouble.AWAY,
    "57P01": Trouble.AWAY,  # admin_shutdown
    "57P02": Trouble.AWAY,  # crash_shutdown
    "57P03": Trouble.AWAY,  # cannot_connect_now
}
MYSQL_NUMBERS: dict[int | None, Trouble] = {
    1054: Trouble.NOT_MIGRATED,  # ER_BAD_FIELD_ERROR
    1146: Trouble.NOT_MIGRATED,  # ER_NO_SUCH_TABLE
    1040: Trouble.BUSY,  # ER_CON_COUNT_ERROR
    1205: Trouble.BUSY,  # ER_LOCK_WAIT_TIMEOUT
    1213: Trouble.BUSY,  # ER_LOCK_DEADLOCK
    1969: Trouble.BUSY,  # ER_STATEMENT_TIMEOUT, MariaDB
    3024: Trouble.BUSY,  # ER_QUERY_TIMEOUT, MySQL
    1053: Trouble.AWAY,  # ER_SERVER_SHUTDOWN
    1927: Trouble.AWAY,  # ER_CONNECTION_KILLED, MariaDB
    2002: Trouble.AWAY,  # CR_CONNECTION_ERROR
    2003: Trouble.AWAY,  # CR_CONN_HOST_ERROR
    2006: Trouble.AWAY,  # CR_SERVER_GONE_ERROR
    2013: Trouble.AWAY,  # CR_SERVER_LOST
}
# The codes of a transaction that was undone and may succeed when it is repeated.
DEADLOCKS: frozenset[int | str | None] = frozenset({"40P01", "40001", 1213})
SQLITE_CODES = {5: Trouble.BUSY, 6: Trouble.BUSY, 10: Trouble.AWAY, 14: Trouble.AWAY}  # BUSY, LOCKED, IOERR, CANTOPEN
# Drivers have classes of their own under these names, and so has psycopg_pool.
WITHOUT_SERVER = {
    "OperationalError": Trouble.AWAY,
    "InterfaceError": Trouble.AWAY,
    "PoolTimeout": Trouble.BUSY,
    "TooManyRequests": Trouble.BUSY,
}
# SQLite has one code for all mistakes in a statement.
SQLITE_MISSING = re.compile(r"no such (table|column)|has no column named")


def trouble_of(error: BaseException) -> Trouble | None:
    """Returns the kind of a database error.

    Returns None for a mistake of the code, for example a constraint that is broken, and for any other exception.
    """
    if not isinstance(error, DatabaseTrouble):
        return None
    cause = error.__cause__ or error
    number, sqlstate = _server_codes(cause)
    code = getattr(cause, "sqlite_errorcode", None)
    has_answered = any(one is not None for one in (number, sqlstate, code))
    known = _of_sqlite(cause, code) or MYSQL_NUMBERS.get(number) or SQLSTATES.get(sqlstate)
    known = known or (None if has_answered else WITHOUT_SERVER.get(type(cause).__name__))
    return known or (Trouble.REFUSED if isinstance(error, OperationalError) else None)


def is_deadlock(error: BaseException) -> bool:
    """Returns True if the database undid the transaction so that another one could go on."""
    return not DEADLOCKS.isdisjoint(_server_codes(error.__cause__ or error))


def _server_codes(cause: BaseException) -> tuple[int | None, str | None]:
    """Returns MySQL's number and PostgreSQL's SQLSTATE of a driver's exception, as far as it has them."""
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    return number, getattr(cause, "sqlstate", None)


def _of_sqlite(cause: BaseException, code: int | None) -> Trouble | None:
    if code is None:
        return None
    is_missing = SQLITE_MISSING.search(str(cause))
    return Trouble.NOT_MIGRATED if is_missing else SQLITE_CODES.get(code & 0xFF)  # the higher bytes say more


def told(error: BaseException) -> str:
    """Returns the code and the words for the log, or the name of the exception. They hold no values and no address."""
    kind = trouble_of(error)
    if kind is None:
        return type(error).__name__
    code, words = kind.value
    detail = str(error).partition("\n")[0] if kind is Trouble.NOT_MIGRATED else type(error).__name__
    return f"{code}: {words} ({detail})"


def advice(error: BaseException) -> str | None:
    """Returns the words for those who operate the site, with the database's own. Returns None if `trouble_of` does.

    The database's words may name its address, so they are for a terminal only.
    """
    kind = trouble_of(error)
    return None if kind is None else f"{kind.value[1]}: {str(error).partition(chr(10))[0]}"


def refusal_of(error: BaseException) -> RequestError | None:
    """Returns what people are told of a database error. Returns None if `trouble_of` does."""
    kind = trouble_of(error)
    return None if kind is None else REFUSALS[kind]()


REFUSALS: dict[Trouble, Callable[[], RequestError]] = {
    Trouble.NOT_MIGRATED: lambda: SiteFault(_(SITE_FAULT)),
    Trouble.REFUSED: lambda: SiteFault(_(SITE_FAULT)),
    Trouble.BUSY: lambda: Overloaded(_("The site's database is busy. Try again in a moment.")),
    Trouble.AWAY: lambda: Overloaded(_("The site's database is away. Try again in a moment.")),
}
