/* Elements and texts. What comes from a recording enters the page as text, never as markup. */
"use strict";

const vcrLlmDom = (() => {
  /* What nobody sees, or what turns the direction of text (https://trojansource.codes). */
  const UNSEEN =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

  /* An element. A child that is no node becomes text; null is left out. */
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "class") made.className = value;
      else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value === true ? "" : value);
    }
    append(made, children);
    return made;
  };

  const append = (parent, children) => {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined) continue;
      if (child instanceof Node) parent.append(child);
      else appendText(parent, String(child));
    }
  };

  /* A text in which what is unseen is written out. */
  const appendText = (parent, text) => {
    let start = 0;
    for (const match of text.matchAll(UNSEEN)) {
      if (match.index > start) parent.append(text.slice(start, match.index));
      const mark = document.createElement("span");
      mark.className = "unseen";
      mark.textContent = written(match[0]);
      parent.append(mark);
      start = match.index + match[0].length;
    }
    if (start < text.length) parent.append(text.slice(start));
  };

  const written = (character) =>
    `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

  /* The same for places that take plain text only: options, titles. */
  const plain = (text) => String(text).replace(UNSEEN, (character) => `\u27e8${written(character)}\u27e9`);

  /* A path or an address: it breaks behind a slash or an underscore first. */
  const path = (text) => text.split(/(?<=[/_])/).flatMap((part) => [part, element("wbr")]).slice(0, -1);

  const number = (value) => value.toLocaleString("en");

  const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

  /* How long ago something was, in the largest unit of which it is two or more. */
  const age = (when, now) => {
    const minutes = Math.max(0, (now - Date.parse(when)) / 60000);
    if (Number.isNaN(minutes)) return "—";
    for (const [unit, length] of [["years", 525600], ["months", 43200], ["days", 1440], ["hours", 60]]) {
      if (minutes / length >= 2) return `${Math.floor(minutes / length)} ${unit}`;
    }
    return `${Math.floor(minutes)} min`;
  };

  return { element, append, appendText, plain, path, number, counted, age };
})();
