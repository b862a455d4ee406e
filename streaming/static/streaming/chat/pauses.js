const FIRST = 500; // milliseconds before the first new attempt; each pause is twice as long as the last
const LONGEST = 15_000;

/** The pauses between attempts to reach the site. The browser's report that it is online again ends one early. */
export class Pauses {
  constructor() {
    this.reset();
  }

  /** An attempt has worked: the next pause is short again. */
  reset() {
    this.length = FIRST;
  }

  next() {
    const { length } = this;
    this.length = Math.min(2 * length, LONGEST);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener("online", end);
        resolve();
      };
      const timer = setTimeout(end, length);
      addEventListener("online", end);
    });
  }
}
