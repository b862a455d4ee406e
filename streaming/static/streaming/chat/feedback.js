import { closeForm, formOf, listenForForm, openForm } from "./forms.js";
import { isSending } from "./keyboard.js";
import { Refusal } from "./refusal.js";

/** The thumbs under the answers, and the comment that a thumb may have. They work without this, too. */
export class Feedback {
  constructor(chat) {
    this.chat = chat;
    listenForForm(chat, "comment", (article) => this.open(article).focus());
    chat.addEventListener("submit", (event) => {
      if (event.submitter?.name !== "thumb") return;
      event.preventDefault();
      this.give(event.submitter);
    });
    chat.messages.addEventListener("keydown", (event) => this.pressed(event));
  }

  open(article) {
    const box = openForm(this.chat, article, "comment", commentButton(article).dataset.comment ?? "");
    box.form.elements.thumb.value = pressedThumb(article);
    return box;
  }

  pressed(event) {
    if (!event.target.matches(".chat-comment [name=comment]") || !isSending(event)) return;
    event.preventDefault();
    event.target.form.requestSubmit(event.target.form.querySelector("[name=thumb]"));
  }

  /** Gives the thumb of a button, with the comment. A button without a thumb takes it back. */
  async give(button) {
    const article = button.closest(".chat-message");
    const thumb = button.value;
    const form = formOf(article, "comment");
    const isOpen = form && !form.hidden; // what was typed into a closed form is not meant any more
    const comment = isOpen ? form.elements.comment.value : (commentButton(article).dataset.comment ?? "");
    const note = article.querySelector(".chat-feedback-note");
    note.textContent = "";
    try {
      await this.chat.server.rate(article.dataset.message, thumb && { thumb, comment });
    } catch (trouble) {
      if (!(trouble instanceof Refusal)) throw trouble;
      note.textContent = trouble.message;
      return;
    }
    commentButton(article).dataset.comment = thumb && comment;
    showThumb(article, thumb);
    this.chat.dispatchEvent(new CustomEvent("streaming-chat:changed"));
    this.chat.say(thumb && "thanked");
    if (!button.matches(".chat-thumb")) closeForm(article, "comment");
    else if (thumb) this.open(article);
    else form?.remove();
  }
}

const commentButton = (article) => article.querySelector(".chat-actions > [name=comment]");

const pressedThumb = (article) => article.querySelector(".chat-thumb[aria-pressed=true]")?.dataset.thumb ?? "";

/** Shows which thumb is kept. The next press of its button takes it back. */
function showThumb(article, thumb) {
  for (const one of article.querySelectorAll(".chat-thumb")) {
    const isPressed = one.dataset.thumb === thumb;
    one.setAttribute("aria-pressed", String(isPressed));
    one.value = isPressed ? "" : one.dataset.thumb;
  }
  commentButton(article).hidden = !thumb;
}
