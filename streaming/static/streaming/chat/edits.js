import { newId } from "./ids.js";
import { isSending } from "./keyboard.js";

/** The forms that edit a message. An edit makes a new version of the message and asks for its answer. */
export class Edits {
  constructor(chat) {
    this.chat = chat;
    const list = chat.messages;
    const isOpened = ({ target }) => target.matches(".chat-edit[open]");
    list.addEventListener("toggle", (event) => isOpened(event) && this.begin(event.target), true); // it does not bubble
    list.addEventListener("keydown", (event) => this.pressed(event));
    list.addEventListener("submit", (event) => this.submitted(event));
  }

  /** Prepares a form that was opened. The form of a message that was sent from this page is still empty. */
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

  submitted(event) {
    if (!event.target.closest(".chat-edit")) return;
    event.preventDefault();
    if (!this.chat.isActive && !this.chat.versions.isWalking) this.edit(event.target);
  }

  async edit(form) {
    const prompt = form.elements.prompt.value;
    if (!prompt.trim()) return;
    const article = form.closest(".chat-message");
    const messageId = article.dataset.message;
    const id = this.idFor(prompt, messageId);
    const kept = Array.from(article.querySelectorAll(".chat-parts > a[href]")); // a version has only the files it names
    const files = kept.map(({ pathname }) => ({ type: "file", mediaType: "", url: pathname }));
    const message = { id, role: "user", parts: [...files, { type: "text", text: prompt }] };
    await this.chat.versions.ask({ trigger: "submit-message", messageId, messages: [message] }, () => {
      this.unsent = undefined;
      this.chat.report("message", { id, text: prompt });
      this.chat.versions.makeRoom(article, this.show(id, kept, prompt));
    });
  }

  /** Returns the id for an edit. As in the composer, an edit whose last attempt failed has the same id again. */
  idFor(prompt, messageId) {
    const isSame = this.unsent?.prompt === prompt && this.unsent.messageId === messageId;
    if (!isSame) this.unsent = { prompt, messageId, id: newId() };
    return this.unsent.id;
  }

  show(id, links, prompt) {
    const asked = this.chat.add("user");
    asked.article.dataset.message = id;
    asked.parts.append(...links.map((link) => link.cloneNode(true)));
    asked.text(id, prompt);
    return asked.article;
  }
}
