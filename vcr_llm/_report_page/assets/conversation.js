/* A recording as a conversation: who said what, which tools were called, what it took. */
"use strict";

const vcrLlmConversation = (() => {
  const { element, number } = vcrLlmDom;
  const LONG = 4000; // characters, beyond which a text is folded

  /* --- values ----------------------------------------------------------------------------- */

  /* A text as it is; a long one unfolds when asked. */
  const textBlock = (text, kind = "text") => {
    if (text.length <= LONG) return element("div", { class: kind }, text);
    const block = element("div", { class: kind }, `${text.slice(0, LONG)}…`);
    const button = element(
      "button",
      {
        type: "button",
        class: "link",
        onclick: () => {
          const whole = element("div", { class: kind, tabindex: "-1" }, text);
          holder.replaceChildren(whole);
          whole.focus();
        },
      },
      `Show all ${number(text.length)} characters`,
    );
    const holder = element("div", {}, block, button);
    return holder;
  };

  const json = (value) => textBlock(JSON.stringify(value, null, 2), "code");

  const isShort = (value) => typeof value !== "object" || value === null || JSON.stringify(value).length < 60;

  const inline = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  /* Arguments and parameters: a member in a line, what is long below its name. */
  const members = (values) =>
    element(
      "dl",
      { class: "members" },
      Object.entries(values).map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, memberValue(value))),
      ),
    );

  const memberValue = (value) => {
    if (typeof value === "string") return textBlock(value, "text mono");
    return isShort(value) ? element("span", { class: "mono" }, inline(value)) : json(value);
  };

  const anything = (value) => {
    if (typeof value === "string") return textBlock(value, "text mono");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? members(value) : json(value);
  };

  /* --- parts ------------------------------------------------------------------------------ */

  const size = (bytes) => {
    if (bytes < 1000) return `${bytes} B`;
    return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  };

  const callId = (id) => (id === null ? null : element("span", { class: "quiet" }, ` ${id}`));

  const PARTS = {
    text: (part) => [
      textBlock(part.text),
      part.citations.length
        ? element("ul", { class: "citations", "aria-label": "Sources" }, part.citations.map((source) => element("li", {}, source)))
        : null,
    ],
    thinking: (part) =>
      element(
        "details",
        { class: "thinking", open: part.text.length > 0 && part.text.length < 600 },
        element("summary", {}, part.text ? "Thinking" : "Thinking, which the provider does not show"),
        part.text ? textBlock(part.text) : null,
      ),
    refusal: (part) => element("div", { class: "refusal" }, element("strong", {}, "Refusal "), part.text),
    media: (part) => {
      const told = [part.media_type, part.name, part.url, part.size === null ? null : size(part.size), part.digest && `sha256 ${part.digest}`];
      return element("p", { class: "media" }, [part.kind, ...told.filter(Boolean)].join(" · "));
    },
    tool_call: (part) =>
      element(
        "div",
        { class: "call" },
        element("p", { class: "call-name" }, element("span", { class: "quiet" }, "calls "), element("code", {}, part.name), callId(part.id)),
        isEmpty(part.arguments) ? element("p", { class: "quiet" }, "without arguments") : anything(part.arguments),
      ),
    tool_result: (part) =>
      element(
        "div",
        { class: part.is_error ? "result result-error" : "result" },
        element("p", { class: "call-name" }, element("span", { class: "quiet" }, part.is_error ? "error" : "result"), part.name ? [" of ", element("code", {}, part.name)] : null, callId(part.id)),
        parts(part.parts),
      ),
    note: (part) => element("p", { class: "note" }, part.text, part.digest ? element("span", { class: "quiet" }, ` sha256 ${part.digest}`) : null),
    data: (part) => anything(part.value),
  };

  const isEmpty = (value) =>
    value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);

  const parts = (list) => list.map((part) => (Object.hasOwn(PARTS, part.type) ? PARTS[part.type](part) : json(part)));

  /* --- the conversation ------------------------------------------------------------------- */

  const tool = (offered) =>
    element(
      "details",
      { class: "tool" },
      element("summary", {}, element("code", {}, offered.name), offered.kind === "function" ? null : element("span", { class: "quiet" }, ` ${offered.kind}`)),
      offered.description ? textBlock(offered.description) : null,
      isEmpty(offered.schema) ? null : json(offered.schema),
      isEmpty(offered.options) ? null : members(offered.options),
    );

  const tools = (offered) =>
    offered.length
      ? element(
          "details",
          { class: "setup" },
          element("summary", {}, offered.length === 1 ? "1 tool offered" : `${number(offered.length)} tools offered`, element("span", { class: "quiet" }, ` ${offered.map((one) => one.name).join(", ")}`)),
          offered.map(tool),
        )
      : null;

  const parameters = (values) =>
    isEmpty(values)
      ? null
      : element(
          "details",
          { class: "setup" },
          element("summary", {}, "Parameters", element("span", { class: "quiet" }, ` ${Object.keys(values).join(", ")}`)),
          members(values),
        );

  const ROLES = { user: "user", assistant: "assistant", model: "assistant", system: "system", developer: "system", tool: "tool", function: "tool" };

  const turn = (role, label, content, foot = null) =>
    element(
      "article",
      { class: `turn turn-${ROLES[role] ?? "other"}` },
      element("h4", {}, label),
      element("div", { class: "turn-content" }, content.length ? content : element("p", { class: "quiet" }, "says nothing")),
      foot,
    );

  const message = (said) => turn(said.role, said.name === null ? said.role : `${said.role} (${said.name})`, parts(said.parts));

  const answer = (given, place, count) =>
    turn(
      "assistant",
      `${["assistant", "model", "answer"].includes(given.role) ? "answer" : given.role}${count > 1 ? ` ${place + 1}` : ""}`,
      parts(given.parts),
      given.finish_reason ? element("p", { class: "turn-foot" }, `finish reason: ${given.finish_reason}`) : null,
    );

  const failure = (wrong) =>
    wrong === null
      ? null
      : element(
          "article",
          { class: "turn turn-error" },
          element("h4", {}, wrong.kind ? `error ${wrong.kind}` : "error"),
          element("div", { class: "turn-content" }, textBlock(wrong.message), isEmpty(wrong.details) ? null : members(wrong.details)),
        );

  const ending = (ended) =>
    ended === null
      ? null
      : element("article", { class: "turn turn-error" }, element("h4", {}, "the stream ended early"), element("div", { class: "turn-content" }, anything(ended)));

  const conversation = (held) => [
    parameters(held.parameters),
    tools(held.tools),
    held.messages.map(message),
    held.answers.map((given, place) => answer(given, place, held.answers.length)),
    failure(held.failure),
    ending(held.ended),
  ];

  return { conversation, parts, tool, anything, textBlock, isEmpty };
})();
