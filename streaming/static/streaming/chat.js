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

/** Whether a key sends what is in a box. Safari ends a composition before the event of the key that ends it. */
const isSending = ({ key, shiftKey, isComposing, keyCode }) =>
  key === "Enter" && !shiftKey && !isComposing && keyCode !== 229 && !isTouch.matches;

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
  "tool-approval-request": (answer, chunk) => answer.tool(chunk, "approval-requested"),
  "tool-output-denied": (answer, chunk) => answer.tool(chunk, "output-denied"),
  "file": (answer, chunk) => answer.file(chunk),
  "message-metadata": (answer, { messageMetadata }) => Object.assign(answer.metadata, messageMetadata),
  "error": (answer, { errorText }) => answer.finish({ error: errorText }),
  "finish": (answer, { messageMetadata }) => answer.finish(messageMetadata),
};

const OPEN_STATES = new Set(["output-error", "approval-requested"]);

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
    Object.assign(card.dataset, { state, call: toolCallId });
    card.open = OPEN_STATES.has(state) || (card.open && state !== "output-denied");
    for (const choice of card.querySelectorAll("input")) choice.name = `decision ${toolCallId}`;
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
    this.shown.after(note);
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

  /** Scroll so that an element is `top` pixels from the window's; at the end, the end is followed from there. */
  keep(element, top) {
    this.scroller.scrollTop += element.getBoundingClientRect().top - top;
    this.top = this.scroller.scrollTop;
    this.set(this.scroller.scrollHeight - this.scroller.clientHeight - this.top < NEAR);
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
 * Other versions of what was said: an edit and a second answer make them, and the buttons under a message lead to them.
 * The server keeps them all and shows one path through them.
 */
class Versions {
  constructor(chat) {
    Object.assign(this, { chat, list: chat.messages });
    this.list.addEventListener("toggle", ({ target }) => target.matches(".chat-edit[open]") && this.begin(target), true);
    this.list.addEventListener("keydown", (event) => this.pressed(event));
    this.list.addEventListener("submit", (event) => {
      if (!event.target.closest(".chat-edit")) return;
      event.preventDefault();
      if (!chat.isActive && !this.isWalking) this.edit(event.target);
    });
  }

  /** An edit form was opened. One of a message that was sent from here is still empty. */
  begin(details) {
    const { prompt } = details.querySelector("form").elements;
    const texts = details.closest(".chat-message").querySelectorAll(".chat-parts > .chat-text");
    prompt.value ||= Array.from(texts, (text) => text.textContent).join("");
    this.chat.follower.keep(details, details.getBoundingClientRect().top); // in sight, unless it is at the end
    prompt.focus();
  }

  pressed(event) {
    const details = event.target.closest(".chat-edit[open]");
    if (!details) return;
    if (event.key === "Escape") {
      details.open = false;
      details.querySelector("summary").focus();
    } else if (event.target.name === "prompt" && isSending(event)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  }

  async edit(form) {
    const prompt = form.elements.prompt.value;
    if (!prompt.trim()) return;
    const article = form.closest(".chat-message");
    const messageId = article.dataset.message;
    // As with any message: one whose fate is unknown is sent again under its old id.
    if (this.unsent?.prompt !== prompt || this.unsent.messageId !== messageId) this.unsent = { prompt, messageId, id: newId() };
    const { id } = this.unsent;
    const kept = Array.from(article.querySelectorAll(".chat-parts > a[href]")); // an edit has the files that it names
    const files = kept.map(({ pathname }) => ({ type: "file", mediaType: "", url: pathname }));
    const message = { id, role: "user", parts: [...files, { type: "text", text: prompt }] };
    await this.ask({ trigger: "submit-message", messageId, messages: [message] }, () => {
      this.unsent = undefined;
      const asked = this.chat.add("user");
      asked.article.dataset.message = id;
      asked.parts.append(...kept.map((link) => link.cloneNode(true)));
      asked.open(id, "text");
      asked.write(id, prompt);
      this.makeRoom(article, asked.article);
    });
  }

  regenerate(button) {
    const article = button.closest(".chat-message");
    const body = { trigger: "regenerate-message", messageId: article.dataset.message, messages: [] };
    return this.ask(body, () => this.makeRoom(article));
  }

  async ask(body, onAccepted) {
    if (!isTouch.matches) this.chat.input.focus(); // what was pressed is about to go
    if (await this.chat.ask({ id: this.chat.dataset.conversation, ...body }, onAccepted)) await this.learn();
  }

  /** What is asked anew takes the place of a message and of all that came of it. */
  makeRoom(article, asked) {
    const answer = this.chat.answer.article;
    if (asked) answer.before(asked);
    while (article.nextElementSibling !== (asked ?? answer)) article.nextElementSibling.remove();
    article.remove();
  }

  /** There is one version more: take the ways to the others from the server's page. */
  async learn() {
    const fresh = await this.chat.load().catch(() => null); // without them until the next load
    for (const article of fresh?.querySelectorAll("[data-message]") ?? []) {
      const actions = article.querySelector(".chat-actions");
      const known = this.find(article.dataset.message)?.querySelector(".chat-actions:not(:has([open]))");
      if (actions) known?.replaceWith(actions);
    }
  }

  /** Show the version that a button leads to, with the ways on where they were. */
  async walk(button) {
    const { value, nextElementSibling } = button;
    const top = button.getBoundingClientRect().top;
    this.isWalking = true; // what is sent meanwhile would be shown on messages that are about to go
    const trouble = await this.choose(value).finally(() => (this.isWalking = false));
    if (trouble) return this.refuse(trouble);
    const buttons = Array.from(this.find(value)?.querySelectorAll("[name=branch]") ?? []);
    if (!buttons.length) return;
    if (!nextElementSibling) buttons.reverse();
    this.chat.follower.keep(buttons[0], top);
    buttons.find((way) => !way.disabled).focus({ preventScroll: true });
  }

  /** Ask the server to show it, and take its page; what went wrong, if something did. */
  async choose(messageId) {
    try {
      const headers = { "content-type": "application/json" };
      const request = { method: "POST", headers, body: JSON.stringify({ messageId }) };
      const response = await fetch(this.chat.address("branch"), request);
      if (!response.ok) return await response.text();
      this.list.replaceChildren(...(await this.chat.load()).childNodes);
    } catch (trouble) {
      if (!(trouble instanceof TypeError)) throw trouble;
      return this.chat.texts.unshown;
    }
  }

  refuse(text) {
    this.list.querySelector(".chat-refused")?.remove();
    const told = this.chat.add("assistant");
    told.article.classList.add("chat-refused");
    told.note("refused", text);
    this.chat.follower.hold();
  }

  find(messageId) {
    return Array.from(this.list.children).find(({ dataset }) => dataset.message === messageId);
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
    this.messages.addEventListener("change", ({ target }) => this.decided(target.closest(".chat-message")));
    if (!CSS.supports("field-sizing", "content")) this.input.addEventListener("input", () => this.fit());
    this.tray = this.form.elements.files && new Tray(this, this.form.elements.files);
    this.follower = new Follower(this.querySelector(".chat-log"), this.querySelector(".chat-jump"));
    this.versions = new Versions(this);
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
    if (event.target !== this.input || !isSending(event)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  submitted(event) {
    event.preventDefault();
    const button = event.submitter;
    if (button?.matches(".chat-stop")) this.stop();
    else if (this.isActive || this.versions.isWalking) return;
    else if (button?.name === "branch") this.versions.walk(button);
    else if (button?.name === "regenerate") this.versions.regenerate(button);
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
    asked.article.dataset.message = id;
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

  /** Post `body` and show its answer to the end; false if the site did not take it. */
  async ask(body, onAccepted) {
    this.messages.querySelector(".chat-refused")?.remove();
    const answer = this.add("assistant");
    this.follower.hold();
    return this.answering(answer, async () => {
      const response = await this.post(body);
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

  post(body) {
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return (this.posting = fetch(this.dataset.api, request).catch(() => null));
  }

  /** Once a person has chosen for each call that waits, the answer goes on: the stream tells it from its start. */
  async decided(article) {
    const cards = [...article.querySelectorAll('[data-state="approval-requested"]')];
    const choices = cards.map((card) => card.querySelector("input:checked"));
    if (this.isActive || !cards.length || !choices.every(Boolean)) return;
    const parts = cards.map(({ dataset: { call } }, at) => {
      const approval = { id: call, approved: choices[at].value === "allow" };
      return { toolCallId: call, state: "approval-responded", approval };
    });
    const message = { id: article.dataset.message, role: "assistant", parts };
    const answer = new Answer(this, article);
    await this.answering(answer, async () => {
      const response = await this.post({ id: this.dataset.conversation, messages: [message] });
      if (response?.ok) {
        await response.body.cancel();
        for (const card of cards) card.dataset.state = "approval-responded";
        return this.follow(answer);
      }
      for (const choice of choices) choice.checked = false;
      answer.note("refused", response ? await response.text() : this.texts.unreachable);
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
    this.messages.replaceChildren(...(await this.load()).childNodes);
    answer.article = this.messages.lastElementChild;
  }

  /** The messages as the server's page shows them. Their buttons and choices belong to the form of this page. */
  async load() {
    const page = await fetch(this.pageAddress);
    const fresh = parse(await page.text()).querySelector("streaming-chat .chat-messages");
    for (const control of fresh.querySelectorAll("[form]")) control.setAttribute("form", this.form.id);
    return fresh;
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
      this.decided(answer.article); // what was chosen while another call of the same answer still worked
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
    const { answer } = this;
    const body = JSON.stringify({ messageId: answer.article.dataset.message }); // not one that was begun elsewhere since
    const stopped = await fetch(this.address("stop"), { method: "POST", body }).catch(() => null);
    if (!stopped?.ok) answer.note("unstopped", this.texts.unstopped);
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
