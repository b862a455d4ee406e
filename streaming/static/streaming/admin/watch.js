// Watches a running answer. The text replaces what the row has so far; at the end the page is loaded again.

function watch(button) {
  button.addEventListener("click", () => {
    button.disabled = true;
    follow(button);
  });
}

function follow(button) {
  const shown = button.closest("article").querySelector("[data-live]");
  shown.hidden = false;
  const source = new EventSource(button.dataset.watch);
  let text = null;
  source.onerror = () => {
    button.disabled = source.readyState !== EventSource.CLOSED; // refused: the person may try again
  };

  const add = (name, words) => {
    if (text?.dataset.kind !== name) {
      text = document.createElement("div");
      text.className = name === "reasoning" ? "streaming-text streaming-quiet" : "streaming-text";
      text.dataset.kind = name;
      shown.append(text);
    }
    text.append(words);
  };
  const note = (words) => {
    const line = document.createElement("p");
    line.className = "streaming-quiet";
    line.textContent = words;
    shown.append(line);
    text = null;
  };
  const end = () => {
    source.close();
    location.reload();
  };
  const handlers = {
    start: () => (shown.replaceChildren(), (text = null)),
    "text-delta": (chunk) => add("text", chunk.delta),
    "reasoning-delta": (chunk) => add("reasoning", chunk.delta),
    "tool-input-available": (chunk) => note(`${chunk.toolName} ${JSON.stringify(chunk.input)}`),
    "tool-output-available": (chunk) => note(`→ ${JSON.stringify(chunk.output)}`),
    "tool-output-error": (chunk) => note(`→ ${chunk.errorText}`),
    error: (chunk) => note(chunk.errorText),
    finish: end,
  };
  source.onmessage = ({ data }) => {
    if (data === "[DONE]") return end();
    const chunk = JSON.parse(data);
    handlers[chunk.type]?.(chunk);
  };
}

for (const element of document.querySelectorAll("[data-watch]")) watch(element);
