import { nodesOf } from "./html.js";
import { morph, put } from "./morph.js";

// What needs no rendering, and is put at the caret at once. The server has the same expression (markdown/stream.py).
const PLAIN = /^[^\n*_~`[\]<>&\\!|$#\0\u202d\u202e]*/;
// The beginning of a line that may close a fence.
const MAY_CLOSE = /^ {0,3}(`+|~+)?[ \t]*$/;

/**
 * The text of an answer, drawn from the HTML that the server sends. Its first children are settled and never change
 * again. After them comes the tail, which is drawn anew with each change. Between two changes, plain text goes to the
 * caret in the tail.
 */
export class Markdown {
  constructor(element) {
    Object.assign(this, { element, settled: 0, items: 0, rest: null });
    element.classList.add("chat-rich");
    element.removeAttribute("dir"); // each block has its own
    element.replaceChildren();
  }

  /** Takes text as the model wrote it. */
  write(delta) {
    if (this.rest === null) return;
    this.rest += delta.replace(/\r\n?/g, "\n");
    this.grow();
  }

  /** Applies a change. Its fields are described in streaming/markdown/patch.py. */
  apply({ ops = [], last = "", tail = "", rest = null }) {
    for (const [name, ...values] of ops) this[name](...values);
    morph(this.element, nodesOf(tail), this.settled);
    if (this.container) morph(this.container, nodesOf(last), this.items);
    this.caret = this.findCaret();
    this.element.toggleAttribute("data-caret", Boolean(this.caret));
    this.rest = rest;
    if (rest) this.grow();
  }

  /** Appends a settled block. It takes the place of the tail, which showed it so far. */
  block(html) {
    this.closeContainer();
    put(this.element, this.settled, nodesOf(html)[0]);
    this.settled += 1;
    this.items = 0;
  }

  /** Appends a settled item to the last settled block. */
  item(html) {
    put(this.container, this.items, nodesOf(html)[0]);
    this.items += 1;
  }

  fix(block, item, html) {
    const shown = this.element.childNodes[block];
    const old = item < 0 ? shown : containerIn(shown).childNodes[item];
    old.replaceWith(...nodesOf(html));
  }

  /** Removes what stood after the items of the last settled block. */
  closeContainer() {
    if (this.container) morph(this.container, [], this.items);
  }

  /** The element that has the items of the last settled block, if it has items. */
  get container() {
    return containerIn(this.settled ? this.element.childNodes[this.settled - 1] : null);
  }

  /** Returns the caret in what is not settled, or null. Nothing else is an <i>. */
  findCaret() {
    const { element, container } = this;
    const tail = element.childNodes.length > this.settled ? element.lastChild : null;
    const last = container?.childNodes.length > this.items ? container.lastChild : null;
    return tail?.querySelector?.("i") ?? last?.querySelector("i") ?? null;
  }

  /** Puts what needs no rendering at the caret. */
  grow() {
    const { caret } = this;
    if (!caret) return;
    const isCode = caret.parentNode.matches("[data-open]");
    const size = isCode ? sizeOfCode(this.rest) : PLAIN.exec(this.rest)[0].length;
    if (!size) return;
    const before = caret.previousSibling;
    const text = this.rest.slice(0, size);
    this.rest = this.rest.slice(size);
    if (before?.nodeType === Node.TEXT_NODE) before.appendData(text);
    else caret.before(text);
  }
}

/** Returns how much of a code's text may be shown: all but a last line that is empty or may become the end of the code. */
function sizeOfCode(text) {
  const end = text.lastIndexOf("\n");
  return MAY_CLOSE.test(text.slice(end + 1)) ? Math.max(end, 0) : text.length;
}

function containerIn(block) {
  if (block?.matches("ul, ol")) return block;
  return block?.matches(".md-table") ? block.querySelector("tbody") : null;
}
