/*
 * <streaming-chat>: sends messages, shows answers while they stream, stops them, and finds them again after a lost
 * connection or a reload.
 *
 * What it puts on the page it clones from the <template>s that the server rendered, and fills with text: data never
 * becomes HTML. It is one file without imports, because hashed static files leave the paths of imports behind.
 */

const FIRST_PAUSE = 500; // ms before the first attempt to reconnect; doubles with each one
const LONGEST_PAUSE = 15_000;
const REMINDER = 7_000; // ms between "still answering" for those who listen
const NEAR = 64; // px from the end that count as being at the end

// The server's own pages, and nothing else, may be parsed as HTML.
const trusted = globalThis.trustedTypes?.createPolicy("streaming-chat", { createHTML: (html) => html });
const parse = (html) => new DOMParser().parseFromString(trusted?.createHTML(html) ?? html, "text/html");

const isTouch = matchMedia("(pointer: coarse)");

const newId = () =>
  crypto.randomUUID?.() ?? // only there on https and localhost
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { once: true });
  });

/** The chunks of a UI message stream, one array for each read: what arrives together is shown together. */
async function* readChunks(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = frames.pop();
    yield frames.flatMap(chunkIn);
  }
}

function chunkIn(frame) {
  const data = frame.split("\n").find((line) => line.startsWith("data: "))?.slice(6);
  return data && data !== "[DONE]" ? [JSON.parse(data)] : [];
}

const readable = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** What each chunk does to an answer. Chunks that are not named here have nothing to show. */
const APPLY = {
  "start": (answer, { messageId }) => answer.start(messageId),
  "text-start": (answer, { id }) => answer.open(id, "text"),
  "text-delta": (answer, { id, delta }) => answer.write(id, delta),
  "reasoning-start": (answer, { id }) => answer.open(id, "reasoning"),
  "reasoning-delta": (answer, { id, delta }) => answer.write(id, delta),
  "tool-input-start": (answer, chunk) => answer.openTool(chunk),
  "tool-input-delta": (answer, { toolCallId, inputTextDelta }) => answer.write(toolCallId, inputTextDelta),
  "tool-input-available": (answer, chunk) => answer.showInput(chunk, "input-available"),
  "tool-input-error": (answer, chunk) => answer.showOutput(chunk, "output-error", chunk.errorText),
  "tool-output-available": (answer, chunk) => answer.showOutput(chunk, "output-available", chunk.output),
  "tool-output-error": (answer, chunk) => answer.showOutput(chunk, "output-error", chunk.errorText),
  "file": (answer, { url, mediaType }) => answer.showFile(url, mediaType),
  "message-metadata": (answer, { messageMetadata }) => answer.describe(messageMetadata),
  "finish": (answer, { messageMetadata }) => answer.finish(messageMetadata ?? {}),
  "error": (answer, { errorText }) => answer.fail("failed", errorText),
};

/** One message on the page, while it is being written. */
class Answer {
  constructor(chat, article) {
    this.chat = chat;
    this.article = article;
    this.shown = article.querySelector(".chat-parts");
    this.parts = this.shown; // after a reconnection: the same answer once more, until it has caught up
    this.byId = new Map();
    this.metadata = {};
    this.isOver = false;
    this.isAnother = false;
  }

  apply(chunks) {
    for (const chunk of chunks) APPLY[chunk.type]?.(this, chunk);
    const hasCaughtUp = this.isOver || this.parts.textContent.length >= this.shown.textContent.length;
    if (this.parts !== this.shown && hasCaughtUp) {
      this.shown.replaceWith(this.parts);
      this.shown = this.parts;
    }
  }

  start(messageId) {
    const known = this.article.dataset.message;
    this.isAnother = Boolean(known) && known !== messageId;
    this.article.dataset.message = messageId;
    this.article.querySelector(".chat-note")?.remove();
    this.parts = this.shown.cloneNode(false);
    this.byId.clear();
  }

  open(id, kind) {
    const part = this.chat.clone(kind);
    this.byId.set(id, part);
    this.parts.append(part);
    return part;
  }

  /** Let a part grow. The one place where text becomes part of the page. */
  write(id, delta) {
    const content = this.byId.get(id).closest("[data-content]") ?? this.byId.get(id).querySelector("[data-content]");
    (content.lastChild ?? content.appendChild(new Text())).appendData(delta);
  }

  openTool({ toolCallId, toolName }) {
    const card = this.open(toolCallId, "tool");
    card.dataset.state = "input-streaming";
    card.querySelector("[data-name]").textContent = toolName;
  }

  showInput(chunk, state) {
    if (!this.byId.has(chunk.toolCallId)) this.openTool(chunk);
    const card = this.byId.get(chunk.toolCallId);
    card.dataset.state = state;
    card.querySelector("[data-content]").textContent = readable(chunk.input);
  }

  showOutput(chunk, state, output) {
    if ("input" in chunk) this.showInput(chunk, state);
    const card = this.byId.get(chunk.toolCallId);
    card.dataset.state = state;
    card.open ||= state === "output-error";
    card.querySelector("[data-output]").textContent = readable(output);
  }

  showFile(url, label) {
    const link = this.chat.clone("file");
    link.textContent = label;
    if (/^(https?|data):/.test(url)) link.href = url;
    this.parts.append(link);
  }

  describe(metadata) {
    Object.assign(this.metadata, metadata);
  }

  finish(metadata) {
    this.describe(metadata);
    this.isOver = true;
    const { status, finishReason } = this.metadata;
    const text = this.metadata.error ?? this.chat.texts[status] ?? this.chat.texts[finishReason];
    if (text) this.note(status, text);
  }

  fail(kind, text) {
    this.isOver = true;
    this.note(kind, text).setAttribute("role", "alert");
  }

  note(kind, text) {
    this.article.querySelector(".chat-note")?.remove();
    const note = this.chat.clone("note");
    note.dataset.kind = kind;
    note.querySelector("p").textContent = text;
    note.querySelector(".chat-retry").value = this.article.dataset.message;
    this.article.append(note);
    return note;
  }

  get text() {
    return Array.from(this.parts.querySelectorAll(":scope > .chat-text"), (part) => part.textContent).join("\n");
  }
}

/**
 * Keeps a scroller at its end while its reader is there. A scroll to another place than the one it wrote is the
 * reader's: upwards lets go at once, back near the end takes hold again. The browser reports scrolls before resizes,
 * so growing text never overrides a gesture.
 */
class Follower {
  constructor(scroller, button) {
    this.scroller = scroller;
    this.button = button;
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    button.addEventListener("click", () => this.hold());
    const observer = new ResizeObserver(() => this.held && this.toEnd());
    observer.observe(scroller);
    for (const child of scroller.children) observer.observe(child);
    this.hold();
  }

  get distance() {
    return this.scroller.scrollHeight - this.scroller.clientHeight - this.scroller.scrollTop;
  }

  hold() {
    this.set(true);
    this.toEnd();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
  }

  scrolled() {
    const before = this.top;
    this.top = this.scroller.scrollTop;
    const wasClamped = this.distance < 1; // the content became shorter
    if (this.top < before && !wasClamped) this.set(false);
    else if (this.top > before && this.distance < NEAR) this.set(true);
  }

  set(held) {
    this.held = held;
    this.button.hidden = held;
    this.scroller.classList.toggle("chat-held", held); // while held, the browser's own anchoring would interfere
  }
}

class StreamingChat extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.texts = JSON.parse(this.dataset.texts);
    this.form = this.querySelector(".chat-composer");
    this.input = this.form.elements.prompt;
    this.form.noValidate = true; // an empty message is simply not sent
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.addEventListener("keydown", (event) => this.keyPressed(event));
    if (!CSS.supports("field-sizing", "content")) this.input.addEventListener("input", () => this.fit());
    this.follower = new Follower(this.querySelector(".chat-log"), this.querySelector(".chat-jump"));
    if (this.isActive) this.resume();
  }

  get messages() {
    return this.querySelector(".chat-messages");
  }

  get isActive() {
    return this.hasAttribute("data-active");
  }

  address(verb) {
    return `${this.dataset.api}/${encodeURIComponent(this.dataset.conversation)}/${verb}`;
  }

  clone(name) {
    return this.querySelector(`template[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
  }

  say(name) {
    this.querySelector("[role=status]").textContent = this.texts[name] ?? "";
  }

  keyPressed(event) {
    if (event.key === "Escape" && this.isActive) this.stop();
    const isComposing = event.isComposing || event.keyCode === 229; // Safari ends the composition before this event
    if (event.key !== "Enter" || event.shiftKey || isComposing || isTouch.matches || event.target !== this.input) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  submitted(event) {
    event.preventDefault();
    const button = event.submitter;
    if (button?.matches(".chat-stop")) this.stop();
    else if (this.isActive) return;
    else if (button?.name === "regenerate") this.regenerate(button.value);
    else if (this.input.value.trim()) this.send(this.input.value);
  }

  fit() {
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
  }

  setPrompt(text) {
    this.input.value = text;
    this.input.dispatchEvent(new Event("input"));
  }

  add(role) {
    const article = this.clone(role);
    this.messages.append(article);
    return new Answer(this, article);
  }

  async send(prompt) {
    // A message whose fate is unknown is sent again under its old id, so that it is never taken twice.
    const id = this.unsent?.prompt === prompt ? this.unsent.id : newId();
    const key = this.dataset.conversation || this.unsent?.key || newId();
    this.unsent = { prompt, id, key };
    const asked = this.add("user");
    asked.open(id, "text");
    asked.write(id, prompt);
    this.setPrompt("");
    const message = { id, role: "user", parts: [{ type: "text", text: prompt }] };
    const wasAccepted = await this.ask({ id: key, trigger: "submit-message", messages: [message] });
    if (wasAccepted) return;
    asked.article.remove();
    if (!this.input.value) this.setPrompt(prompt);
  }

  async regenerate(messageId) {
    this.messages.querySelector(`[data-message="${CSS.escape(messageId)}"]`)?.remove();
    await this.ask({ id: this.dataset.conversation, trigger: "regenerate-message", messageId, messages: [] });
  }

  /** Post `body` and show its answer to the end; false if the site did not take it. */
  async ask(body) {
    for (const refused of this.messages.querySelectorAll(".chat-refused")) refused.remove();
    const answer = this.add("assistant");
    this.follower.hold();
    return this.answering(answer, async () => {
      this.posting = this.post(body);
      const response = await this.posting;
      if (!response.ok) return this.refuse(answer, response.text ? await response.text() : this.texts.unreachable);
      this.accepted(body.id);
      await this.follow(answer, response);
      return true;
    });
  }

  async post(body) {
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return fetch(this.dataset.api, request).catch(() => ({ ok: false }));
  }

  refuse(answer, text) {
    answer.fail("refused", text);
    answer.article.querySelector(".chat-retry").remove();
    answer.article.classList.add("chat-refused");
    return false;
  }

  accepted(key) {
    const { prompt } = this.unsent ?? {};
    this.unsent = undefined;
    if (this.dataset.conversation) return;
    this.dataset.conversation = key;
    const detail = { url: this.dataset.page?.replace("__key__", encodeURIComponent(key)), title: prompt.trim() };
    this.dispatchEvent(new CustomEvent("streaming-chat:started", { bubbles: true, detail }));
  }

  async resume() {
    const article = Array.from(this.messages.querySelectorAll("[aria-busy]")).at(-1) ?? this.clone("assistant");
    this.messages.append(article);
    const answer = new Answer(this, article);
    await this.answering(answer, () => this.follow(answer));
  }

  /** Show an answer to its end, over as many connections as it takes. */
  async follow(answer, response) {
    for (let ms = FIRST_PAUSE; !answer.isOver; ms = Math.min(2 * ms, LONGEST_PAUSE)) {
      try {
        response ??= await fetch(this.address("stream"));
        if (response.status !== 200 && response.status < 500) return await this.refresh();
        if (response.status === 200) await this.show(answer, response);
        if (answer.isAnother) return await this.refresh();
      } catch (trouble) {
        if (!(trouble instanceof TypeError)) throw trouble; // fetch's word for a network that failed
      }
      if (answer.isOver) return;
      response = undefined;
      answer.note("reconnecting", this.texts.reconnecting);
      this.say("reconnecting");
      await pause(ms);
    }
  }

  async show(answer, response) {
    for await (const chunks of readChunks(response)) answer.apply(chunks);
  }

  /** Take the messages from the server's page: the answer ended while nobody here was looking. */
  async refresh() {
    const page = await fetch(location.href);
    const fresh = parse(await page.text()).querySelector("streaming-chat");
    this.messages.replaceWith(document.adoptNode(fresh.querySelector(".chat-messages")));
  }

  async answering(answer, work) {
    this.toggleAttribute("data-active", true);
    answer.article.setAttribute("aria-busy", "true");
    this.say("answering");
    const reminder = setInterval(() => this.say("stillAnswering"), REMINDER);
    try {
      return await work();
    } catch (trouble) {
      answer.fail("broken", this.texts.broken);
      throw trouble;
    } finally {
      clearInterval(reminder);
      this.toggleAttribute("data-active", false);
      answer.article.removeAttribute("aria-busy");
      this.say(answer.metadata.status === "finished" ? "answered" : "");
      this.querySelector(".chat-announcer").textContent = answer.text;
    }
  }

  async stop() {
    await this.posting; // what the server does not know yet it cannot stop
    const answered = await fetch(this.address("stop"), { method: "POST" }).catch(() => null);
    if (!answered?.ok) this.say("unreachable");
  }
}

customElements.define("streaming-chat", StreamingChat);

/* The page around the chat: a new conversation gets its address, its title, and its place in the list. */
let shownPath = location.pathname;
addEventListener("popstate", () => location.pathname === shownPath || location.reload());

document.addEventListener("streaming-chat:started", ({ detail: { url, title } }) => {
  if (!url) return;
  history.pushState(null, "", url);
  shownPath = location.pathname;
  const line = title.split("\n")[0];
  document.title = line;
  const heading = document.querySelector(".chat-title");
  if (heading) heading.textContent = line;
  document.querySelector(".chat-sidebar [aria-current]")?.removeAttribute("aria-current");
  const list = document.querySelector(".chat-conversations");
  if (!list) return;
  const item = list.querySelector("template").content.firstElementChild.cloneNode(true);
  Object.assign(item.firstElementChild, { href: url, textContent: line });
  list.prepend(item);
});
