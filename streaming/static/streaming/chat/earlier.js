import { opensElsewhere } from "./keyboard.js";
import { Refusal } from "./refusal.js";

const AHEAD = "600px"; // how far above the window the first message is when earlier ones are loaded
/** Messages, and what stands between them. Only the greeting does not belong to a conversation. */
export const MESSAGES = ":scope > :is(.chat-earlier, .chat-context, .chat-message)";

/**
 * Loads the messages before those that are shown, once one scrolls up to the first. The link there does the same at a
 * press, and the one beside it loads all of them, for a search in the page or a print.
 */
export class Earlier {
  constructor(chat, scroller) {
    Object.assign(this, { chat, scroller });
    const seen = (entries) => entries.some((entry) => entry.isIntersecting) && this.load();
    this.observer = new IntersectionObserver(seen, { root: scroller, rootMargin: `${AHEAD} 0px` });
    chat.messages.addEventListener("click", (event) => this.pressed(event));
    new MutationObserver(() => this.watch()).observe(chat.messages, { childList: true });
    this.watch();
  }

  /** The links to earlier messages, or null if the first one is shown. */
  get links() {
    return this.chat.messages.querySelector(":scope > .chat-earlier");
  }

  watch() {
    if (this.watched === this.links) return;
    this.watched = this.links;
    this.observer.disconnect();
    if (this.watched) this.observer.observe(this.watched);
  }

  async pressed(event) {
    const link = event.target.closest(".chat-earlier a");
    if (!link || opensElsewhere(event)) return;
    event.preventDefault();
    await this.loading; // of what came into sight; it may bring all that there is
    if (!this.links || (await this.load(link.dataset.from))) this.chat.say("loaded");
  }

  /** Loads the messages before the first one, or from the message `since` on. Returns false if that did not work. */
  load(since) {
    if (this.loading || !this.links) return false;
    this.loading = this.prepend(since)
      .catch((trouble) => this.refused(trouble))
      .finally(() => (this.loading = null));
    return this.loading;
  }

  /** The server does not show the first message any more: another tab has chosen another version of it. */
  refused(trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    return !this.chat.isActive && this.chat.reload().catch(() => false);
  }

  async prepend(since) {
    const { chat, links } = this;
    const first = chat.firstMessage;
    const fresh = await chat.load({ before: first.dataset.message, from: since });
    if (!fresh || links !== this.links) return false;
    const focused = links.contains(document.activeElement) && document.activeElement;
    if (chat.messages.querySelector(":scope > .chat-context")) fresh.querySelector(":scope > .chat-context")?.remove();
    this.prependTo(first, fresh.querySelectorAll(MESSAGES));
    if (focused) this.focus(focused.dataset.from);
    return true;
  }

  /** Puts messages above the first one, in place of the links. What the reader sees stays where it is. */
  prependTo(first, messages) {
    const { top } = first.getBoundingClientRect();
    const { links } = this;
    (links ?? first).before(...messages); // a line of the context stays with its message
    links?.remove();
    this.chat.follower.shift(first, top);
  }

  /**
   * Shows the messages of a conversation that was found again, above what somebody has sent meanwhile. Returns false if
   * an answer above is still being written: the page follows only one.
   */
  restore(fresh) {
    const { chat } = this;
    const sent = chat.firstMessage;
    const found = [...fresh.querySelectorAll(MESSAGES)];
    const at = found.findIndex(({ dataset }) => dataset.message && dataset.message === sent?.dataset.message);
    const above = at < 0 ? found : found.slice(0, at);
    if (chat.isActive && above.some((one) => one.hasAttribute("aria-busy"))) return false;
    if (sent) this.prependTo(sent, above);
    else chat.replace(fresh);
    return true;
  }

  /** Gives the focus of a link that is gone to the new one in its place, or to the messages. */
  focus(since) {
    const link = this.links?.querySelector(since ? "[data-from]" : "a");
    (link ?? this.scroller).focus({ preventScroll: true });
  }
}
