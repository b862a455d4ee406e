// Replays an answer with its own timing. The timeline says how many characters came at which millisecond.

const inTenths = new Intl.NumberFormat(document.documentElement.lang || undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

function replay(player) {
  const data = document.getElementById("streaming-replay");
  if (!data) return;
  const script = JSON.parse(data.textContent);
  const find = (name) => player.querySelector(`[data-${name}]`);
  const [play, scrub, clock, cursor] = ["play", "scrub", "clock", "cursor"].map(find);
  const label = play.textContent;
  let at = 0;
  let timer = null;
  let before = 0;

  const speed = () => Number(player.querySelector("[name=speed]:checked").value);

  function show(time) {
    at = Math.min(time, script.total);
    const counts = { text: 0, reasoning: 0 };
    const calls = new Map();
    for (const [moment, kind, value] of script.timeline) {
      if (moment > at) break;
      if (kind in counts) counts[kind] += value;
      else if (kind !== "step") calls.set(value, kind);
    }
    // The text may have grown by what only the row has, so the end shows all of it.
    const isOver = at >= script.total;
    find("text").textContent = isOver ? script.text : script.text.slice(0, counts.text);
    find("reasoning").textContent = isOver ? script.reasoning : script.reasoning.slice(0, counts.reasoning);
    find("calls").replaceChildren(...[...calls].map(([id, kind]) => item(`${script.names[id] ?? id} ${kind === "result" ? "✓" : "…"}`)));
    const x = (at / script.total) * script.width;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    scrub.value = at;
    clock.textContent = `${inTenths.format(at / 1000)} s`;
  }

  function item(words) {
    const line = document.createElement("li");
    line.textContent = words;
    return line;
  }

  function tick(now) {
    show(speed() ? at + (now - before) * speed() : script.total);
    before = now;
    if (at < script.total) timer = requestAnimationFrame(tick);
    else pause();
  }

  function pause() {
    cancelAnimationFrame(timer);
    timer = null;
    play.textContent = label;
  }

  play.addEventListener("click", () => {
    if (timer) return pause();
    if (at >= script.total) show(0);
    play.textContent = "❚❚";
    before = performance.now();
    timer = requestAnimationFrame(tick);
  });
  scrub.addEventListener("input", () => show(Number(scrub.value)));
  show(0);
}

for (const element of document.querySelectorAll("[data-player]")) replay(element);
