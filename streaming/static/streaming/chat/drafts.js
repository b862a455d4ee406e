import { keep, kept } from "./memory.js";

/** The text that was typed and not sent, one for each conversation. It survives a reload and a visit to the login page. */
export class Drafts {
  constructor(chat) {
    this.chat = chat;
    chat.input.addEventListener("input", () => keep(this.name, chat.input.value));
    chat.composer.fill(chat.input.value || kept(this.name));
  }

  get name() {
    const { dataset, id } = this.chat;
    return `draft ${dataset.conversation || `${location.pathname} ${id}`}`;
  }
}
