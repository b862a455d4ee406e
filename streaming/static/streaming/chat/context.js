import { messageIn } from "./message.js";

/**
 * Puts the line where the model is not sent the messages any more: above the first message that it was sent.
 * The text of a summary comes with the page. Until then the line only says that there is one.
 */
export function markContext(chat, { first, isSummarized } = {}) {
  const message = messageIn(chat.messages, first);
  const old = chat.messages.querySelector(".chat-context");
  if (!message || (old && old.nextElementSibling === message)) return;
  const line = chat.clone("context");
  if (isSummarized) line.querySelector("p").textContent = chat.texts.summarized;
  old?.remove();
  message.before(line);
}
