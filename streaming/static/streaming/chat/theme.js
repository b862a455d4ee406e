const THEMES = ["system", "light", "dark"];
const YEAR = 31_536_000; // seconds

/** Lets a button choose between the system's colours, light and dark. A cookie tells the server, so no page flashes. */
export function letChooseTheme(page) {
  const button = page.querySelector(".chat-theme");
  button?.addEventListener("click", () => {
    const shown = page.dataset.theme || THEMES[0];
    const next = THEMES[(THEMES.indexOf(shown) + 1) % THEMES.length];
    page.dataset.theme = next;
    document.cookie = `streaming_theme=${next}; path=/; max-age=${YEAR}; samesite=lax`;
    const name = button.querySelector(`[data-theme-name="${next}"]`).textContent;
    button.setAttribute("aria-label", `${button.dataset.label}: ${name}`);
    button.title = button.getAttribute("aria-label");
  });
}
