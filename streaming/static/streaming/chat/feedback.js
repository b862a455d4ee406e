import { isSending } from "./keyboard.js";
import { Refusal } from "./refusal.js";

/** The thumbs under the answers, and the comment that a thumb may have. The forms work without this, too. */
export class Feedback {
  constructor(chat) {
    this.chat = chat;
    chat.messages.addEventListener("submit", (event) => {
      if (!event.target.matches(".chat-feedback")) return;
      event.preventDefault();
      this.give(event.target, event.submitter);
    });
    chat.messages.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    const comment = event.target.closest(".chat-comment[open]");
    if (!comment) return;
    if (event.key === "Escape") {
      comment.open = false;
      comment.querySelector("summary").focus();
    } else if (event.target.name === "comment" && isSending(event)) {
      event.preventDefault();
      event.target.form.requestSubmit(comment.querySelector("button"));
    }
  }

  /** Gives the thumb of a button, with the comment. A button without a thumb takes it back. */
  async give(form, button) {
    const thumb = button.value;
    const { message } = form.closest(".chat-message").dataset;
    const note = form.querySelector(".chat-feedback-note");
    note.textContent = "";
    try {
      await this.chat.server.rate(message, thumb && { thumb, comment: form.elements.comment.value });
    } catch (trouble) {
      if (!(trouble instanceof Refusal)) throw trouble;
      note.textContent = trouble.message;
      return;
    }
    show(form, thumb);
    this.chat.dispatchEvent(new CustomEvent("streaming-chat:changed"));
    this.chat.say(thumb && "thanked");
    const comment = form.querySelector(".chat-comment");
    const isThumb = button.matches(".chat-thumb");
    comment.open = isThumb && Boolean(thumb);
    if (!isThumb) comment.querySelector("summary").focus(); // the button that had the focus is hidden now
    else if (thumb) comment.scrollIntoView({ block: "nearest" });
  }
}

/** Shows which thumb is kept. The next press of its button takes it back. */
function show(form, thumb) {
  for (const one of form.querySelectorAll(".chat-thumb")) {
    const isPressed = one.dataset.thumb === thumb;
    one.setAttribute("aria-pressed", String(isPressed));
    one.value = isPressed ? "" : one.dataset.thumb;
  }
  const comment = form.querySelector(".chat-comment");
  comment.hidden = !thumb;
  comment.querySelector("button").value = thumb;
  if (!thumb) form.elements.comment.value = "";
}
