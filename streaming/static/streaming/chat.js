/*
 * <streaming-chat>: sends messages, shows answers while they are written, stops them, and finds them again after a lost
 * connection or a reload. What it shows it clones from the <template>s that the server rendered and fills with text:
 * data never becomes HTML. One file without imports, because hashed static files leave the paths of imports behind.
 */

const FIRST_PAUSE = 500; // ms before the first attempt to reconnect; doubles with each
const LONGEST_PAUSE = 15_000;
const REMINDER = 7_000; // ms between "still answering" for those who listen
const NEAR = 64; // px from the end that still count as the end

const isTouch = matchMedia("(pointer: coarse)");

// The server's own pages, and nothing else, may be parsed as HTML.
const trusted = globalThis.trustedTypes?.createPolicy("streaming-chat", { createHTML: (html) => html });
const parse = (html) => new DOMParser().parseFromString(trusted?.createHTML(html) ?? html, "text/html");

const readable = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

const newId = () =>
  crypto.randomUUID?.() ?? // there on https and localhost only
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { once: true });
  });

/** The chunks of a UI message stream, an array for each read: what arrives together is shown together. */
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

/** What each chunk does to an answer. Those that are not named have nothing to show. */
const APPLY = {
  "start": (answer, { messageId }) => answer.start(messageId),
  "text-start": (answer, { id }) => answer.open(id, "text"),
  "text-delta": (answer, { id, delta }) => answer.write(id, delta),
  "reasoning-start": (answer, { id }) => answer.open(id, "reasoning"),
  "reasoning-delta": (answer, { id, delta }) => answer.write(id, delta),
  "tool-input-start": (answer, chunk) => answer.tool(chunk, "input-streaming"),
  "tool-input-delta": (answer, { toolCallId, inputTextDelta }) => answer.write(toolCallId, inputTextDelta),
  "tool-input-available": (answer, chunk) => answer.tool(chunk, "input-available"),
  "tool-input-error": (answer, chunk) => answer.tool(chunk, "output-error"),
  "tool-output-available": (answer, chunk) => answer.tool(chunk, "output-available"),
  "tool-output-error": (answer, chunk) => answer.tool(chunk, "output-error"),
  "file": (answer, chunk) => answer.file(chunk),
  "message-metadata": (answer, { messageMetadata }) => Object.assign(answer.metadata, messageMetadata),
  "error": (answer, { errorText }) => answer.finish({ error: errorText }),
  "finish": (answer, { messageMetadata }) => answer.finish(messageMetadata),
};

/** One message on the page, while it is being written. */
class Answer {
  constructor(chat, article) {
    Object.assign(this, { chat, article, byId: new Map(), metadata: {}, isOver: false, isAnother: false });
    this.shown = this.parts = article.querySelector(".chat-parts");
  }

  apply(chunks) {
    for (const chunk of chunks) APPLY[chunk.type]?.(this, chunk);
    if (this.parts === this.shown) return;
    // A replay takes the place of what is shown once it says as much: nothing flashes, nothing is read twice.
    if (!this.isOver && this.parts.textContent.length < this.shown.textContent.length) return;
    this.shown.replaceWith(this.parts);
    this.shown = this.parts;
  }

  start(messageId) {
    const known = this.article.dataset.message;
    this.isAnother = Boolean(known) && known !== messageId;
    this.article.dataset.message = messageId;
    this.clearNote();
    this.parts = this.shown.cloneNode(false);
    this.byId.clear();
  }

  open(id, kind) {
    const part = this.chat.clone(kind);
    this.byId.set(id, part);
    this.parts.append(part);
    return part;
  }

  /** Let a part grow: the one place where streamed text becomes part of the page. */
  write(id, delta) {
    const part = this.byId.get(id);
    const content = part.matches("[data-content]") ? part : part.querySelector("[data-content]");
    (content.lastChild ?? content.appendChild(new Text())).appendData(delta);
  }

  tool({ toolCallId, toolName, input, output, errorText }, state) {
    const card = this.byId.get(toolCallId) ?? this.open(toolCallId, "tool");
    const fill = (slot, value) => value !== undefined && (card.querySelector(slot).textContent = readable(value));
    card.dataset.state = state;
    card.open ||= state === "output-error";
    fill("[data-name]", toolName);
    fill("[data-content]", input);
    fill("[data-output]", output ?? errorText);
  }

  file({ url, mediaType, filename }) {
    const isOurs = url.startsWith(`${this.chat.dataset.files}/`);
    if (isOurs && mediaType.startsWith("image/")) return this.image(url, filename ?? mediaType);
    const link = this.open(url, "file");
    link.textContent = filename || mediaType;
    if (isOurs || /^(https?|data):/.test(url)) link.href = url;
  }

  image(url, alt) {
    const link = this.open(url, "image");
    link.href = url;
    Object.assign(link.querySelector("img"), { src: url, alt });
  }

  finish(metadata) {
    const { status, finishReason, error } = Object.assign(this.metadata, metadata);
    const text = error ?? this.chat.texts[status] ?? this.chat.texts[finishReason];
    this.isOver = true;
    this.clearNote();
    if (text) this.note(status ?? "failed", text);
  }

  note(kind, text) {
    const note = this.chat.clone("note");
    note.dataset.kind = kind;
    note.querySelector("p").textContent = text;
    note.querySelector("button").value = this.article.dataset.message;
    this.clearNote();
    this.article.append(note);
  }

  clearNote() {
    this.article.querySelector(".chat-note")?.remove();
  }
}

/**
 * Keeps a scroller at its end while its reader is there. A scroll to another place than the one written here is the
 * reader's: upwards lets go at once, back near the end takes hold again. Browsers report scrolls before resizes, so
 * growing text never overrides a gesture.
 */
class Follower {
  constructor(scroller, button) {
    Object.assign(this, { scroller, button });
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    button.addEventListener("click", () => this.hold());
    const observer = new ResizeObserver(() => this.isHolding && this.hold());
    for (const element of [scroller, ...scroller.children]) observer.observe(element);
    this.hold();
  }

  hold() {
    this.set(true);
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const distance = scrollHeight - clientHeight - scrollTop;
    const wasClamped = distance < 1; // the content became shorter
    if (scrollTop < this.top && !wasClamped) this.set(false);
    else if (scrollTop > this.top && distance < NEAR) this.set(true);
    this.top = scrollTop;
  }

  set(isHolding) {
    this.isHolding = this.button.hidden = isHolding;
    this.scroller.classList.toggle("chat-held", isHolding); // else the browser's own anchoring interferes
  }
}

/**
 * The files beside the message that is being written: chosen, pasted or dropped, uploaded at once, sent with the next
 * message. A chip's `filePart` is the file part of an upload that is done.
 */
class Tray {
  constructor(chat, input) {
    Object.assign(this, { chat, list: chat.querySelector(".chat-tray"), uploads: new Set(), isWaiting: false });
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = ""; // the same file may be chosen again
    });
    chat.form.addEventListener("paste", (event) => this.offered(event, event.clipboardData));
    chat.addEventListener("dragover", (event) => this.hovered(event));
    chat.addEventListener("dragleave", (event) => chat.contains(event.relatedTarget) || this.mark(false));
    chat.addEventListener("drop", (event) => this.mark(false) || this.offered(event, event.dataTransfer));
  }

  get chips() {
    return [...this.list.children];
  }

  hovered(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.mark(true);
  }

  mark(isOver) {
    this.chat.toggleAttribute("data-dropping", isOver);
  }

  offered(event, { files }) {
    if (!files.length) return;
    event.preventDefault();
    this.add([...files]);
  }

  add(files) {
    for (const file of files) {
      const upload = this.upload(file).finally(() => this.uploads.delete(upload));
      this.uploads.add(upload);
    }
  }

  async upload(file) {
    const chip = this.list.appendChild(this.chat.clone("chip"));
    const gone = new AbortController();
    const remove = chip.querySelector("button");
    chip.querySelector(".chat-chip-name").textContent = file.name;
    remove.setAttribute("aria-label", `${remove.getAttribute("aria-label")}: ${file.name}`);
    remove.addEventListener("click", () => {
      gone.abort();
      chip.remove();
      this.chat.input.focus();
    });
    const body = new FormData();
    body.append("file", file);
    const response = await fetch(this.chat.dataset.files, { method: "POST", body, signal: gone.signal }).catch(() => null);
    if (response?.ok) this.done(chip, await response.json());
    else this.failed(chip, response ? await response.text() : this.chat.texts.notUploaded);
  }

  done(chip, { url, mediaType, filename }) {
    chip.filePart = { type: "file", mediaType, url, filename };
    chip.dataset.state = "done";
    chip.querySelector(".chat-chip-note").textContent = "";
    if (mediaType.startsWith("image/")) Object.assign(chip.querySelector("img"), { src: url, hidden: false });
  }

  failed(chip, text) {
    chip.dataset.state = "failed";
    chip.querySelector(".chat-chip-note").textContent = text;
  }

  /** Whether a message may go now. What is under way is waited for, what failed has to be removed first. */
  isReady() {
    if (this.uploads.size) this.submitLater();
    const failed = this.list.querySelector("[data-state=failed] button");
    failed?.focus();
    return !this.uploads.size && !failed;
  }

  async submitLater() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    await Promise.all(this.uploads);
    this.isWaiting = false;
    this.chat.form.requestSubmit();
  }

  take() {
    const chips = this.chips;
    this.list.replaceChildren();
    return chips;
  }

  putBack(chips) {
    this.list.prepend(...chips);
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
    this.form.addEventListener("keydown", (event) => this.pressed(event));
    if (!CSS.supports("field-sizing", "content")) this.input.addEventListener("input", () => this.fit());
    this.tray = this.form.elements.files && new Tray(this, this.form.elements.files);
    this.follower = new Follower(this.querySelector(".chat-log"), this.querySelector(".chat-jump"));
    if (this.isActive) this.resume();
  }

  get isActive() {
    return this.hasAttribute("data-active");
  }

  get messages() {
    return this.querySelector(".chat-messages");
  }

  clone(name) {
    return this.querySelector(`template[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
  }

  add(role) {
    const article = this.messages.appendChild(this.clone(role));
    return new Answer(this, article);
  }

  say(name) {
    this.querySelector("[role=status]").textContent = this.texts[name] ?? "";
  }

  pressed(event) {
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
    else if (button?.name === "regenerate") this.regenerate(button);
    else if (this.tray && !this.tray.isReady()) return;
    else if (this.input.value.trim() || this.tray?.chips.length) this.send(this.input.value);
  }

  fill(text) {
    this.input.value = text;
    this.input.dispatchEvent(new Event("input"));
  }

  fit() {
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
  }

  async send(prompt) {
    // A message whose fate is unknown is sent again under its old ids, so that it is never taken twice.
    const chips = this.tray?.take() ?? [];
    const files = chips.map((chip) => chip.filePart);
    const content = JSON.stringify([prompt, files]);
    if (this.unsent?.content !== content) this.unsent = { content, id: newId(), key: this.dataset.conversation || newId() };
    const { id, key } = this.unsent;
    const asked = this.add("user");
    for (const file of files) asked.file(file);
    if (prompt.trim()) {
      asked.open(id, "text");
      asked.write(id, prompt);
    }
    this.fill("");
    const message = { id, role: "user", parts: [...files, { type: "text", text: prompt }] };
    const title = prompt.trim() || files[0]?.filename;
    if (await this.ask({ id: key, trigger: "submit-message", messages: [message] }, () => this.sent(title, key))) return;
    asked.article.remove();
    this.tray?.putBack(chips);
    if (!this.input.value) this.fill(prompt);
  }

  sent(title, key) {
    this.unsent = undefined;
    if (this.dataset.conversation) return;
    this.dataset.conversation = key;
    this.dispatchEvent(new CustomEvent("streaming-chat:started", { bubbles: true, detail: { title } }));
  }

  regenerate(button) {
    const replaced = button.closest(".chat-message");
    const body = { id: this.dataset.conversation, trigger: "regenerate-message", messageId: button.value, messages: [] };
    return this.ask(body, () => replaced.remove());
  }

  /** Post `body` and show its answer to the end; false if the site did not take it. */
  async ask(body, onAccepted) {
    this.messages.querySelector(".chat-refused")?.remove();
    const answer = this.add("assistant");
    this.follower.hold();
    return this.answering(answer, async () => {
      const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      this.posting = fetch(this.dataset.api, request).catch(() => null);
      const response = await this.posting;
      if (response?.ok) {
        onAccepted();
        await this.follow(answer, response);
        return true;
      }
      answer.note("refused", response ? await response.text() : this.texts.unreachable);
      answer.article.classList.add("chat-refused");
      return false;
    });
  }

  resume() {
    const article = this.messages.querySelector("[aria-busy]");
    const answer = article ? new Answer(this, article) : this.add("assistant");
    return this.answering(answer, () => this.follow(answer));
  }

  /** Show an answer to its end, over as many connections as it takes. */
  async follow(answer, response) {
    for (let ms = FIRST_PAUSE; ; ms = Math.min(2 * ms, LONGEST_PAUSE)) {
      try {
        response ??= await fetch(this.address("stream"), { headers: { accept: "text/event-stream" } });
        if (response.status !== 200 && response.status < 500) return await this.refresh(answer);
        if (response.status === 200) for await (const chunks of readChunks(response)) answer.apply(chunks);
        if (answer.isAnother) return await this.refresh(answer);
      } catch (trouble) {
        if (!(trouble instanceof TypeError)) throw trouble; // TypeError is fetch's word for a broken network
      }
      if (answer.isOver) return;
      response = undefined;
      answer.note("reconnecting", this.texts.reconnecting);
      await pause(ms);
    }
  }

  /** Take the messages from the server's page: the answer ended while nobody here was looking. */
  async refresh(answer) {
    const page = await fetch(this.pageAddress);
    const fresh = parse(await page.text()).querySelector("streaming-chat .chat-messages");
    this.messages.replaceChildren(...fresh.childNodes);
    answer.article = this.messages.lastElementChild;
  }

  async answering(answer, work) {
    this.answer = answer;
    this.toggleAttribute("data-active", true);
    answer.article.setAttribute("aria-busy", "true");
    this.say("answering");
    const reminder = setInterval(() => this.say("stillAnswering"), REMINDER);
    try {
      return await work();
    } catch (trouble) {
      answer.note("broken", this.texts.broken);
      throw trouble;
    } finally {
      clearInterval(reminder);
      this.toggleAttribute("data-active", false);
      answer.article.removeAttribute("aria-busy");
      this.announce(answer.article);
    }
  }

  /** Those who listen get a finished answer once, whole. A note speaks for itself. */
  announce(article) {
    const texts = Array.from(article.querySelectorAll(".chat-parts > .chat-text"), (text) => text.textContent);
    this.say(article.querySelector(".chat-note") ? "" : "answered");
    this.querySelector(".chat-announcer").textContent = texts.join("\n");
  }

  address(verb) {
    return `${this.dataset.api}/${encodeURIComponent(this.dataset.conversation)}/${verb}`;
  }

  get pageAddress() {
    return this.dataset.page.replace("__key__", encodeURIComponent(this.dataset.conversation));
  }

  async stop() {
    await this.posting; // what the server does not know yet it cannot stop
    const stopped = await fetch(this.address("stop"), { method: "POST" }).catch(() => null);
    if (!stopped?.ok) this.answer.note("unstopped", this.texts.unstopped);
  }
}

customElements.define("streaming-chat", StreamingChat);

/* The page around it: a new conversation gets its address, its title, and its place in the list. */

let shownPath = location.pathname;
addEventListener("popstate", () => location.pathname === shownPath || location.reload());

document.addEventListener("streaming-chat:started", ({ target, detail }) => {
  if (!target.hasAttribute("data-whole-page")) return;
  history.pushState(null, "", target.pageAddress);
  shownPath = location.pathname;
  const heading = document.querySelector(".chat-title");
  const list = document.querySelector(".chat-conversations");
  document.title = detail.title.split("\n")[0];
  if (heading) heading.textContent = document.title;
  document.querySelector(".chat-sidebar [aria-current]")?.removeAttribute("aria-current");
  const item = list?.querySelector("template").content.firstElementChild.cloneNode(true);
  if (!item) return;
  Object.assign(item.firstElementChild, { href: location.href, textContent: document.title });
  list.prepend(item);
});
