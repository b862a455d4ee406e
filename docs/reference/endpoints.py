"""The addresses of the API, one entry for each name of `streaming.urls`, with what each method takes and gives.

An address without an entry, or an entry without an address, stops `make reference`.
"""

from __future__ import annotations

from docs.reference.bodies import (
    AgentEvent,
    BranchRequest,
    ChatRequest,
    DeletedAll,
    Entry,
    Exported,
    GivenConversation,
    Listed,
    MadeShare,
    Providers,
    RunRequest,
    Shares,
    Stopped,
    StopRequest,
    StreamChunk,
    Uploaded,
)
from docs.reference.operation import EVENTS, JSON, TEXT, Answer, Methods, Operation, Query
from streaming.errors import (
    BadRequest,
    Conflict,
    NotAsync,
    NotFound,
    OverBudget,
    TooLarge,
    TooManyRequests,
    UnsupportedFile,
)
from streaming.intake import Changes, Opinion, ShareOptions

PARAMETERS = {
    "key": "The id of the conversation. The client chooses it.",
    "message_id": "The id of the message, as the client knows it.",
    "pk": "The id of the file.",
    "share_id": "The id of the shared link.",
    "token": "The secret of a shared link.",
}
"""The variable parts of the addresses."""

CURSOR = r"^\d{1,10}(-[0-9a-f]{8})?$"
NAMED_IDS = Query("named", "With `1`, the id of each event names its answer: `12-3f2a91c0`, not `12`.", {"const": "1"})
HTML_TOO = Query("html", "With `1`, the HTML of the texts follows in `data-html` chunks.", {"const": "1"})
STREAM = Answer("The answer as server-sent events. The last one is `data: [DONE]`.", StreamChunk, (EVENTS,))
RUN = Answer("The run as events of AG-UI.", AgentEvent, (EVENTS,))
DONE = Answer("It is done. There is no body.")
MEASURED = Answer("The figures. Most of them need the site's token.", media=(JSON, TEXT))
NOT_OWNED = (NotAsync,)
"""The refusals of addresses that belong to no owner."""

ENDPOINTS: dict[str, Methods] = {
    "api_chat": {
        "GET": Operation(
            "List the conversations. Pinned ones come first, then the newest. A page has 40.",
            {200: Answer("One page of the list.", Listed)},
            queries=(
                Query("q", "Words that the title or the messages must contain."),
                Query("page", "The number of the page, from 1.", {"type": "integer", "minimum": 1}),
            ),
        ),
        "POST": Operation(
            "Send a message and stream its answer. The same message id joins the answer that it began.",
            {200: STREAM},
            body=ChatRequest,
            queries=(NAMED_IDS, HTML_TOO),
            errors=(BadRequest, NotFound, Conflict, TooLarge, UnsupportedFile, TooManyRequests, OverBudget),
        ),
        "DELETE": Operation(
            "Delete all conversations and their files. The app first stops the answers that are being written.",
            {200: Answer("How many were deleted.", DeletedAll)},
            queries=(Query("confirm", "Required, so that a forgotten id deletes nothing.", {"const": "all"}),),
            errors=(BadRequest,),
        ),
    },
    "api_stream": {
        "GET": Operation(
            "Resume an answer. The stream begins after the event that the client names.",
            {200: STREAM, 204: Answer("The client has seen everything, or there is no such conversation yet.")},
            queries=(
                Query("after", "The id of the last event that the client has; 0 for all events.", {"pattern": CURSOR}),
                Query("Last-Event-ID", "The same, as an `EventSource` sends it. It wins over `after`.", place="header"),
                NAMED_IDS,
                HTML_TOO,
            ),
            errors=(BadRequest, TooManyRequests),
        )
    },
    "api_stop": {
        "POST": Operation(
            "Stop the answer. What has arrived is kept.",
            {200: Answer("What became of the answer.", Stopped)},
            body=StopRequest,
            errors=(NotFound,),
        )
    },
    "api_branch": {
        "POST": Operation(
            "Show another branch. The app shows the newest path through the message.",
            {200: Answer("The conversation, as `GET` gives it.", GivenConversation)},
            body=BranchRequest,
            errors=(BadRequest, NotFound, Conflict, TooLarge),
        )
    },
    "api_conversation": {
        "GET": Operation(
            "Load a conversation. An answer that is being written is not included: the stream has it.",
            {200: Answer("The path that is shown.", GivenConversation)},
            errors=(NotFound,),
        ),
        "PATCH": Operation(
            "Rename or pin a conversation. Keys that are left out stay as they are.",
            {200: Answer("The entry in the list.", Entry)},
            body=Changes,
            errors=(BadRequest, NotFound, TooLarge),
        ),
        "DELETE": Operation(
            "Delete a conversation. Its messages and files go with it.",
            {204: DONE},
            errors=(NotFound, Conflict),
        ),
    },
    "api_export": {
        "GET": Operation(
            "Download a conversation. The file has the path that is shown.",
            {200: Answer("The file.", Exported, (JSON, "text/markdown"))},
            queries=(Query("format", "The default is `markdown`.", {"enum": ["markdown", "json"]}),),
            errors=(BadRequest, NotFound),
        )
    },
    "api_feedback": {
        "PUT": Operation(
            "Store the owner's opinion of an answer. It replaces an older one.",
            {200: Answer("The opinion as it is stored.", Opinion)},
            body=Opinion,
            errors=(BadRequest, NotFound, Conflict, TooLarge),
        ),
        "DELETE": Operation(
            "Remove the owner's opinion of an answer. If there is none, nothing happens.",
            {204: DONE},
            errors=(NotFound, Conflict),
        ),
    },
    "api_shares": {
        "GET": Operation(
            "List the shared links of a conversation. Their addresses are not stored.",
            {200: Answer("The links that work.", Shares)},
            errors=(NotFound,),
        ),
        "POST": Operation(
            "Share a conversation as it is now. Only this response contains the address of the link.",
            {201: Answer("The link.", MadeShare)},
            body=ShareOptions,
            errors=(BadRequest, NotFound, Conflict, TooLarge, TooManyRequests),
        ),
        "DELETE": Operation("Revoke all shared links of a conversation.", {204: DONE}, errors=(NotFound,)),
    },
    "api_share": {"DELETE": Operation("Revoke one shared link.", {204: DONE}, errors=(NotFound,))},
    "shared_file": {
        "GET": Operation(
            "Download a file behind a shared link. The owner must have chosen to share files.",
            {200: Answer("The content.", media=("*/*",))},
            errors=(NotFound,),
            always=NOT_OWNED,
        )
    },
    "api_agui": {
        "POST": Operation(
            "Send a message over AG-UI and stream the run. Outputs of tools and decisions continue an answer.",
            {200: RUN},
            body=RunRequest,
            errors=(BadRequest, NotFound, Conflict, TooLarge, UnsupportedFile, TooManyRequests, OverBudget),
        )
    },
    "api_agui_thread": {
        "GET": Operation(
            "Load a conversation over AG-UI, or take up a running answer.",
            {200: RUN},
            queries=(
                Query("after", "The id of the last event that the client has."),
                Query("Last-Event-ID", "The same, as an `EventSource` sends it. It wins over `after`.", place="header"),
            ),
            errors=(BadRequest, TooManyRequests),
        )
    },
    "api_providers": {
        "GET": Operation(
            "List the models to choose from. A message names one as `provider`.",
            {200: Answer("The providers.", Providers)},
        )
    },
    "api_files": {
        "POST": Operation(
            "Upload a file. A message can then name its address.",
            {201: Answer("The stored file.", Uploaded)},
            form={"file": {"type": "string", "format": "binary"}},
            errors=(BadRequest, TooLarge, UnsupportedFile, TooManyRequests),
        )
    },
    "api_file": {
        "GET": Operation(
            "Download a file. It is served to its owner, and to staff who may read messages.",
            {200: Answer("The content.", media=("*/*",)), 304: Answer("The client has it already (`If-None-Match`).")},
            errors=(NotFound,),
        )
    },
    "health": {
        "GET": Operation(
            "Ask if this process takes requests. Load balancers ask here.",
            {
                200: MEASURED,
                503: Answer("The process is told to end, or the database does not answer.", media=(JSON, TEXT)),
            },
            always=NOT_OWNED,
        )
    },
    "metrics": {
        "GET": Operation(
            "Read the metrics. The site's token is needed, as `Authorization: Bearer …`.",
            {200: MEASURED},
            errors=(NotFound,),
            always=NOT_OWNED,
        )
    },
    "probe": {
        "GET": Operation(
            "Stream the time. `manage.py stream_doctor` measures this stream. The app asks no model.",
            {200: Answer("`data-probe` events, and `data: [DONE]`.", media=(EVENTS,))},
            queries=(Query("plan", "The plan, signed with the site's secret key."),),
            errors=(NotFound,),
            always=NOT_OWNED,
        )
    },
}
