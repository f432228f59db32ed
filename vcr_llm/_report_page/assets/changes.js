/* What changed, side by side: on the left what it was, on the right what it is. */
"use strict";

const vcrLlmChanges = (() => {
  const { element } = vcrLlmDom;
  const { parts, tool, anything } = vcrLlmConversation;

  const piece = ([fate, text]) => {
    if (fate === "removed") return element("del", {}, text);
    return fate === "added" ? element("ins", {}, text) : text;
  };

  const side = (kind, pieces) => element("div", { class: `line line-${kind}` }, pieces.map(piece));

  const empty = () => element("div", { class: "line line-none", "aria-hidden": "true" });

  /* One line of a text. Where a line is there on both sides the words that stayed are, too. */
  const line = (pieces) => {
    if (pieces === null) return element("div", { class: "line line-left-out" }, "⋯");
    if (pieces.every(([fate]) => fate === "kept")) {
      const same = side("kept", pieces);
      const copy = side("kept", pieces);
      copy.classList.add("copy");
      return [same, copy];
    }
    const old = pieces.filter(([fate]) => fate !== "added");
    const now = pieces.filter(([fate]) => fate !== "removed");
    return [old.length ? side("old", old) : empty(), now.length ? side("new", now) : empty()];
  };

  const THINGS = {
    message: (thing) => [element("p", { class: "quiet" }, thing.name === null ? thing.role : `${thing.role} (${thing.name})`), parts(thing.parts)],
    answer: (thing) => parts(thing.parts),
    tool: (thing) => tool(thing),
    data: (thing) => anything(thing.value),
  };

  const content = (thing) => (Object.hasOwn(THINGS, thing.type) ? THINGS[thing.type](thing) : parts([thing]));

  const block = (kind, thing) => (thing === null ? empty() : element("div", { class: `line line-${kind}` }, content(thing)));

  const change = (one) =>
    element(
      "section",
      { class: "change" },
      element("h4", {}, one.subject, " ", element("span", { class: `badge state-${one.kind}` }, one.kind)),
      element("div", { class: "sides" }, one.lines ? one.lines.map(line) : [block("old", one.old), block("new", one.new)]),
    );

  const heads = () =>
    element("div", { class: "sides sides-head", "aria-hidden": "true" }, element("span", {}, "Before"), element("span", {}, "Now"));

  const changes = (held) => [
    held.changes.length ? [heads(), held.changes.map(change)] : null,
    held.meaningless.length
      ? element("p", { class: "quiet" }, held.changes.length ? "Also ids, times or formatting: " : "Only ids, times or formatting: ", held.meaningless.join(", "))
      : null,
  ];

  return { changes };
})();
