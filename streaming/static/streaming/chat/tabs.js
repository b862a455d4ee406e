import { OPEN_FORMS } from "./forms.js";
import { Refusal } from "./refusal.js";

const PAUSE = 1000; // milliseconds between two questions to the site, whatever happens meanwhile

/**
 * Keeps a page true to what other tabs and devices do in its conversation. Tabs of one browser tell each other at once.
 * For the rest, a page asks the site when one comes back to it. A hidden page asks nothing; it does so once it is seen.
 */
export class Tabs {
  constructor(chat) {
    Object.assign(this, { chat, tag: null, isStale: false });
    for (const name of ["chat:message", "streaming-chat:finished", "streaming-chat:changed"]) {
      chat.addEventListener(name, () => this.tell());
    }
    this.listen();
  }

  listen() {
    this.closing = new AbortController();
    const { signal } = this.closing;
    this.channel = globalThis.BroadcastChannel && new BroadcastChannel("streaming-chat");
    this.channel?.addEventListener("message", ({ data }) => this.told(data));
    document.addEventListener("visibilitychange", () => this.seen(), { signal });
    addEventListener("focus", () => this.seen(), { signal });
  }

  /** The chat is off the page. Nothing that happens elsewhere reaches it. */
  close() {
    this.closing.abort();
    this.channel?.close();
    this.channel = null; // what ends now is told to nobody
  }

  /** The chat is on the page again. It may have missed something. */
  open() {
    this.listen();
    this.doubt();
  }

  /** Tells the other tabs that something has changed in this conversation, or in the list. */
  tell() {
    this.tag = null; // the next look compares messages, because this tab made the change
    this.channel?.postMessage({ conversation: this.chat.dataset.conversation });
    if (this.isStale) this.seen();
  }

  told({ conversation }) {
    const isOurs = conversation === this.chat.dataset.conversation;
    this.isStale ||= isOurs;
    this.isListStale = true;
    if (!document.hidden) this.seen();
  }

  /** The site has refused something, perhaps because another tab or device was faster. Asks as soon as that may be done. */
  doubt() {
    this.isStale = true;
    setTimeout(() => this.seen()); // once the attempt has been taken off the page
  }

  /** The page is looked at. Asks the site whether it is still true. */
  async seen() {
    if (document.hidden || this.isLooking || !this.chat.isConnected) return;
    this.isLooking = true;
    try {
      await this.look();
    } catch (trouble) {
      this.tag = null; // the next look compares messages, because this one may have failed before they came
      if (!(trouble instanceof Refusal)) throw trouble; // what the page does next will tell the person
    } finally {
      setTimeout(() => {
        this.isLooking = false;
        if (this.isListStale || (this.isStale && this.mayRenew)) this.seen(); // told meanwhile
      }, PAUSE);
    }
  }

  async look() {
    const { chat } = this;
    if (this.isListStale) chat.dispatchEvent(new CustomEvent("streaming-chat:elsewhere", { bubbles: true }));
    this.isListStale = false;
    if (!chat.dataset.conversation) return void (this.isStale = false); // no other tab has it yet
    if (!this.mayRenew) return;
    this.isStale = false;
    const known = this.tag;
    const { conversation } = chat.dataset;
    const now = await chat.server.state(known);
    if (!this.stillShows(conversation) || !now || chat.isActive) return;
    this.tag = now.tag;
    const ids = [...chat.messages.children].map(({ dataset }) => dataset.message).filter(Boolean);
    if (known || now.active || now.last !== ids.at(-1)) await this.renew();
  }

  /** False while nothing can be sent, or a form under a message is open: new messages would take its text with them. */
  get mayRenew() {
    return !this.chat.isBusy && !this.chat.messages.querySelector(OPEN_FORMS);
  }

  /** Returns false if the chat was taken off the page meanwhile, or shows another conversation. Then it looks again. */
  stillShows(conversation) {
    const isSo = this.chat.isConnected && conversation === this.chat.dataset.conversation;
    if (!isSo) Object.assign(this, { isStale: true, tag: null });
    return isSo;
  }

  /** Takes the messages from the server's page and follows the answer that is being written. */
  async renew() {
    const { chat } = this;
    const { conversation } = chat.dataset;
    const fresh = await chat.load({ from: chat.firstMessage?.dataset.message });
    if (!this.stillShows(conversation)) return;
    this.isStale = !fresh || !this.mayRenew; // somebody may have begun to write here meanwhile
    if (this.isStale) return void (this.tag = null);
    const place = chat.follower.place(chat.messages);
    chat.replace(fresh);
    chat.follower.restore(place, chat.messages);
    chat.dispatchEvent(new CustomEvent("streaming-chat:elsewhere", { bubbles: true }));
    chat.goOn();
  }
}
