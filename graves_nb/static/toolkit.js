// What every toy needs: elements, labelled sliders, a sharp canvas, colours of the theme, words for
// those who cannot see the picture, and files from the page's server or from the kernel.

/** Make an element: `el("p", {class: "note", textContent: "hello"}, child, ...)`.
 *  Functions become listeners (`onclick`), known properties are set, the rest are attributes. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "style") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// In a kernel each toy has a copy of this module, and all toys of JupyterLab stand in one document.
const idStem = `toy-${Math.random().toString(36).slice(2, 10)}`;
let ids = 0;
/** A new id, for labels, descriptions and groups of radio buttons. */
export const newId = () => `${idStem}-${++ids}`;

/** Begin a toy in `host`. JupyterLab keeps its shortcuts (arrow keys!) out of what this returns. */
export function toyRoot(host, name) {
  const root = el("section", { class: `toy ${name}`, "data-lm-suppress-shortcuts": "true" });
  host.append(root);
  return root;
}

/** A native range with its label and an <output>. `format(value)` gives the words beside it and for
 *  screen readers. Returns {row, input, set(value), value}; `oninput(value)` hears the reader. */
export function slider({ label, min, max, step = 1, value, format = String, oninput = () => {} }) {
  const id = newId();
  const input = el("input", { type: "range", id, min, max, step });
  const output = el("output", { htmlFor: id });
  const show = () => {
    output.textContent = format(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
    const share = (input.value - input.min) / (input.max - input.min || 1);
    input.style.setProperty("--share", `${100 * share}%`);
  };
  const set = (next) => { input.value = next; show(); };
  input.addEventListener("input", () => { show(); oninput(input.valueAsNumber); });
  set(value);
  const row = el("div", { class: "toy-slider" }, el("label", { htmlFor: id, textContent: label }), input, output);
  return { row, input, set, get value() { return input.valueAsNumber; } };
}

/** A group of native radio buttons, one choice each: `choices` are [value, content or text, name]. */
export function radios({ legend, choices, value, onchange }) {
  const group = newId();
  const inputs = [];
  const options = choices.map(([key, content, name]) => {
    const input = el("input", { type: "radio", name: group, value: String(key), checked: key === value });
    if (name) input.setAttribute("aria-label", name);
    input.addEventListener("change", () => onchange(key));
    inputs.push(input);
    return el("label", { class: "toy-choice" }, input, el("span", {}, content));
  });
  const fieldset = el("fieldset", { class: "toy-radios" }, el("legend", { textContent: legend }), ...options);
  const set = (key) => inputs.forEach((input) => { input.checked = input.value === String(key); });
  return { fieldset, set };
}

/** A canvas as wide as its place and sharp on every screen. `draw(context, width, height)` works in
 *  CSS pixels and is called after each change of size; `redraw()` asks for it at the next frame. */
export function sharpCanvas({ label, height, draw }) {
  const canvas = el("canvas", { class: "toy-canvas", role: "img", "aria-label": label });
  let frame = 0;
  const paint = () => {
    frame = 0;
    const width = canvas.clientWidth, tall = Math.round(height(width)), ratio = window.devicePixelRatio || 1;
    if (!width) return;
    const outside = tall + canvas.offsetHeight - canvas.clientHeight; // the border counts in a style's height
    if (canvas.style.height !== `${outside}px`) canvas.style.height = `${outside}px`;
    const [w, h] = [Math.round(width * ratio), Math.round(tall * ratio)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, tall);
    draw(context, width, tall);
  };
  const redraw = () => { frame ||= requestAnimationFrame(paint); };
  const sizes = new ResizeObserver(redraw);
  sizes.observe(canvas);
  const forgetTheme = onTheme(redraw), forgetPixels = onPixels(redraw);
  const stop = () => { sizes.disconnect(); forgetTheme(); forgetPixels(); cancelAnimationFrame(frame); };
  return { canvas, redraw, stop };
}

/** Let the reader drag things on a canvas. `find(x, y)` names the thing at a place in CSS pixels, or
 *  gives undefined, and the page scrolls as usual; `move(thing, x, y)` follows; `drop(thing)` ends. Where a
 *  drag goes `across` only, the page still scrolls up and down under a finger. */
export function draggable(canvas, { find, move, drop = () => {}, across = false }) {
  let held, pointer;
  if (across) canvas.style.touchAction = "pan-y pinch-zoom";
  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  canvas.addEventListener("touchstart", (event) => {
    if (!across && find(...at(event.touches[0])) !== undefined) event.preventDefault(); // or the page would scroll
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (held !== undefined || event.button > 0) return; // a second finger, or a menu
    held = find(...at(event));
    if (held === undefined) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    move(held, ...at(event));
  });
  canvas.addEventListener("pointermove", (event) => held !== undefined && event.pointerId === pointer && move(held, ...at(event)));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => {
      if (held === undefined || event.pointerId !== pointer) return;
      drop(held);
      held = undefined;
    });
  }
}

/** The present value of a CSS colour variable of the toy, such as `colour(root, "--ink")`. */
export function colour(root, variable) {
  const probe = el("span", { hidden: true });
  probe.style.color = `var(${variable})`;
  root.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** What draws on a canvas in the toy's own colours: `shade(variable)`, `words(text, x, y, ...)` around that
 *  height, and `line(points, ...)`. */
export function brush(root, context, size = 13) {
  const shade = (variable) => colour(root, variable);
  const words = (text, x, y, tint = "--quiet", align = "left") => {
    Object.assign(context, { fillStyle: shade(tint), font: `${size}px system-ui, sans-serif`, textAlign: align, textBaseline: "middle" });
    context.fillText(text, x, y);
  };
  const line = (points, tint, dash = [], thick = 2) => {
    Object.assign(context, { strokeStyle: shade(tint), lineWidth: thick, lineJoin: "round" });
    context.setLineDash(dash);
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
    context.setLineDash([]);
  };
  return { shade, words, line };
}

// Cividis, a map of colours that reads alike with every kind of colour vision, at nine places.
const CIVIDIS = ["00224e", "123570", "3b496c", "575d6d", "707173", "8a8678", "a59c74", "c3b369", "fee838"]
  .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

/** The colour of a number from 0 to 1. */
export function cividis(share, alpha = 1) {
  const place = Math.max(0, Math.min(1, share)) * (CIVIDIS.length - 1), i = Math.min(CIVIDIS.length - 2, Math.floor(place));
  const mixed = CIVIDIS[i].map((value, k) => Math.round(value + (place - i) * (CIVIDIS[i + 1][k] - value)));
  return `rgb(${mixed.join(" ")} / ${alpha})`;
}

/** Call `changed` when the book, JupyterLab or the system turns light or dark. Returns a stop. */
export function onTheme(changed) {
  const observer = new MutationObserver(changed);
  const attributeFilter = ["data-theme", "data-jp-theme-light", "theme"];
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributeFilter });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => { observer.disconnect(); system.removeEventListener("change", changed); };
}

/** Call `changed` when a CSS pixel gets another size on the screen: at a zoom, on another screen. Returns a stop. */
function onPixels(changed) {
  let media;
  const heard = () => { listen(); changed(); };
  const listen = () => {
    media = matchMedia(`(resolution: ${window.devicePixelRatio || 1}dppx)`);
    media.addEventListener("change", heard, { once: true });
  };
  listen();
  return () => media.removeEventListener("change", heard);
}

/** A polite live region. `say(text)` speaks the latest text, at most once in `pause` milliseconds. */
export function announcer(root, pause = 1200) {
  const region = el("p", { class: "toy-hidden", "aria-live": "polite" });
  root.append(region);
  let next = "", timer = 0;
  return (text) => {
    next = text;
    timer ||= setTimeout(() => { timer = 0; region.textContent = next; }, pause);
  };
}

/** Whether the reader asked for less motion. */
export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Call `seen` once, when `element` comes near the screen. Returns a stop. */
export function whenVisible(element, seen) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    seen();
  }, { rootMargin: "100px" });
  observer.observe(element);
  return () => observer.disconnect();
}

/** Hand the reader a file. */
export function download(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const assets = new Map();

/** Bytes of a shipped file: fetched from beside the scripts in a page, sent by Python in a kernel.
 *  `progress(share)` hears how much has come. One file is fetched once a page, unless `anew`. */
export function asset(model, name, progress = () => {}, anew = false) {
  const key = model.base ? new URL(name, model.base).href : name;
  if (anew || !assets.has(key)) {
    const bytes = model.base ? fetched(key, progress, anew) : sent(model, name);
    bytes.catch(() => assets.delete(key));
    assets.set(key, bytes);
  }
  return assets.get(key);
}

async function fetched(url, progress, anew) {
  const file = new URL(url).pathname.split("/").pop();
  // The address carries the file's hash, so what the browser kept is never out of date.
  const response = await fetch(url, { cache: anew ? "reload" : "force-cache" }).catch(() => null);
  if (!response?.ok) throw new Error(`${file} did not come. Check your connection and try again.`);
  const total = Number(response.headers.get("Content-Length"));
  const parts = [];
  let length = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (total) progress(Math.min(1, length / total));
  }
  return new Blob(parts).arrayBuffer();
}

function sent(model, name) {
  return new Promise((resolve, reject) => {
    const receive = (message, buffers) => {
      if (message.asset !== name) return;
      model.off("msg:custom", receive);
      if (message.error) reject(new Error(message.error));
      else resolve(new Uint8Array(buffers[0].buffer ?? buffers[0], buffers[0].byteOffset ?? 0,
                                  buffers[0].byteLength).slice().buffer);
    };
    model.on("msg:custom", receive);
    model.send({ asset: name });
  });
}
