// The soft window, two ways: you drive it along a word, or the network drives it along a text.

import { announcer, radios, toyRoot } from "./toolkit.js";
import { WindowDriver } from "./window-drive.js";
import { WindowWatcher } from "./window-watch.js";

const HEARD = { word: "drive", alpha: "drive", beta: "drive", text: "watch", bias: "watch", seed: "watch" };

function render({ model, el: host }) {
  const root = toyRoot(host, "window"), say = announcer(root);
  const ways = { drive: new WindowDriver(model, say), watch: new WindowWatcher(model, say) };
  const choice = radios({
    legend: "Who moves the window?", choices: [["drive", "You"], ["watch", "The network"]], value: model.get("mode"),
    onchange: (mode) => { model.set("mode", mode); model.save_changes(); },
  });
  const show = () => {
    choice.set(model.get("mode"));
    for (const [mode, { panel }] of Object.entries(ways)) panel.hidden = mode !== model.get("mode");
  };
  root.prepend(choice.fieldset, ways.drive.panel, ways.watch.panel);
  show();
  const listeners = Object.entries(HEARD).map(([field, mode]) => [`change:${field}`, () => ways[mode].changed(field)]);
  listeners.push(["change:mode", show]);
  for (const [event, listener] of listeners) model.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) model.off(event, listener);
    for (const way of Object.values(ways)) way.stop();
  };
}

export default { render };
