import { isTouch } from "./keyboard.js";
import { messageIn } from "./message.js";
import { Refusal } from "./refusal.js";

/**
 * The other versions of what was said. An edit and a second answer make them, and the buttons under a message lead to
 * them. The server keeps them all and shows one path through them.
 */
export class Versions {
  constructor(chat) {
    Object.assign(this, { chat, list: chat.messages, isWalking: false });
  }

  /** Asks for another answer in place of the one that the button belongs to. */
  regenerate(button) {
    const article = button.closest(".chat-message");
    const body = { trigger: "regenerate-message", messageId: article.dataset.message, messages: [] };
    return this.ask(body, () => this.makeRoom(article));
  }

  /** Asks for what will be a new version of a message. */
  async ask(body, onAccepted) {
    if (!isTouch()) this.chat.input.focus(); // also from the box of an edit
    const { conversation, dataset } = this.chat;
    if (await conversation.ask({ id: dataset.conversation, ...body }, onAccepted)) await this.learn();
  }

  /** Puts the new answer in place of a message and all that follow it, below `asked` if the question is new too. */
  makeRoom(article, asked) {
    const answer = this.chat.conversation.answer.article;
    if (asked) answer.before(asked);
    while (article.nextElementSibling !== (asked ?? answer)) article.nextElementSibling.remove();
    article.remove();
  }

  /** Takes the buttons under the newest messages from the server's page: one of these has one version more now. */
  async learn() {
    const fresh = await this.chat.load().catch(() => null); // the page's next load brings them, then
    for (const article of fresh?.querySelectorAll("[data-message]") ?? []) {
      const actions = article.querySelector(".chat-actions");
      const known = messageIn(this.list, article.dataset.message)?.querySelector(".chat-actions");
      if (actions) known?.replaceWith(actions);
    }
  }

  /** Shows the version that a button leads to. The buttons stay where they were in the window. */
  async walk(button) {
    const { value, nextElementSibling } = button;
    const top = button.getBoundingClientRect().top;
    this.isWalking = true; // nothing is sent meanwhile: it would be shown beside messages that are about to go
    try {
      await this.choose(value, button.closest(".chat-message") === this.chat.firstMessage ? value : undefined);
    } catch (trouble) {
      return this.refuse(trouble);
    } finally {
      this.isWalking = false;
    }
    const buttons = Array.from(messageIn(this.list, value)?.querySelectorAll("[name=branch]") ?? []);
    if (!buttons.length) return;
    if (!nextElementSibling) buttons.reverse(); // the button that was pressed leads on in the same direction
    this.chat.follower.keep(buttons[0], top);
    buttons.find((way) => !way.disabled).focus({ preventScroll: true });
  }

  /** Asks the server to show a version and takes the messages from its page, from the first one or `since` on. */
  async choose(messageId, since) {
    await this.chat.server.choose(messageId);
    this.chat.dispatchEvent(new CustomEvent("streaming-chat:changed"));
    if (!(await this.chat.reload(since))) throw new Refusal(this.chat.texts.unshown);
  }

  refuse(trouble) {
    this.list.querySelector(".chat-refused")?.remove();
    const told = this.chat.add("assistant");
    told.article.classList.add("chat-refused");
    told.refuse(trouble);
    this.chat.follower.hold();
  }
}
