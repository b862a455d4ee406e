import { markContext } from "./context.js";
import { countSeconds, durationOf, sayDuration } from "./durations.js";
import { Message } from "./message.js";

/** What each type of chunk does to an answer. Types that are missing here have nothing to show. */
const APPLY = {
  "start": (answer, { messageId }) => answer.start(messageId),
  "text-start": (answer, { id }) => answer.open(id, "text"),
  "text-delta": (answer, { id, delta }) => answer.write(id, delta),
  "text-end": (answer, chunk) => chunk.providerMetadata?.streaming?.is_reasoning && answer.recast(chunk.id),
  "data-html": (answer, { data }) => answer.html(data),
  "reasoning-start": (answer, { id }) => answer.think(id),
  "reasoning-delta": (answer, { id, delta }) => answer.write(id, delta),
  "reasoning-end": (answer, chunk) => sayDuration(answer.byId.get(chunk.id), durationOf(chunk), answer.chat.texts),
  "tool-input-start": (answer, chunk) => answer.tool(chunk, "input-streaming"),
  "tool-input-delta": (answer, { toolCallId, inputTextDelta }) => answer.write(toolCallId, inputTextDelta),
  "tool-input-available": (answer, chunk) => answer.tool(chunk, "input-available"),
  "tool-input-error": (answer, chunk) => answer.tool(chunk, "output-error"),
  "tool-output-available": (answer, chunk) => answer.tool(chunk, "output-available"),
  "tool-output-error": (answer, chunk) => answer.tool(chunk, "output-error"),
  "tool-approval-request": (answer, chunk) => answer.tool(chunk, "approval-requested"),
  "tool-output-denied": (answer, chunk) => answer.tool(chunk, "output-denied"),
  "file": (answer, chunk) => answer.file(chunk),
  "message-metadata": (answer, { messageMetadata }) => Object.assign(answer.metadata, messageMetadata),
  "error": (answer, { errorText }) => answer.finish({ error: errorText }),
  "finish": (answer, { messageMetadata }) => answer.finish(messageMetadata),
};

/**
 * An answer while it is written.
 * `isOver` becomes true at its end. `isAnother` becomes true if the stream brings another message than the page shows.
 */
export class Answer extends Message {
  constructor(chat, article) {
    super(chat, article);
    Object.assign(this, { metadata: {}, isOver: false, isAnother: false, thinkingSince: new Map() });
  }

  /**
   * Draws chunks. A replay is drawn aside, and takes the place of what is shown once it is as long. So nothing flashes,
   * and no screen reader reads a text twice.
   */
  apply(chunks) {
    for (const chunk of chunks) APPLY[chunk.type]?.(this, chunk);
    if (this.parts === this.shown) return;
    if (!this.isOver && this.parts.textContent.length < this.shown.textContent.length) return;
    this.shown.replaceWith(this.parts);
    this.shown = this.parts;
  }

  /** Begins the answer anew. Each connection to the stream replays the answer from its start. */
  start(messageId) {
    const known = this.article.dataset.message;
    this.isAnother = Boolean(known) && known !== messageId;
    this.article.dataset.message = messageId;
    this.clearNote();
    clearInterval(this.counting); // an earlier replay may have broken off before it was shown
    this.parts = this.shown.cloneNode(false);
    this.byId.clear();
  }

  /** Begins reasoning. A replay counts its seconds from the time when this page saw it begin. */
  think(id) {
    if (!this.thinkingSince.has(id)) this.thinkingSince.set(id, Date.now());
    this.counting = countSeconds(this.open(id, "reasoning"), this.thinkingSince.get(id), this.chat.texts);
  }

  /** Makes a text a reasoning: only its end told that it was one. The server does the same after a reload. */
  recast(id) {
    const text = this.byId.get(id);
    const card = this.open(id, "reasoning");
    text.replaceWith(card);
    this.write(id, text.written ?? "");
  }

  /** Ends the answer. If it is not whole, a note says why. */
  finish(metadata) {
    const { error } = Object.assign(this.metadata, metadata);
    const kind = this.noteKind();
    const text = error ?? this.chat.texts[kind];
    this.isOver = true;
    this.clearNote();
    if (text) this.note(kind ?? "failed", text);
    this.tellUsage(this.metadata.usage);
    markContext(this.chat, this.metadata.context);
    if (error) this.chat.report("error", { kind: kind ?? "failed", message: error });
  }

  /** Returns the status or finish reason of which a note tells, if there is one. The server has the same rule. */
  noteKind() {
    const { status, finishReason, error } = this.metadata;
    const { texts } = this.chat;
    if (error || status in texts) return status;
    const isEmpty = status === "finished" && !this.parts.querySelector(":scope > :not(.chat-reasoning, .chat-text:empty)");
    return isEmpty && !(finishReason in texts) ? "empty" : finishReason;
  }

  /** Says how many tokens the answer took, if the site shows that. */
  tellUsage({ inputTokens, outputTokens } = {}) {
    const place = this.article.querySelector("[data-usage]"); // missing if the site does not show it
    const pattern = this.chat.texts.tokens;
    if (place && outputTokens) place.textContent = pattern.replace("{input}", inputTokens ?? "?").replace("{output}", outputTokens);
  }
}
