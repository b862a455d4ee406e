const SHOWN = 2000; // milliseconds for which a button says that it has copied

/** Puts a text on the clipboard. The text may be a promise: Safari allows a copy only in the moment of the press. */
async function put(text) {
  if (navigator.clipboard?.write && globalThis.ClipboardItem) {
    const blob = Promise.resolve(text).then((known) => new Blob([known], { type: "text/plain" }));
    const isDone = await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]).then(() => true, () => false);
    if (isDone) return;
  }
  copySelected(await text); // without https there is no clipboard API, and a frame may not be allowed to use it
}

function copySelected(text) {
  const focused = document.activeElement;
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  document.execCommand("copy");
  box.remove();
  focused?.focus({ preventScroll: true });
}

/** The buttons that copy a message as it was written, with its Markdown, or one block of code in it. */
export class Clipboard {
  constructor(chat) {
    this.chat = chat;
    this.offer(chat.messages);
    new MutationObserver((changes) => this.changed(changes)).observe(chat.messages, { childList: true, subtree: true });
    chat.messages.addEventListener("click", ({ target }) => {
      const button = target.closest(".chat-copy");
      if (button) this.copy(button);
    });
  }

  changed(changes) {
    const places = changes.map(({ target }) => target.closest(".md-code") ?? target);
    for (const place of new Set(places)) this.offer(place);
  }

  /** Gives each block of code a button that copies it, once it is complete. */
  offer(place) {
    const complete = ".md-code:not(:has(> [data-added], [data-open]))";
    const blocks = place.matches(complete) ? [place] : place.querySelectorAll(complete);
    for (const block of blocks) block.append(this.chat.clone("copy"));
  }

  async copy(button) {
    const code = button.closest(".md-code")?.querySelector("code");
    await put(code ? code.textContent : this.textOf(button.closest(".chat-message")));
    this.chat.say("copied");
    button.toggleAttribute("data-done", true);
    setTimeout(() => button.toggleAttribute("data-done", false), SHOWN);
  }

  /** Asks the site for the text, because the page shows it without its Markdown signs. */
  async textOf(article) {
    const articles = [...this.chat.messages.querySelectorAll(":scope > .chat-message")];
    const following = articles[articles.indexOf(article) + 1]?.dataset.message;
    const message = await this.chat.server.written(article.dataset.message, following).catch(() => null);
    const written = message?.parts.filter(({ type }) => type === "text").map(({ text }) => text);
    return (written ?? shownTexts(article)).join("\n\n");
  }
}

/** The texts of a message as they are shown. Those that have blocks have a line end between two of them. */
export const shownTexts = (article) =>
  Array.from(article.querySelectorAll(".chat-parts > .chat-text"), (text) =>
    text.matches(".chat-rich") ? text.innerText : text.textContent,
  );
