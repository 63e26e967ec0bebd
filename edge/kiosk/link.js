// The way to the station: each new screen as it comes, and whether the station runs.

const SILENCE = 1500; // milliseconds without a sign of life after which it is gone
const AGAIN = 500; // milliseconds between two tries to reach it

export class Link {
  #heard;
  #gone;
  #source = null;
  #watch = 0;
  #token = "";

  /** `heard` takes each screen; `gone` is called once it is known that none will come. */
  constructor({ heard, gone }) {
    this.#heard = heard;
    this.#gone = gone;
    this.#connect();
  }

  /** Give a command; false where the station does not do it. */
  async touch(code, number) {
    try {
      const answer = await fetch("/touch", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: this.#token, code, number }),
      });
      return answer.ok && (await answer.json()).done;
    } catch {
      return false;
    }
  }

  #connect() {
    const source = new EventSource("/events");
    this.#source = source;
    source.addEventListener("hello", (event) => this.#hello(JSON.parse(event.data)));
    source.addEventListener("screen", (event) => {
      this.#alive();
      this.#heard(JSON.parse(event.data));
    });
    source.addEventListener("beat", () => this.#alive());
    source.addEventListener("error", () => this.#lost(source));
    this.#alive();
  }

  #hello({ token, page }) {
    this.#token = token;
    if (page !== document.body.dataset.page) location.reload(); // a new version
  }

  #alive() {
    clearTimeout(this.#watch);
    const source = this.#source;
    this.#watch = setTimeout(() => this.#lost(source), SILENCE);
  }

  #lost(source) {
    if (source !== this.#source) return;
    source.close();
    this.#source = null;
    clearTimeout(this.#watch);
    this.#gone();
    setTimeout(() => this.#connect(), AGAIN);
  }
}
