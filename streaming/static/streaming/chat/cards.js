import { durationOf, inWords } from "./durations.js";
import { drawn, readableName, summary } from "./values.js";

const OPEN_STATES = new Set(["output-error", "approval-requested"]);

/** Draws a tool call in this state, and what the chunk tells of its name, arguments, result and duration. */
export function drawCard(card, chunk, state, texts) {
  const { toolCallId, toolName, input, output, errorText } = chunk;
  const find = (slot) => card.querySelector(`[data-${slot}]`);
  Object.assign(card.dataset, { state, call: toolCallId });
  card.open = OPEN_STATES.has(state) || (card.open && state !== "output-denied");
  if (toolName) Object.assign(find("name"), { textContent: readableName(toolName, texts.servers), title: toolName });
  if (input !== undefined) {
    find("content").replaceChildren(...drawn(input));
    find("summary").textContent = summary(input);
  }
  const result = output ?? errorText;
  if (result !== undefined) find("output").replaceChildren(...drawn(result));
  const taken = durationOf(chunk);
  if (taken) find("duration").textContent = inWords(taken, texts);
}
