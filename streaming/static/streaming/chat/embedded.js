import { MESSAGES } from "./earlier.js";
import { keep, kept } from "./memory.js";
import { Pauses } from "./pauses.js";

/**
 * A chat in a page of the host's. It remembers its conversation for this tab, because the page's address does not name
 * it, and can begin a new one.
 */
export class Embedded {
  constructor(chat) {
    Object.assign(this, { chat, name: `conversation ${location.pathname} ${chat.id}` });
    chat.addEventListener("streaming-chat:started", () => keep(this.name, chat.dataset.conversation));
    chat.querySelector(".chat-restart")?.addEventListener("click", () => this.begin());
  }

  /** Shows the conversation of this tab again. Forgets one that the site does not show to this person. */
  async restore() {
    const { chat } = this;
    if (!chat.dataset.conversation) await this.find();
    chat.goOn();
  }

  /** Loads the conversation that this tab remembers, if there is one. Tries again while the site is away. */
  async find() {
    const { chat } = this;
    const key = (chat.dataset.conversation = kept(this.name));
    if (!key) return;
    chat.queue?.load();
    try {
      for (const pauses = new Pauses(); !(await this.show(key)); ) await pauses.next();
    } catch (trouble) {
      if (trouble.kind !== "signed-out") this.forget();
    }
  }

  /**
   * Shows the messages, unless another conversation was begun or the chat was taken off its page. Returns false if that
   * may work in a moment.
   */
  async show(key) {
    const { chat } = this;
    const fresh = await chat.load();
    if (!chat.isConnected || chat.dataset.conversation !== key) return true;
    return Boolean(fresh) && chat.earlier.restore(fresh);
  }

  /** Begins a new conversation. The old one stays in the person's list. */
  begin() {
    const { chat } = this;
    if (chat.isBusy) return;
    this.forget();
    for (const shown of chat.messages.querySelectorAll(MESSAGES)) shown.remove();
    chat.input.focus({ preventScroll: true });
  }

  forget() {
    this.chat.dataset.conversation = "";
    keep(this.name, "");
    this.chat.queue?.load(); // what was queued belongs to the conversation that is forgotten
  }
}
