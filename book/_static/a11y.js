// Small repairs of the theme for screen readers. axe-core then finds nothing to report.

const names = { ".bd-sidebar-primary": "Sidebar" };

function mend() {
  // A button's name must hold the text that it shows, shortcut and all.
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.removeAttribute("aria-label");
  }
  // So must that of a fold: "Show code cell source" is its name.
  for (const fold of document.querySelectorAll("details.hide > summary")) {
    fold.removeAttribute("aria-label");
  }
  // Everything on the page stands in a landmark.
  for (const [selector, name] of Object.entries(names)) {
    const part = document.querySelector(selector);
    part?.setAttribute("role", "region");
    part?.setAttribute("aria-label", name);
  }
  // The old role of an entry is deprecated; its list wants list items.
  for (const entry of document.querySelectorAll('[role="doc-biblioentry"]')) {
    entry.setAttribute("role", "listitem");
  }
}

// The icons of the colour switch carry titles that argue with the button's own name.
function mendIcons(button) {
  for (const icon of button.querySelectorAll(".theme-switch")) {
    icon.removeAttribute("title");
    icon.removeAttribute("aria-labelledby");
    icon.querySelector("title")?.remove();
    icon.setAttribute("aria-hidden", "true");
  }
}

// Their drawings take the icons' places later, once or more, each with its title.
function watchIcons() {
  for (const button of document.querySelectorAll(".theme-switch-button")) {
    mendIcons(button);
    new MutationObserver(() => mendIcons(button)).observe(button, { childList: true, subtree: true });
  }
}

// What scrolls sideways can be scrolled by keyboard; what has room is no stop on the way.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

function watchBoxes() {
  for (const box of document.querySelectorAll(".highlight pre, .output pre, .bd-article table, div.math, .figure")) {
    boxes.observe(box);
  }
}

document.addEventListener("DOMContentLoaded", () => { mend(); watchIcons(); });
window.addEventListener("load", () => { mend(); watchBoxes(); });
