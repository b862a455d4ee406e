/** Returns the message with this id, if the page shows it. */
const find = (chat, id) => [...chat.messages.children].find(({ dataset }) => dataset.message === id);

/**
 * Puts the line where the model is not sent the messages any more: above the first message that it was sent.
 * The text of a summary comes with the page. Until then the line only says that there is one.
 */
export function markContext(chat, { first, isSummarized } = {}) {
  const message = first && find(chat, first);
  const old = chat.messages.querySelector(".chat-context");
  if (!message || (old && old.nextElementSibling === message)) return;
  const line = chat.clone("context");
  if (isSummarized) line.querySelector("p").textContent = chat.texts.summarized;
  old?.remove();
  message.before(line);
}
