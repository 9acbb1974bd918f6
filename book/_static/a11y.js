// Small repairs of the theme for screen readers. axe-core then finds nothing to report.

const names = { ".bd-sidebar-primary": "Sidebar" };

function mend() {
  // A button's name must hold the text that it shows, shortcut and all.
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.removeAttribute("aria-label");
  }
  // The icons of the colour switch carry titles that argue with the button's own name.
  for (const icon of document.querySelectorAll(".theme-switch")) {
    icon.removeAttribute("title");
    icon.removeAttribute("aria-labelledby");
    icon.querySelector("title")?.remove();
    icon.setAttribute("aria-hidden", "true");
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
  // What scrolls sideways can be scrolled by keyboard.
  for (const box of document.querySelectorAll(".highlight pre, .table-scroll, div.math, .figure")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}

document.addEventListener("DOMContentLoaded", mend);
window.addEventListener("load", mend);
