/* Light, dark, or what the system says: chosen before anything is painted. */
"use strict";

const vcrLlmTheme = (() => {
  const KEY = "vcr-llm-report-theme";
  const NAMES = { auto: "System", light: "Light", dark: "Dark" };

  /* A browser may forbid storage, above all to pages of `file:`. */
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };

  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      /* then the choice lasts as long as the page */
    }
  };

  let current = "auto";

  const show = (theme) => {
    current = Object.hasOwn(NAMES, theme) ? theme : "auto";
    document.documentElement.dataset.theme = current;
  };

  const connect = (button) => {
    const label = () => {
      button.textContent = `Theme: ${NAMES[current]}`;
    };
    button.addEventListener("click", () => {
      const names = Object.keys(NAMES);
      show(names[(names.indexOf(current) + 1) % names.length]);
      store(current);
      label();
    });
    label();
  };

  show(stored());
  return { connect };
})();
