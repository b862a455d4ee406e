// A host page may write its language as the name of a locale: `en_GB`.
const language = document.documentElement.lang.replaceAll("_", "-") || undefined;
const ofToday = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const ofAnyDay = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** Shows a time in the reader's time zone. */
export function tell(element, date) {
  const isToday = date.toDateString() === new Date().toDateString();
  element.dateTime = date.toISOString();
  element.textContent = (isToday ? ofToday : ofAnyDay).format(date);
  element.title = ofAnyDay.format(date);
}

/** Shows all times below `root` in the reader's time zone. The server wrote them in its own. */
export function tellAll(root) {
  for (const element of root.querySelectorAll("time[datetime]")) tell(element, new Date(element.dateTime));
}
