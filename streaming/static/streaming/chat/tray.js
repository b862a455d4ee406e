/**
 * The files beside the message that is being written. A person chooses, pastes or drops them; they are uploaded at once
 * and sent with the next message. Each file is a chip. A chip whose upload is done has its file part in `filePart`.
 */
export class Tray {
  constructor(chat, input) {
    Object.assign(this, { chat, list: chat.querySelector(".chat-tray"), uploads: new Set(), isWaiting: false });
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = ""; // else choosing the same file again would be no change
    });
    const area = "wholePage" in chat.dataset ? document.documentElement : chat; // a drop beside it would leave the page
    chat.form.addEventListener("paste", (event) => this.pasted(event));
    area.addEventListener("dragover", (event) => this.hovered(event));
    area.addEventListener("dragleave", (event) => area.contains(event.relatedTarget) || this.mark(false));
    area.addEventListener("drop", (event) => this.mark(false) || this.offered(event, event.dataTransfer));
    new MutationObserver(() => chat.composer.offer()).observe(this.list, { childList: true });
  }

  get chips() {
    return [...this.list.children];
  }

  hovered(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.mark(true);
  }

  mark(isOver) {
    this.chat.toggleAttribute("data-dropping", isOver);
  }

  /** Takes pasted files. Office programs put a picture of a text beside it: then the text is meant. */
  pasted(event) {
    if (!event.clipboardData.types.includes("text/plain")) this.offered(event, event.clipboardData);
  }

  offered(event, { files }) {
    if (!files.length) return;
    event.preventDefault();
    this.add([...files]);
  }

  add(files) {
    for (const file of files) {
      const upload = this.upload(file).finally(() => this.uploads.delete(upload));
      this.uploads.add(upload);
    }
  }

  async upload(file) {
    const gone = new AbortController();
    const chip = this.show(file.name, () => gone.abort());
    const uploaded = this.chat.server.upload(file, gone.signal);
    await uploaded.then((stored) => this.done(chip, stored), (trouble) => this.failed(chip, trouble));
  }

  /** Appends a chip with a button that removes it. */
  show(name, onRemove) {
    const chip = this.list.appendChild(this.chat.clone("chip"));
    const remove = chip.querySelector("button");
    chip.querySelector(".chat-chip-name").textContent = name;
    remove.setAttribute("aria-label", `${remove.getAttribute("aria-label")}: ${name}`);
    remove.addEventListener("click", () => {
      onRemove();
      chip.remove();
      this.chat.input.focus();
    });
    return chip;
  }

  /** Appends a file that is stored already. */
  showStored(filePart) {
    this.done(this.show(filePart.filename ?? "", () => {}), filePart);
  }

  done(chip, { url, mediaType, filename }) {
    chip.filePart = { type: "file", mediaType, url, filename };
    chip.dataset.state = "done";
    chip.querySelector(".chat-chip-note").textContent = "";
    if (mediaType.startsWith("image/")) Object.assign(chip.querySelector("img"), { src: url, hidden: false });
  }

  failed(chip, { message }) {
    chip.dataset.state = "failed";
    chip.querySelector(".chat-chip-note").textContent = message;
  }

  /** Returns true if a message may go now. A running upload is waited for; a failed one has to be removed first. */
  isReady() {
    if (this.uploads.size) this.submitLater();
    const failed = this.list.querySelector("[data-state=failed] button");
    failed?.focus();
    return !this.uploads.size && !failed;
  }

  async submitLater() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    await Promise.all(this.uploads);
    this.isWaiting = false;
    this.chat.form.requestSubmit();
  }

  /** Removes all chips and returns them. */
  take() {
    const chips = this.chips;
    this.list.replaceChildren();
    return chips;
  }

  putBack(chips) {
    this.list.prepend(...chips);
  }
}
