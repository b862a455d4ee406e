import { Answer } from "./answer.js";
import { Approvals } from "./approvals.js";
import { Clipboard, shownTexts } from "./clipboard.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Drafts } from "./drafts.js";
import { Earlier } from "./earlier.js";
import { Edits } from "./edits.js";
import { Embedded } from "./embedded.js";
import { Feedback } from "./feedback.js";
import { letFold } from "./folds.js";
import { Follower } from "./follower.js";
import { moveForms } from "./forms.js";
import { isTouch } from "./keyboard.js";
import { Message } from "./message.js";
import { letLinksLead } from "./outline.js";
import { Queue } from "./queue.js";
import { Server } from "./server.js";
import { Tabs } from "./tabs.js";
import { tell, tellAll } from "./times.js";
import { Tray } from "./tray.js";
import { Versions } from "./versions.js";

const DRAWN_BY = { user: Message, assistant: Answer };

/**
 * <streaming-chat>: sends messages, shows answers while they are written, stops them, and finds them again after a lost
 * connection or a reload. The element makes the pieces; each piece gets the element and finds the other pieces in it.
 */
export class StreamingChat extends HTMLElement {
  connectedCallback() {
    if (this.form) return this.tabs.open(); // it was moved to another place, or taken off the page and put back
    if (!this.querySelector(".chat-composer")) return; // a visitor who must sign in has no composer
    this.texts = JSON.parse(this.dataset.texts);
    this.form = this.querySelector(".chat-composer");
    this.input = this.form.elements.prompt;
    this.server = new Server(this.dataset, this.texts);
    this.conversation = new Conversation(this);
    this.composer = new Composer(this);
    this.clipboard = new Clipboard(this);
    this.approvals = new Approvals(this);
    const { files } = this.form.elements; // missing if the model takes no files
    this.tray = files && new Tray(this, files);
    this.follower = new Follower(this.querySelector(".chat-log"), this.querySelector(".chat-jump"));
    this.earlier = new Earlier(this, this.querySelector(".chat-log"));
    this.versions = new Versions(this);
    this.edits = new Edits(this);
    this.feedback = new Feedback(this);
    this.tabs = new Tabs(this);
    const queued = this.querySelector(".chat-queue"); // missing in a site's own older template
    this.queue = queued && new Queue(this, queued);
    letFold(this.messages);
    letLinksLead(this.messages);
    tellAll(this.messages);
    if (this.isActive) this.conversation.resume();
    else this.begin();
    this.drafts = new Drafts(this);
  }

  /** Taken off the page, a chat reads nothing more. The server goes on with its answer. */
  disconnectedCallback() {
    this.tabs?.close();
  }

  /** Prepares a chat in which nothing is written now. A page that is the chat lets its visitor type at once. */
  begin() {
    const isPage = "wholePage" in this.dataset;
    if (!isPage) return void new Embedded(this).restore();
    if (!isTouch() && document.activeElement === document.body) this.input.focus({ preventScroll: true });
    this.goOn();
  }

  /** The messages have been loaded. Follows the answer that is being written, or else sends what is queued. */
  goOn() {
    if (this.isActive || !this.isConnected) return; // somebody has sent a message, or taken the chat off its page
    if (this.messages.querySelector("[aria-busy]")) this.conversation.resume();
    else this.queue?.ended(this.messages.lastElementChild);
  }

  /** True while an answer is written. */
  get isActive() {
    return this.hasAttribute("data-active");
  }

  /** True while nothing can be sent: an answer is written, or messages are about to make room for another version. */
  get isBusy() {
    return this.isActive || this.versions.isWalking;
  }

  /** The element that has all messages of the conversation as children. */
  get messages() {
    return this.querySelector(".chat-messages");
  }

  /** The provider that the person has chosen, or undefined where there is no choice. */
  get provider() {
    return this.form.elements.provider?.value;
  }

  get pageAddress() {
    return this.server.pageAddress;
  }

  /** Returns a copy of what is in the <template> of this name. */
  clone(name) {
    return this.querySelector(`template[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
  }

  /** Appends an empty message of this role. */
  add(role) {
    const article = this.messages.appendChild(this.clone(role));
    tell(article.querySelector("time"), new Date());
    return new DRAWN_BY[role](this, article);
  }

  /** The first message that is shown, or null. */
  get firstMessage() {
    return this.messages.querySelector(":scope > .chat-message");
  }

  /**
   * Returns messages as the server shows them now, or null if the site is away or another conversation was begun
   * meanwhile. `asked` is in the page's address.
   */
  async load(asked) {
    const { conversation } = this.dataset;
    const fresh = await this.server.messages(this.id, asked);
    if (conversation !== this.dataset.conversation) return null;
    if (fresh) tellAll(fresh);
    return fresh;
  }

  /**
   * Puts the messages as the server shows them now in place of those on the page, from the first one on, or from the
   * message `since` on. Returns false if the site has none now, or if an answer has begun meanwhile.
   */
  async reload(since = this.firstMessage?.dataset.message) {
    const { answer } = this.conversation;
    const fresh = await this.load({ from: since });
    const isTrue = Boolean(fresh) && answer === this.conversation.answer;
    if (isTrue) this.replace(fresh);
    return isTrue;
  }

  /** Shows these messages in place of those on the page. A form that somebody has opened moves to its new message. */
  replace(fresh) {
    const focused = document.activeElement;
    moveForms(this.messages, fresh);
    this.messages.replaceChildren(...fresh.childNodes);
    if (focused !== document.activeElement && this.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** Sends a message for the host page. Returns false if nothing can be sent now or the site does not take it. */
  async send(text) {
    return !this.isBusy && Boolean(text.trim()) && this.composer.say(text);
  }

  /** Stops the answer that is being written. */
  async stop() {
    if (this.isActive) await this.conversation.stop();
  }

  /** Tells the host page what happened, as an event `chat:<name>`. */
  report(name, detail) {
    const { conversation } = this.dataset;
    this.dispatchEvent(new CustomEvent(`chat:${name}`, { bubbles: true, detail: { conversation, ...detail } }));
  }

  /** Tells screen readers the text of this name. */
  say(name) {
    this.querySelector(":scope > [role=status]").textContent = this.texts[name] ?? "";
  }

  /** Gives screen readers a finished answer once, whole. They read a note by themselves. */
  announce(article) {
    const hasNote = article.querySelector(".chat-note");
    const waits = article.querySelector('[data-state="approval-requested"]');
    this.say(hasNote ? "" : waits ? "waits" : "answered");
    this.querySelector(".chat-announcer").textContent = shownTexts(article).join("\n");
  }
}
