import { keep, kept } from "./memory.js";

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

  /** Loads the conversation that this tab remembers, if there is one. */
  async find() {
    const { chat } = this;
    chat.dataset.conversation = kept(this.name);
    if (!chat.dataset.conversation) return;
    chat.queue?.load();
    try {
      await chat.reload();
    } catch (trouble) {
      if (trouble.kind !== "signed-out") this.forget();
    }
  }

  /** Begins a new conversation. The old one stays in the person's list. */
  begin() {
    const { chat } = this;
    if (chat.isActive) return;
    this.forget();
    for (const article of chat.messages.querySelectorAll(".chat-message, .chat-earlier")) article.remove();
    chat.input.focus({ preventScroll: true });
  }

  forget() {
    this.chat.dataset.conversation = "";
    keep(this.name, "");
    this.chat.queue?.load(); // what was queued belongs to the conversation that is forgotten
  }
}
