import { Options } from "./options.js";
import { Refusal } from "./refusal.js";

const PAUSE = 250; // milliseconds without a key press after which the list is searched
const NAMING = 4000; // milliseconds in which most models find a title

/** The list of conversations beside a chat that is the whole page. It works without this, too. */
export class List {
  constructor(nav, chat) {
    Object.assign(this, { nav, chat, search: nav.querySelector(".chat-search"), options: new Options(nav) });
    nav.addEventListener("submit", (event) => this.submitted(event));
    this.search.addEventListener("input", () => this.searchSoon());
    chat.addEventListener("streaming-chat:finished", () => this.finished());
    chat.addEventListener("streaming-chat:elsewhere", () => this.catchUp());
  }

  /** A model may find a title soon after the first answer. */
  finished() {
    this.catchUp();
    if ("titles" in this.nav.dataset) setTimeout(() => this.renamedSoon(), NAMING);
  }

  /** Gives the page the title that the list has now, unless somebody is typing one. */
  async renamedSoon() {
    if (this.options.form) return;
    await this.catchUp();
    const title = this.nav.querySelector(".chat-listed > a[aria-current]")?.textContent.trim();
    if (title && title !== document.title) this.chat.dispatchEvent(renamed(title));
  }

  submitted(event) {
    const { target: form, submitter } = event;
    if (!form.closest(".chat-list, .chat-search")) return; // the site's own forms, such as signing out
    event.preventDefault();
    if (form === this.search) this.refresh();
    else if (submitter?.name === "options") this.options.toggle(submitter.closest(".chat-listed"));
    else this.change(form, submitter?.value ?? "rename");
  }

  searchSoon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.refresh(), PAUSE);
  }

  /** Does what a button of a conversation stands for. */
  async change(form, wish) {
    const item = form.closest(".chat-listed");
    const { key } = item.dataset;
    const beside = (item.nextElementSibling ?? item.previousElementSibling)?.dataset.key;
    const isShown = key === this.chat.dataset.conversation;
    const { server } = this.chat;
    try {
      if (wish === "delete") await server.remove(key);
      else await server.change(key, wish === "rename" ? { title: form.elements.title.value } : { pinned: wish === "pin" });
    } catch (trouble) {
      return this.refuse(trouble);
    }
    if (wish === "delete" && isShown) this.chat.tabs.tell();
    if (wish === "delete" && isShown) return location.assign(this.nav.dataset.list);
    if (wish === "rename" && isShown) this.chat.dispatchEvent(renamed(form.elements.title.value));
    this.chat.dispatchEvent(new CustomEvent("streaming-chat:changed"));
    this.options.close();
    await this.refresh();
    (this.linkTo(key) ?? this.linkTo(beside) ?? this.nav.querySelector(".chat-new"))?.focus();
  }

  refuse(trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    this.nav.querySelector(".chat-list-note").textContent = trouble.message;
  }

  /** Takes the list because something has changed. Nobody asked for it, so a refusal is not told: the next time will do. */
  catchUp() {
    return this.refresh((trouble) => {
      if (!(trouble instanceof Refusal)) throw trouble;
    });
  }

  /** A conversation has begun. It is on the first page, whichever one is shown. */
  begun() {
    this.nav.querySelector("#chat-list").elements.page.value = 1;
    return this.refresh();
  }

  /** Takes the list from the server's page, which knows the order, the groups and the search. */
  async refresh(refuse = (trouble) => this.refuse(trouble)) {
    const asked = (this.asked = this.chat.server.list(this.address));
    const fresh = await asked.catch(refuse);
    if (!fresh || asked !== this.asked) return;
    this.nav.querySelector(".chat-list-note").textContent = "";
    this.options.keepIn(fresh, () => this.nav.querySelector(".chat-list").replaceChildren(...fresh.childNodes));
    this.mark();
  }

  /** The address of the list: with the page that is shown, unless somebody has begun another search. */
  get address() {
    const address = new URL(this.nav.dataset.list, location.href);
    const { q, page } = this.nav.querySelector("#chat-list").elements; // what is shown
    const query = this.search.elements.q.value.trim();
    if (query) address.searchParams.set("q", query);
    if (query === (q?.value ?? "")) address.searchParams.set("page", page.value);
    return address;
  }

  /** Returns the link to a conversation, or null if the list does not have it. */
  linkTo(key) {
    return key ? this.nav.querySelector(`[data-key="${CSS.escape(key)}"] > a`) : null;
  }

  /** Marks the conversation that is shown. */
  mark() {
    for (const link of this.nav.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const key = this.chat.dataset.conversation;
    const shown = key ? this.linkTo(key) : this.nav.querySelector(".chat-new");
    shown?.setAttribute("aria-current", "page");
  }
}

const renamed = (title) => new CustomEvent("streaming-chat:renamed", { bubbles: true, detail: { title } });
