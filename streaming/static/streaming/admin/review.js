// Reviews by the keyboard: j and k move, 1 to 5 rate, f flags, n saves and goes to the next unreviewed answer.

import { latinOf } from "../chat/keyboard.js";

// The last save. One waits for the other, so that the site keeps what was pressed last.
let saving = Promise.resolve();

function review(transcript) {
  const answers = [...transcript.querySelectorAll(".streaming-assistant")];
  let current = answers.findIndex((answer) => `#${answer.id}` === location.hash);

  const keys = {
    j: () => go(current + 1),
    k: () => go(current - 1),
    f: () => change((form) => form.querySelector("[name$=-flag]").click()),
    n: leave,
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
    queueSave(form);
  }

  /** Goes to the next answer once everything is saved. Otherwise leads to the first review that is not. */
  async function leave() {
    await saving;
    await Promise.all(changedForms().map(queueSave));
    const [unsaved] = changedForms();
    if (unsaved) go(answers.indexOf(unsaved.closest(".streaming-assistant")));
    else location.assign(next());
  }

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("textarea, input:not([type=radio], [type=checkbox]), select");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const press = keys[latinOf(event)];
    if (!press) return;
    event.preventDefault();
    press();
  });
  if (current >= 0) go(current);
}

const changedForms = () => [...document.querySelectorAll("[data-review]")].filter(isChanged);

const fieldsOf = (form) => [...form.querySelectorAll("input, textarea")];

const isChoice = (field) => field.type === "radio" || field.type === "checkbox";

/** True if the form has something that the site does not have: a field's default is what was loaded or saved last. */
function isChanged(form) {
  return fieldsOf(form).some((field) =>
    isChoice(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
  );
}

function queueSave(form) {
  return (saving = saving.then(() => save(form)));
}

async function save(form) {
  const state = form.querySelector("[data-review-state]");
  const sent = fieldsOf(form).map((field) => [field, isChoice(field) ? field.checked : field.value]);
  const data = new FormData();
  for (const [field] of sent) if (!isChoice(field) || field.checked) data.append(field.name, field.value);
  data.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  try {
    const response = await fetch(form.dataset.review, {
      method: "POST",
      body: data,
      headers: { Accept: "application/json" },
    });
    const told = await response.json().catch(() => ({}));
    if (!response.ok || !told.state) throw new Error(told.state ?? String(response.status));
    state.textContent = told.state;
    markSaved(sent);
  } catch (error) {
    state.textContent = `✗ ${error.message}`;
  }
}

/** Makes what was sent the defaults. A default that stays is not set again: that would change a field of its own. */
function markSaved(sent) {
  for (const [field, value] of sent) {
    const name = isChoice(field) ? "defaultChecked" : "defaultValue";
    if (field[name] !== value) field[name] = value;
  }
}

// A form that is sent by its button saves only its own review. The browser asks before others are lost.
let submitted = null;
document.addEventListener("submit", ({ submitter }) => (submitted = submitter?.closest("[data-review]")));
addEventListener("beforeunload", (event) => {
  const isLost = changedForms().some((form) => form !== submitted);
  submitted = null; // if the person stays, the form is still not saved
  if (isLost) event.preventDefault();
});

for (const element of document.querySelectorAll("[data-keys]")) review(element);
