import { isLeaving } from "./keyboard.js";
import { markWhileLarge } from "./large.js";
import { messageIn } from "./message.js";

/*
 * The forms under a message: `edit` and `comment`. A message has none until somebody asks for it, because a browser takes
 * long over hundreds of forms. The button that asks for a form has its name. Without a script it leads to a page with it.
 */

/** The forms that are open. New messages in place of theirs would take away what was typed. */
export const OPEN_FORMS = ":is(.chat-edit, .chat-comment):not([hidden])";

/** Returns the form of this name, open or closed, or null. */
export const formOf = (article, name) => article.querySelector(`:scope > .chat-${name}`);

const buttonOf = (article, name) => article.querySelector(`:scope > .chat-actions > [name=${name}]`);

/** Moves the open forms of messages to the same messages in `fresh`, with what was typed. */
export function moveForms(messages, fresh) {
  for (const form of messages.querySelectorAll(OPEN_FORMS)) {
    messageIn(fresh, form.closest(".chat-message").dataset.message)?.append(form);
  }
}

/** Opens the form of this name, with `text` if it is empty, and returns its box. The message stays where it is. */
export function openForm(chat, article, name, text) {
  const { top } = article.getBoundingClientRect();
  const form = formOf(article, name) ?? article.appendChild(chat.clone(name));
  const box = form.querySelector("textarea");
  box.value ||= text;
  markWhileLarge(box);
  form.hidden = false;
  chat.follower.keep(article, top);
  form.scrollIntoView({ block: "nearest" });
  return box;
}

/** Closes the form of this name. What was typed stays in it, and the button that opens it gets the focus. */
export function closeForm(article, name) {
  formOf(article, name).hidden = true;
  buttonOf(article, name).focus();
}

/**
 * Calls `open(article)` if somebody presses the button that asks for the form of this name, and closes the form at the
 * press of its button for that, and of Escape.
 */
export function listenForForm(chat, name, open) {
  chat.addEventListener("submit", (event) => {
    const { submitter } = event;
    const article = submitter?.closest(".chat-message");
    const isClosing = submitter?.matches(`.chat-${name} .chat-cancel`);
    if (!isClosing && submitter?.name !== name) return;
    event.preventDefault();
    if (isClosing) closeForm(article, name);
    else open(article);
  });
  chat.messages.addEventListener("keydown", (event) => {
    const form = event.target.closest(`.chat-${name}`);
    if (form && isLeaving(event)) closeForm(form.closest(".chat-message"), name);
  });
}
