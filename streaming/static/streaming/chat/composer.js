import { newId } from "./ids.js";
import { isLeaving, isSending, isTouch } from "./keyboard.js";
import { markWhileLarge } from "./large.js";

// The controls that are hidden when an answer begins or ends.
const LEAVING = ":is(.chat-actions, .chat-note, .chat-suggestions) button, .chat-send, .chat-enqueue, .chat-stop, .chat-decision *";

/** The form in which messages are written. The buttons under messages belong to it too, as they do without a script. */
export class Composer {
  constructor(chat) {
    const { form, input } = chat;
    Object.assign(this, { chat, input });
    form.noValidate = true; // an empty message is not sent, and no error is shown for it
    form.addEventListener("submit", (event) => this.submitted(event));
    form.addEventListener("keydown", (event) => this.pressed(event));
    form.querySelector(".chat-enqueue")?.addEventListener("click", () => form.requestSubmit());
    form.querySelector(".chat-stop").addEventListener("click", (event) => {
      if (event.detail > 1) event.preventDefault(); // the second press of a double click on Send, which stood there
    });
    markWhileLarge(input);
    input.addEventListener("input", () => this.offer());
    if (!CSS.supports("field-sizing", "content")) input.addEventListener("input", () => this.fit());
  }

  pressed(event) {
    if (isLeaving(event) && this.chat.isActive) this.chat.conversation.stop();
    if (event.key === "ArrowUp" && event.target === this.input && !this.input.value) this.editLast(event);
    if (event.target !== this.input || !isSending(event)) return;
    event.preventDefault();
    this.chat.form.requestSubmit();
  }

  /** Opens the editing form of the last question. While an answer is written, takes back what is queued. */
  editLast(event) {
    const { isActive, queue, edits } = this.chat;
    const isDone = isActive ? queue?.editLast() : edits.openLast();
    if (isDone) event.preventDefault();
  }

  /** Does what the pressed button stands for. While an answer is written, one can stop it and queue messages. */
  submitted(event) {
    event.preventDefault();
    const { versions, tray, conversation, isActive } = this.chat;
    const button = event.submitter;
    if (button?.matches(".chat-stop")) conversation.stop();
    else if (isActive && !button) this.enqueue();
    else if (this.chat.isBusy) return;
    else if (button?.name === "branch") versions.walk(button);
    else if (button?.name === "regenerate") versions.regenerate(button);
    else if (button?.name === "continue") this.say(this.chat.texts.goOn);
    else if (button?.name === "suggestion") this.say(button.value);
    else if (this.isReady()) this.send(this.input.value);
  }

  /** Lets one press Send once there is something to send. */
  offer() {
    const isEmpty = !this.input.value.trim() && !this.chat.tray?.chips.length;
    this.chat.form.querySelector(".chat-send").disabled = isEmpty;
  }

  /** Gives the box the focus of a control that is about to go. A touch screen would show its keyboard. */
  takeFocus() {
    const { activeElement } = document;
    const isGoing = this.chat.contains(activeElement) && activeElement.matches(LEAVING);
    if (isGoing && !isTouch()) this.input.focus({ preventScroll: true });
  }

  /** Returns true if there is a message that may go now: something was typed, or a file has been uploaded. */
  isReady() {
    const { tray } = this.chat;
    return (!tray || tray.isReady()) && Boolean(this.input.value.trim() || tray?.chips.length);
  }

  /** Keeps what was typed until the answer has ended. */
  enqueue() {
    const { queue, tray } = this.chat;
    if (!queue || !this.isReady()) return;
    queue.add(this.input.value, (tray?.take() ?? []).map((chip) => chip.filePart));
    this.fill("");
  }

  /** Takes a queued message back into the box, before what is there. */
  edit({ prompt, files }) {
    this.putBack(prompt);
    for (const file of files) this.chat.tray?.showStored(file);
    this.input.focus();
  }

  /** Sends what was typed. If the site does not take it, it goes back into the form. */
  async send(prompt) {
    const { chat } = this;
    const chips = chat.tray?.take() ?? [];
    this.fill("");
    if (await this.say(prompt, chips.map((chip) => chip.filePart))) return;
    chat.tray?.putBack(chips);
    this.putBack(prompt);
    chat.tabs.doubt();
  }

  /**
   * Sends a message and shows it at once. Returns false if the site does not take it. A message from the queue has its
   * id already, and is told at once what becomes of it.
   */
  async say(prompt, files = [], { id: known, onTaken, onRefused } = {}) {
    const { chat } = this;
    const { id, key } = known ? { id: known, key: chat.dataset.conversation || newId() } : this.idsFor(prompt, files);
    const asked = this.show(id, files, prompt);
    const message = { id, role: "user", parts: [...files, { type: "text", text: prompt }] };
    const title = prompt.trim() || files[0]?.filename;
    const body = { id: key, trigger: "submit-message", messages: [message] };
    const isTaken = await chat.conversation.ask(body, () => {
      this.sent(title, key);
      chat.report("message", { id, text: prompt });
      onTaken?.();
    }, onRefused);
    if (!isTaken) asked.article.remove();
    return isTaken;
  }

  /**
   * Returns the ids of a message and of its conversation. A message whose last attempt failed has the same ids again:
   * the server may have it already, and takes a message with a known id only once.
   */
  idsFor(prompt, files) {
    const { conversation } = this.chat.dataset;
    const content = JSON.stringify([conversation, prompt, files]);
    const isSame = this.unsent?.content === content;
    if (!isSame) this.unsent = { content, id: newId(), key: conversation || newId() };
    return this.unsent;
  }

  show(id, files, prompt) {
    const asked = this.chat.add("user");
    asked.article.dataset.message = id;
    for (const file of files) asked.file(file);
    if (prompt.trim()) asked.text(id, prompt);
    return asked;
  }

  /** The site took the message. If it is the first one, the conversation has its key from now on. */
  sent(title, key) {
    const { chat } = this;
    this.unsent = undefined;
    if (chat.dataset.conversation) return;
    chat.dataset.conversation = key;
    chat.dispatchEvent(new CustomEvent("streaming-chat:started", { bubbles: true, detail: { title } }));
  }

  /** Puts a text into the box, before what was typed there meanwhile. */
  putBack(text) {
    this.fill([text, this.input.value].filter(Boolean).join("\n\n"));
  }

  fill(text) {
    this.input.value = text;
    this.input.dispatchEvent(new Event("input"));
  }

  /** Makes the box as high as its text, in browsers without `field-sizing`. */
  fit() {
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${this.input.scrollHeight}px`;
  }
}
