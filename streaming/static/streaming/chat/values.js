/*
 * JSON values as people read them: a table where that is possible, or else text. The server does the same after a reload
 * (streaming/views/values.py), so both must change together.
 */

const MOST_COLUMNS = 8;
const SUMMARY_CHARS = 80;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const cell = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const hasKeys = (row, keys) => isObject(row) && JSON.stringify(Object.keys(row)) === JSON.stringify(keys);

function isTable(value) {
  if (!Array.isArray(value) || !isObject(value[0])) return false;
  const keys = Object.keys(value[0]);
  return keys.length > 0 && keys.length <= MOST_COLUMNS && value.every((row) => hasKeys(row, keys));
}

/** Returns an element with text in it. */
function written(tag, text, attributes = {}) {
  const element = Object.assign(document.createElement(tag), attributes);
  return Object.assign(element, { dir: "auto", textContent: text });
}

/** Returns a row of a table. `header` is the scope of the header cells: that of all, or of the first one. */
function row(texts, header) {
  const line = document.createElement("tr");
  const isHeader = (at) => header === "col" || (header === "row" && at === 0);
  line.append(...texts.map((text, at) => (isHeader(at) ? written("th", text, { scope: header }) : written("td", text))));
  return line;
}

function table(head, rows, header) {
  const element = document.createElement("table");
  element.className = "chat-table";
  if (head) element.createTHead().append(row(head, "col"));
  element.createTBody().append(...rows.map((texts) => row(texts, header)));
  return element;
}

/** Returns the elements that show a value: one or none. */
export function drawn(value) {
  if (value === null || value === undefined || value === "") return [];
  if (isTable(value)) {
    const head = Object.keys(value[0]);
    return [table(head, value.map((one) => head.map((key) => cell(one[key]))))];
  }
  if (isObject(value) && Object.keys(value).length) {
    return [table(null, Object.entries(value).map(([key, one]) => [key, cell(one)]), "row")];
  }
  return [written("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2))];
}

/** Returns a tool's arguments in one line: the plain values, or the first line of a text. */
export function summary(value) {
  const found = isObject(value) ? Object.values(value) : [value];
  const plain = found.filter((one) => one !== null && one !== undefined && typeof one !== "object").map(cell);
  const line = plain.map((one) => one.split(/\s+/).filter(Boolean).join(" ")).filter(Boolean).join(" · ");
  const letters = [...line];
  return letters.length <= SUMMARY_CHARS ? line : `${letters.slice(0, SUMMARY_CHARS - 1).join("").trimEnd()}…`;
}

/** Returns `get_weather` as `Get weather`. `servers` has the labels of the MCP servers, whose tools are `server__tool`. */
export function readableName(name, servers = {}) {
  const end = name.indexOf("__");
  const server = name.slice(0, Math.max(end, 0));
  if (Object.hasOwn(servers, server)) return `${servers[server]}: ${readableName(name.slice(end + 2))}`;
  const words = name.split(/[\s_-]+/).filter(Boolean).join(" ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
