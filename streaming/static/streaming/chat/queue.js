import { newId } from "./ids.js";
import { keep, keptObject } from "./memory.js";
import { messageIn } from "./message.js";

const BUSY = 409; // the status of a message that came while another tab's answer was written

/**
 * The messages that were sent while an answer was written. Each is sent once the answer before it has ended well. After
 * an error or a stop they wait for the person (`waits`). They are kept for this tab, so they survive a reload, and each
 * has its id from the beginning, so the server takes it only once.
 */
export class Queue {
  constructor(chat, list) {
    Object.assign(this, { chat, list });
    list.addEventListener("click", ({ target }) => this.pressed(target.closest("[data-queued]")));
    chat.addEventListener("streaming-chat:started", () => this.save()); // the conversation has its own name now
    this.load();
  }

  get name() {
    const { dataset, id } = this.chat;
    return `queue ${dataset.conversation || `${location.pathname} ${id}`}`;
  }

  /** Shows the messages that are kept for this conversation. */
  load() {
    this.savedAs = this.name;
    const { items = [], waits = false } = keptObject(this.name);
    Object.assign(this, { items, waits, sending: null });
    this.show();
  }

  save() {
    this.waits &&= this.items.length > 0; // an empty queue has nothing that waits
    if (this.savedAs !== this.name) keep(this.savedAs, "");
    this.savedAs = this.name;
    keep(this.name, this.items.length ? JSON.stringify({ items: this.items, waits: this.waits }) : "");
    this.show();
  }

  show() {
    const { list, items, waits } = this;
    list.toggleAttribute("data-waits", waits);
    list.hidden = !items.length;
    list.replaceChildren(...items.map((item) => this.draw(item)));
  }

  draw(item) {
    const line = this.chat.clone("queued");
    line.dataset.id = item.id;
    line.hidden = item === this.sending; // it is among the messages now
    line.querySelector(".chat-queued-text").textContent = item.prompt.trim() || item.files[0]?.filename;
    return line;
  }

  add(prompt, files) {
    this.items.push({ id: newId(), prompt, files });
    this.save();
    this.chat.say("queued");
  }

  async pressed(button) {
    if (!button) return;
    const { id } = button.closest("li").dataset;
    const item = this.items.find((one) => one.id === id);
    if (!item || item === this.sending) return;
    if (button.dataset.queued === "send") return this.sendNow();
    this.items = this.items.filter((one) => one !== item);
    this.save();
    if (button.dataset.queued === "edit") this.chat.composer.edit(item);
    this.chat.input.focus();
  }

  /** Takes the last message back into the box. Returns false if there is none. */
  editLast() {
    const item = this.items.at(-1);
    if (!item || item === this.sending) return false;
    this.items.pop();
    this.save();
    this.chat.composer.edit(item);
    return true;
  }

  /** Sends the first message now. An answer that is being written is stopped before. */
  async sendNow() {
    if (this.chat.versions.isWalking) return; // it still waits
    const [item] = this.items;
    this.dropTaken();
    if (item !== this.items[0]) return this.save(); // the next one still waits for the person
    this.waits = false;
    if (!this.chat.isActive) return this.send();
    this.isUrgent = true; // until the answer has ended
    await this.chat.conversation.stop();
  }

  /** An answer has ended, or the page was loaded. `article` is the last answer. */
  ended(article) {
    if (article?.matches(".chat-refused")) return; // nothing was answered
    const isWell = !article?.querySelector('.chat-note, [data-state="approval-requested"]');
    if (!this.isUrgent && !isWell && !this.sending) this.waits = true;
    this.isUrgent = false;
    this.dropTaken();
    this.save();
    if (!this.waits) this.send();
  }

  /** Forgets messages that the site took although its response was lost: the page shows them already. */
  dropTaken() {
    const isTaken = ({ id }) => messageIn(this.chat.messages, id);
    this.items = this.items.filter((item) => item === this.sending || !isTaken(item));
  }

  /** Sends the first message. It is kept until the site has taken it. */
  async send() {
    const [item] = this.items;
    if (!item || this.sending || this.chat.isBusy) return;
    this.sending = item;
    this.show();
    await this.chat.composer.say(item.prompt, item.files, {
      id: item.id,
      onTaken: () => this.taken(item),
      onRefused: (status) => this.refused(status),
    });
  }

  taken(item) {
    this.sending = null;
    this.items = this.items.filter((one) => one !== item);
    this.save();
  }

  /** The message stays in the queue. It waits for another tab's answer, or else for the person. */
  refused(status) {
    this.sending = null;
    this.waits = status !== BUSY;
    this.save();
    this.chat.tabs.doubt();
  }
}
