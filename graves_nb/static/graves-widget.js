// <graves-widget src="toy.js" styles="widgets.css" state='{"bias": 1}'>still picture</graves-widget>
//
// Mounts a toy in a page without a kernel: it gives the toy's ES module the model that anywidget
// would give it, made of the state alone. The still picture inside stays for print, and for as long
// as the module has not come.

const base = new URL(".", import.meta.url);

/** The part of anywidget's model that a toy uses. Its `base` says that there is no kernel. */
class StaticModel {
  constructor(state) {
    this.base = base;
    this.state = { ...state };
    this.events = new EventTarget();
    this.listeners = new Map();
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const event of [`change:${name}`, "change"]) this.events.dispatchEvent(new Event(event));
  }
  on(event, listener) {
    if (!this.listeners.has(listener)) this.listeners.set(listener, () => listener());
    this.events.addEventListener(event, this.listeners.get(listener));
  }
  off(event, listener) { this.events.removeEventListener(event, this.listeners.get(listener)); }
  save_changes() {}
  send() {}
}

/** Load a style sheet once a page. */
function style(name) {
  const { href } = new URL(name, base);
  const known = [...document.styleSheets, ...document.querySelectorAll("link")].some((s) => s.href === href);
  if (known) return Promise.resolve();
  return new Promise((ready) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.onload = link.onerror = ready;
    document.head.append(link);
  });
}

class GravesWidget extends HTMLElement {
  connectedCallback() {
    if (!this.mounted) this.mounted = this.mount().catch((error) => this.fail(error));
  }

  async mount() {
    const model = new StaticModel(JSON.parse(this.getAttribute("state") || "{}"));
    const [module] = await Promise.all([
      import(new URL(this.getAttribute("src"), base).href),
      ...(this.getAttribute("styles") || "widgets.css").split(" ").map(style),
    ]);
    const toy = typeof module.default === "function" ? await module.default() : module.default;
    const el = document.createElement("div");
    this.append(el);
    await toy.initialize?.({ model });
    await toy.render({ model, el });
    this.toggleAttribute("live", true);
  }

  fail(error) {
    console.error(error);
    const note = document.createElement("p");
    note.setAttribute("role", "alert");
    note.textContent = `This toy could not start (${error.message}). Load the page again, or use a newer browser.`;
    this.append(note);
  }
}

customElements.define("graves-widget", GravesWidget);
