import { drawCard } from "./cards.js";
import { isLong } from "./folds.js";
import { isLarge } from "./large.js";
import { Markdown } from "./markdown.js";
import { Refusal } from "./refusal.js";

// The id at the end of a stored file's address: a UUID. Any other path is not a file, whatever it begins with.
const FILE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ID_LENGTH = 36;
// The types that the server, too, shows as pictures after a reload (streaming/files/kinds.py).
const PICTURE = /^image\/(png|jpeg|gif|webp)$/;

/** Returns the message with this id among those in `list`, or undefined. */
export const messageIn = (list, id) => [...list.children].find(({ dataset }) => id && dataset.message === id);

/** Lets a link to the login page lead back to this page. */
function comeBackFrom(link) {
  const address = new URL(link.href, location.href);
  address.searchParams.set("next", location.pathname + location.search);
  link.href = address.href;
}

/**
 * One message on the page, and how its parts are drawn. Parts are clones of the <template>s that the server rendered.
 * They are filled with text. Only the HTML that the server made of an answer's Markdown becomes HTML.
 */
export class Message {
  constructor(chat, article) {
    Object.assign(this, { chat, article, byId: new Map() });
    this.shown = this.parts = article.querySelector(".chat-parts");
  }

  /** Appends an empty part and returns its element. */
  open(id, kind) {
    const part = this.chat.clone(kind);
    this.byId.set(id, part);
    this.parts.append(part);
    return part;
  }

  /** Appends text to a part. */
  write(id, delta) {
    const part = this.byId.get(id);
    part.written = (part.written ?? "") + delta; // as the model wrote it
    if (part.markdown) return part.markdown.write(delta);
    const content = part.matches("[data-content]") ? part : part.querySelector("[data-content]");
    (content.lastChild ?? content.appendChild(new Text())).appendData(delta);
  }

  /** Draws a change of the HTML of a text part. The first one says that all of the part comes as HTML. */
  html({ id, fresh, ...change }) {
    const part = this.byId.get(id);
    if (!part?.matches(".chat-text")) return; // it may have become reasoning
    if (fresh) part.markdown = new Markdown(part);
    part.markdown?.apply(change);
  }

  text(id, text) {
    this.article.toggleAttribute("data-long", isLong(text));
    this.article.toggleAttribute("data-large", isLarge(text));
    this.open(id, "text");
    this.write(id, text);
  }

  /** Draws a tool call in this state. */
  tool(chunk, state) {
    const card = this.byId.get(chunk.toolCallId) ?? this.open(chunk.toolCallId, "tool");
    drawCard(card, chunk, state, this.chat.texts);
    this.chat.approvals.offer(card);
  }

  /** Draws a file: a picture that this site keeps as a picture, any other file as a link, if its address is safe. */
  file({ url, mediaType, filename }) {
    const [start, id] = [url.slice(0, -ID_LENGTH), url.slice(-ID_LENGTH)];
    const isOurs = start === `${this.chat.dataset.files}/` && FILE_ID.test(id);
    if (isOurs && PICTURE.test(mediaType)) return this.image(url, filename ?? mediaType);
    const link = this.open(url, "file");
    link.textContent = filename || mediaType;
    if (isOurs || /^(https?|data):/.test(url)) link.href = url;
  }

  image(url, alt) {
    const link = this.open(url, "image");
    link.href = url;
    Object.assign(link.querySelector("img"), { src: url, alt });
  }

  /** Shows a sentence under the message, in place of an older one. */
  note(kind, text) {
    const note = this.chat.clone("note");
    note.dataset.kind = kind;
    note.querySelector("p").textContent = text;
    for (const button of note.querySelectorAll("button")) button.value = this.article.dataset.message;
    const link = note.querySelector(".chat-sign-in");
    if (link) comeBackFrom(link);
    this.clearNote();
    this.shown.after(note);
  }

  /** Shows why the site did not do what was asked. Throws any other trouble again. */
  refuse(trouble) {
    if (!(trouble instanceof Refusal)) throw trouble;
    this.note(trouble.kind, trouble.message);
    this.chat.report("error", { kind: trouble.kind, message: trouble.message });
  }

  clearNote() {
    this.article.querySelector(".chat-note")?.remove();
  }
}
