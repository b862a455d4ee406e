// The scripts of the admin's pages. Each part begins only if the page has its element.

import { review } from "./review.js";
import { watch } from "./watch.js";
import { replay } from "./replay.js";

const PARTS = { "[data-keys]": review, "[data-watch]": watch, "[data-player]": replay };

for (const [selector, begin] of Object.entries(PARTS)) {
  for (const element of document.querySelectorAll(selector)) begin(element);
}
