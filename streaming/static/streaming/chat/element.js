import { Answer } from "./answer.js";
import { Approvals } from "./approvals.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Edits } from "./edits.js";
import { Follower } from "./follower.js";
import { Message } from "./message.js";
import { Server } from "./server.js";
import { Tray } from "./tray.js";
import { Versions } from "./versions.js";

const DRAWN_BY = { user: Message, assistant: Answer };

/**
 * <streaming-chat>: sends messages, shows answers while they are written, stops them, and finds them again after a lost
 * connection or a reload. The element makes the pieces; each piece gets the element and finds the other pieces in it.
 */
export class StreamingChat extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.texts = JSON.parse(this.dataset.texts);
    this.form = this.querySelector(".chat-composer");
    this.input = this.form.elements.prompt;
    this.server = new Server(this.dataset);
    this.conversation = new Conversation(this);
    this.composer = new Composer(this);
    this.approvals = new Approvals(this);
    const { files } = this.form.elements; // missing if the model takes no files
    this.tray = files && new Tray(this, files);
    this.follower = new Follower(this.querySelector(".chat-log"), this.querySelector(".chat-jump"));
    this.versions = new Versions(this);
    this.edits = new Edits(this);
    if (this.isActive) this.conversation.resume();
  }

  /** True while an answer is written. */
  get isActive() {
    return this.hasAttribute("data-active");
  }

  /** The element that has all messages of the conversation as children. */
  get messages() {
    return this.querySelector(".chat-messages");
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
    return new DRAWN_BY[role](this, article);
  }

  /** Returns the messages as the server shows them now. */
  load() {
    return this.server.messages(this.form.id);
  }

  /** Puts the messages as the server shows them now in place of those on the page. */
  async reload() {
    this.messages.replaceChildren(...(await this.load()).childNodes);
  }

  /** Tells screen readers the text of this name. */
  say(name) {
    this.querySelector("[role=status]").textContent = this.texts[name] ?? "";
  }

  /** Gives screen readers a finished answer once, whole. They read a note by themselves. */
  announce(article) {
    const texts = Array.from(article.querySelectorAll(".chat-parts > .chat-text"), (text) => text.textContent);
    this.say(article.querySelector(".chat-note") ? "" : "answered");
    this.querySelector(".chat-announcer").textContent = texts.join("\n");
  }
}
