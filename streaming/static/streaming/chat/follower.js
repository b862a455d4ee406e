import { messageIn } from "./message.js";

const NEAR = 64; // pixels from the end that still count as the end

/**
 * Keeps a scroller at its end while its reader is there. A scroll position that this class did not set comes from the
 * reader: a scroll upwards lets go at once, a scroll to near the end takes hold again. Browsers report scrolls before
 * resizes, so growing text never overrides a gesture.
 */
export class Follower {
  constructor(scroller, button) {
    Object.assign(this, { scroller, button });
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    button.addEventListener("click", () => {
      this.hold();
      scroller.focus({ preventScroll: true }); // the button is gone
    });
    const observer = new ResizeObserver(() => this.isHolding && this.hold());
    for (const element of [scroller, ...scroller.children]) observer.observe(element);
    this.hold();
  }

  /** Scrolls to the end and stays there. A greeting, before the first message, is read from its beginning. */
  hold() {
    this.set(true);
    this.scroller.scrollTop = this.scroller.querySelector(".chat-message") ? this.scroller.scrollHeight : 0;
    this.top = this.scroller.scrollTop;
  }

  /** Scrolls until the element is `top` pixels below the window's edge. Follows the end only if that is near it. */
  keep(element, top) {
    this.scroller.scrollTop += element.getBoundingClientRect().top - top;
    this.top = this.scroller.scrollTop;
    this.set(this.scroller.scrollHeight - this.scroller.clientHeight - this.top < NEAR);
  }

  /** Returns what the reader sees, for `restore`: a message and how far it is from the window's edge. */
  place(messages) {
    const edge = this.scroller.getBoundingClientRect().top;
    const seen = [...messages.children].find((one) => one.dataset.message && one.getBoundingClientRect().bottom > edge);
    return { isHolding: this.isHolding, id: seen?.dataset.message, top: seen?.getBoundingClientRect().top };
  }

  /** Shows that place again after the messages were replaced. A reader at the end stays at the end. */
  restore({ isHolding, id, top }, messages) {
    const seen = messageIn(messages, id);
    if (isHolding || !seen) this.hold();
    else this.keep(seen, top);
  }

  /** Lets an element stay where it was, `top` pixels below the window's edge, after messages were put above it. */
  shift(element, top) {
    if (this.isHolding) return this.hold();
    this.scroller.scrollTop += element.getBoundingClientRect().top - top;
    this.top = this.scroller.scrollTop;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const distance = scrollHeight - clientHeight - scrollTop;
    const wasClamped = distance < 1; // the content became shorter, and the browser moved the position
    if (scrollTop < this.top && !wasClamped) this.set(false);
    else if (scrollTop > this.top && distance < NEAR) this.set(true);
    this.top = scrollTop;
  }

  set(isHolding) {
    this.isHolding = this.button.hidden = isHolding;
    this.scroller.classList.toggle("chat-held", isHolding); // switches off scroll anchoring, which would interfere
  }
}
