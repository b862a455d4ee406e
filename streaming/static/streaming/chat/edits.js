import { shownTexts } from "./clipboard.js";
import { listenForForm, openForm } from "./forms.js";
import { newId } from "./ids.js";
import { isSending } from "./keyboard.js";

/** The forms that edit a message. An edit makes a new version of the message and asks for its answer. */
export class Edits {
  constructor(chat) {
    this.chat = chat;
    listenForForm(chat, "edit", (article) => this.open(article));
    chat.messages.addEventListener("keydown", (event) => this.pressed(event));
    chat.messages.addEventListener("submit", (event) => this.submitted(event));
  }

  open(article) {
    openForm(this.chat, article, "edit", shownTexts(article).join("")).focus();
  }

  /** Opens the form of the last question. Returns false if there is no question. */
  openLast() {
    const last = [...this.chat.messages.querySelectorAll(".chat-actions > [name=edit]")].at(-1);
    if (last) this.open(last.closest(".chat-message"));
    return Boolean(last);
  }

  pressed(event) {
    if (!event.target.matches(".chat-edit [name=prompt]") || !isSending(event)) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  }

  submitted(event) {
    if (!event.target.matches(".chat-edit")) return;
    event.preventDefault();
    if (this.chat.isBusy) this.chat.say("editWaits");
    else this.edit(event.target);
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
