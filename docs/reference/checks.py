"""The words of docs/checks.md: one entry for each id in `streaming.checks`, with what it says and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import streaming.checks

HEAD = "| id | stops | says | what to do |\n|---|---|---|---|\n"

CHECKS: dict[str, tuple[str, str]] = {
    "streaming.E001": (
        "`STREAMING_PROVIDERS` is not set.",
        'Name at least one provider, under `"default"`.',
    ),
    "streaming.E002": (
        "`STREAMING_PROVIDERS`, or one of its entries, has the wrong shape.",
        "Use a dict: alias (at most 64 characters) → dict with `BACKEND` (a dotted path) and, if needed, `OPTIONS` (a "
        "dict).",
    ),
    "streaming.E003": (
        "An entry has a key other than `BACKEND`, `OPTIONS`, `TOOLS`, `FALLBACK`, `CONTEXT` and `LABEL`.",
        "Use the name that the hint suggests.",
    ),
    "streaming.E004": (
        'There is no `"default"` alias.',
        'Rename one of the aliases. The app uses `"default"` when nobody names an alias.',
    ),
    "streaming.E005": (
        "A `BACKEND` cannot be imported, or is not a provider.",
        "Name a provider class. The message says what failed.",
    ),
    "streaming.E006": (
        "A provider's package is not installed.",
        "Run the `pip install` command of the hint.",
    ),
    "streaming.E007": (
        "A provider names no model.",
        'Set `OPTIONS["model"]`.',
    ),
    "streaming.E008": (
        "A provider does not know one of its `OPTIONS`.",
        "Use the name that the hint suggests.",
    ),
    "streaming.E009": (
        "An option has a wrong value.",
        "Correct it. The message names the option and the values that it can have.",
    ),
    "streaming.W010": (
        "A provider has no API key.",
        'Set `OPTIONS["api_key"]`, or the vendor\'s environment variable. A server that `base_url` names may '
        "not need a key.",
    ),
    "streaming.W011": (
        "There is no setting of that name.",
        "Use the name that the hint suggests, or remove the setting.",
    ),
    "streaming.E012": (
        "A setting has the wrong type or is out of range.",
        "The message says what it must be. [settings.md](settings.md) has the defaults.",
    ),
    "streaming.E013": (
        "`STREAMING_LEASE_SECONDS` is shorter than five times `STREAMING_TICK_SECONDS`.",
        "Make the lease longer or the tick shorter: each tick renews the lease.",
    ),
    "streaming.E014": (
        "A tool of `STREAMING_TOOLS` cannot be imported, is not a tool, cannot become a tool, or has the name "
        "of another tool.",
        "The message says which tool and why. [tools.md](tools.md) has the rules.",
    ),
    "streaming.E015": (
        "A provider's `TOOLS` is no list of names, or names a tool that the site does not have.",
        "Use the name that the hint suggests, or add the tool to `STREAMING_TOOLS`.",
    ),
    "streaming.E016": (
        "A provider's `FALLBACK` is not a list of other providers: it is empty, or names an unknown alias, the "
        "provider itself, or one alias twice.",
        "Correct what the text names. [fallback.md](fallback.md) has the rules.",
    ),
    "streaming.E017": (
        "An entry of `STREAMING_MCP_SERVERS` is wrong.",
        "The message says what it may have. [mcp.md](mcp.md) has the entries.",
    ),
    "streaming.E018": (
        "`STREAMING_MCP_SERVERS` is set, but the package `mcp` is missing.",
        'Run `pip install "django-llm-streaming[mcp]"`.',
    ),
    "streaming.E019": (
        "A tool of the site has a name that begins with the name of an MCP server and `__`.",
        "Rename the tool or the server. Otherwise the two could not be told apart.",
    ),
    "streaming.W020": (
        "`ASGI_APPLICATION` is not set.",
        "Set it, and serve it with Daphne or uvicorn. Under WSGI the API answers 501.",
    ),
    "streaming.W021": (
        "`daphne` is not in `INSTALLED_APPS`.",
        "Put it first, so that `runserver` uses ASGI. Silence this check if you never use `runserver`.",
    ),
    "streaming.E022": (
        "The session middleware or the authentication middleware is missing.",
        "Add it, and its app. A subclass is also accepted.",
    ),
    "streaming.W023": (
        'With `--deploy`: anonymous conversations are allowed, and `ALLOWED_HOSTS` contains `"*"`.',
        'Name the hosts. With `"*"`, another site can point its own host name to this site, and its requests '
        "then count as same-origin.",
    ),
    "streaming.W024": (
        "With `--deploy`: `ASGI_APPLICATION` is not wrapped in `StreamingApplication`.",
        "Make it the outermost wrapper in `asgi.py`: see [deployment.md](deployment.md).",
    ),
    "streaming.W025": (
        "With `--deploy`: anonymous conversations are allowed. Limits per owner have no effect on a client "
        "that sends no cookie.",
        "Limit requests by address in front of the site, or require people to sign in. Then silence this check.",
    ),
    "streaming.E026": (
        "`STREAMING_TITLES` names no provider of `STREAMING_PROVIDERS`.",
        "Use the alias that the hint suggests, or add the provider.",
    ),
    "streaming.E027": (
        "A provider's `CONTEXT` is wrong: an unknown key, a policy that does not exist or cannot be imported, a number "
        "out of range, an unknown `summarizer`, or `vendor` for a dialect without compaction.",
        "The message says which. [long-conversations.md](long-conversations.md) has the keys.",
    ),
    "streaming.W028": (
        "`ROOT_URLCONF` does not include the app's URLs.",
        'Add `path("chat/", include("streaming.urls"))`. Silence this check if only '
        "[your own code](own-code.md) asks models.",
    ),
    "streaming.W029": (
        "The prefix of the app's URLs does not end with a slash.",
        'Write `path("chat/", …)`. Without the slash, the addresses are `/chatapi/chat` and the like.',
    ),
    "streaming.W030": (
        "The SQLite database lets transactions begin as readers.",
        'Set `OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}`. Writers then wait for each other '
        "instead of failing.",
    ),
    "streaming.W031": (
        "The database keeps its connections (`CONN_MAX_AGE`) under ASGI.",
        "Set it to 0. On PostgreSQL use Django's pool.",
    ),
    "streaming.W032": (
        "If the PostgreSQL server vanishes, its clients wait for minutes.",
        'Set `OPTIONS = {"connect_timeout": 5, "tcp_user_timeout": 20_000}`. The first is the limit for '
        "connecting, in seconds. The second is the limit until the server confirms sent data, in "
        "milliseconds.",
    ),
    "streaming.W033": (
        "PostgreSQL runs under ASGI without Django's pool: every request opens its own connection.",
        'Set `OPTIONS["pool"] = {"min_size": 2, "max_size": 8}`, and run `pip install "psycopg[pool]"`. '
        "Silence this check if you use PgBouncer.",
    ),
    "streaming.E034": (
        "A database router writes some of the app's models, or users, to another database than conversations.",
        "Let `db_for_write` name one database for all of them. `db_for_read` may name any: the app reads its "
        "rows where it writes them.",
    ),
    "streaming.E035": (
        "A database router writes conversations to a database and does not allow the tables there.",
        "Let `allow_migrate` return True or None for them.",
    ),
    "streaming.E040": (
        "`STREAMING_REDIS_URL` is not the address of a Redis server.",
        "Use `redis://host:6379/0`, `rediss://` for TLS, or `unix:///path`.",
    ),
    "streaming.E041": (
        "`STREAMING_REDIS_URL` is set, but the package `redis` is missing.",
        'Run `pip install "django-llm-streaming[redis]"`, or remove the setting.',
    ),
    "streaming.W042": (
        "The site has its own channel layer, the core layer of `channels_redis` with redis 8 or newer. It "
        "loses idle consumers.",
        'Set `"socket_timeout": None` for its hosts, or use the pub/sub layer.',
    ),
    "streaming.E050": (
        "`STREAMING_FILES_STORAGE` is not an alias in `STORAGES`.",
        "Use an alias that the hint names, or add an alias to `STORAGES`.",
    ),
    "streaming.W051": (
        "With `--deploy`: uploaded files would go to the directory in which the server is started.",
        "Set `MEDIA_ROOT`, or use a storage with its own location, or set `STREAMING_FILE_TYPES = []`.",
    ),
    "streaming.E060": (
        "An entry of `STREAMING_PRICES` is wrong: no model, no input or output price, an unknown entry, an "
        "amount that is negative or no number.",
        "Correct what the text names.",
    ),
    "streaming.E061": (
        "An entry of `STREAMING_BUDGETS` is wrong: an unknown scope, period or unit, or a limit that is "
        "negative or no number.",
        "Correct what the text names.",
    ),
    "streaming.E062": (
        "The function of `STREAMING_QUOTA` cannot be imported or called.",
        "Name a function that takes the owner and the provider's alias.",
    ),
    "streaming.W063": (
        "`STREAMING_BUDGETS` limits money, but no prices in `STREAMING_CURRENCY` are known.",
        'Set `STREAMING_PRICES`, or run `pip install "django-llm-streaming[prices]"`, whose prices are in USD.',
    ),
    "streaming.E064": (
        "`STREAMING_REDACT` cannot be imported, or is not a function.",
        "Name a function that takes a part and returns it, or None to leave it out.",
    ),
    "streaming.E065": (
        "`STREAMING_TELEMETRY` is on, but the package `opentelemetry-api` is missing.",
        'Run `pip install "django-llm-streaming[otel]"`.',
    ),
    "streaming.E067": (
        "A view of `object_view` asks a provider that does not exist, or one whose own mode cannot express the type.",
        'Name another provider, change the type, or set `OPTIONS["structured"]` to `"tool"` or `"prompt"`. '
        "[structured-output.md](structured-output.md) says what can be expressed.",
    ),
}


def ids() -> set[str]:
    """The ids that stand in the code of the checks."""
    files = Path(streaming.checks.__path__[0]).glob("*.py")
    return {found for path in files for found in re.findall(r"streaming\.[EW]\d{3}", path.read_text())}


def problems() -> list[str]:
    """What CHECKS lacks, and what it has too much."""
    missing = (f"{one}: the check has no entry in CHECKS (docs/reference/checks.py)." for one in ids() - CHECKS.keys())
    extra = (f"{one}: there is no such check any more. Remove it from CHECKS." for one in CHECKS.keys() - ids())
    return sorted([*missing, *extra])


def filled(page: str) -> str:
    """The page with a new table: the ids in the order of their numbers, whatever their level."""
    rows = "".join(map(_row, sorted(CHECKS, key=lambda one: one[-3:])))
    before, after = page.partition("| id |")[0], page.partition("\n## ")[2]
    return f"{before}{HEAD}{rows}\n## {after}"


def _row(check_id: str) -> str:
    says, remedy = CHECKS[check_id]
    return f"| `{check_id}` | {'yes' if '.E' in check_id else ''} | {says} | {remedy} |\n"
