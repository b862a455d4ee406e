import { isLeaving, isTouch } from "./keyboard.js";

const find = (list, key) => key && list.querySelector(`.chat-listed[data-key="${CSS.escape(key)}"]`);

/** What one can do to a conversation of the list: a form, which one conversation at a time has. */
export class Options {
  constructor(nav) {
    Object.assign(this, { nav, template: nav.querySelector(":scope > template") });
    nav.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** The form that is shown, or null. */
  get form() {
    return this.nav.querySelector(".chat-options");
  }

  toggle(item) {
    const wasOpen = item.contains(this.form);
    this.close();
    if (!wasOpen) this.open(item);
  }

  open(item) {
    const { key } = item.dataset;
    const form = item.appendChild(this.template.content.firstElementChild.cloneNode(true));
    for (const link of form.querySelectorAll("a")) link.href = link.getAttribute("href").replace("__key__", encodeURIComponent(key));
    form.querySelector("pinned" in item.dataset ? "[value=pin]" : "[value=unpin]").remove();
    form.elements.title.value = "untitled" in item.dataset ? "" : item.querySelector("a").textContent;
    if (!isTouch()) form.elements.title.select();
    mark(item);
  }

  /** Removes the form and returns the button that shows it. */
  close() {
    const item = this.form?.closest(".chat-listed");
    this.form?.remove();
    return item && mark(item);
  }

  /** Does `replace`, which puts a fresh list in place of the old one. The form and the focus go on where they were. */
  keepIn(fresh, replace) {
    const { form } = this;
    const focused = document.activeElement;
    const key = focused.closest(".chat-list .chat-listed")?.dataset.key;
    const item = find(fresh, form?.closest(".chat-listed").dataset.key);
    item?.append(form);
    if (item) mark(item);
    replace();
    if (document.activeElement === focused) return;
    const same = this.nav.contains(focused) ? focused : find(this.nav, key)?.querySelector(focused.localName);
    same?.focus({ preventScroll: true });
  }

  /** Escape closes the form, or the menu at the foot. The focus goes back to its button. */
  pressed(event) {
    if (!isLeaving(event)) return;
    const menu = event.target.closest(".chat-manage[open]");
    const button = menu ? closed(menu) : event.target.closest(".chat-listed:has(.chat-options)") && this.close();
    if (!button) return;
    event.preventDefault(); // it would close the drawer, too
    button.focus();
  }
}

/** Closes a <details> and returns its button. */
function closed(details) {
  details.open = false;
  return details.querySelector("summary");
}

/** Says in the button of a conversation if its form is shown. Returns the button. */
function mark(item) {
  const button = item.querySelector(":scope > [name=options]");
  button.setAttribute("aria-expanded", String(Boolean(item.querySelector(".chat-options"))));
  return button;
}
