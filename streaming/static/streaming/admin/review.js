// Reviews by the keyboard: j and k move, 1 to 5 rate, f flags, n goes to the next unreviewed answer.

// The last save. One waits for the other, so that the site keeps what was pressed last.
let saving = Promise.resolve();

function review(transcript) {
  const answers = [...transcript.querySelectorAll(".streaming-assistant")];
  let current = answers.findIndex((answer) => `#${answer.id}` === location.hash);

  const keys = {
    j: () => go(current + 1),
    k: () => go(current - 1),
    f: () => change((form) => form.querySelector("[name$=-flag]").click()),
    n: () => saving.then(() => location.assign(next())),
  };
  for (const rating of "12345") {
    keys[rating] = () => change((form) => form.querySelector(`[name$=-rating][value="${rating}"]`).click());
  }

  function go(index) {
    if (index < 0 || index >= answers.length) return;
    answers[current]?.classList.remove("is-current");
    current = index;
    answers[current].classList.add("is-current");
    answers[current].focus({ preventScroll: true });
    answers[current].scrollIntoView({ block: "start" });
  }

  function next() {
    const id = answers[current]?.id.replace("message-", "");
    return transcript.dataset.next + (id ? `&after=${id}` : "");
  }

  function change(apply) {
    if (current < 0) go(0);
    const form = answers[current]?.querySelector("[data-review]");
    if (!form) return;
    apply(form);
    saving = saving.then(() => save(form));
  }

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("textarea, input:not([type=radio], [type=checkbox]), select");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  if (current >= 0) go(current);
}

async function save(form) {
  const state = form.querySelector("[data-review-state]");
  const data = new FormData();
  for (const field of form.querySelectorAll("input, textarea")) {
    if (field.type === "radio" || field.type === "checkbox" ? field.checked : true) data.append(field.name, field.value);
  }
  data.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  try {
    const response = await fetch(form.dataset.review, {
      method: "POST",
      body: data,
      headers: { Accept: "application/json" },
    });
    if (!response.ok) throw new Error(String(response.status));
    state.textContent = (await response.json()).state;
  } catch (error) {
    state.textContent = `✗ ${error.message}`;
  }
}

for (const element of document.querySelectorAll("[data-keys]")) review(element);
