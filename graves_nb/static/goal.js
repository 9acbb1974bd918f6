// A toy's goal, in a place that keeps its height: nothing may move under the reader's hand when it is reached.

import { el } from "./toolkit.js";

/** Returns {line, set(isReached, wanted, reached)}: the words before and after lie upon each other, one of them seen. */
export function goalLine() {
  const wanted = el("span"), reached = el("span"), line = el("p", { class: "toy-goal" }, wanted, reached);
  line.style.display = "grid";
  const set = (isReached, ...words) => {
    line.classList.toggle("toy-reached", isReached);
    [wanted, reached].forEach((span, i) => {
      span.textContent = words[i];
      span.style.cssText = `grid-area: 1 / 1; visibility: ${isReached === Boolean(i) ? "visible" : "hidden"}`;
    });
  };
  return { line, set };
}
