/** Returns a new random id. Browsers have `crypto.randomUUID` on https and localhost only. */
export const newId = () => crypto.randomUUID?.() ?? randomHex(16);

const randomHex = (size) =>
  Array.from(crypto.getRandomValues(new Uint8Array(size)), (byte) => byte.toString(16).padStart(2, "0")).join("");
