/* The pane of one recording. */
"use strict";

const vcrLlmDetails = (() => {
  const { element, number, counted, age, path } = vcrLlmDom;
  const { conversation } = vcrLlmConversation;
  const LONGEST_RAW = 300000; // characters, beyond which the rest is shown when asked

  const pane = document.getElementById("details");

  /* --- pieces of the head ----------------------------------------------------------------- */

  const fact = (name, ...value) => element("div", {}, element("dt", {}, name), element("dd", {}, ...value));

  const MESSAGES = {
    added: "This recording is new.",
    removed: "This recording is gone; this is what it was.",
    same: "Nothing changed in what is said.",
  };

  const status = (row, held) => {
    if (row.outcome === "cut") return "stream ended early";
    return row.status === null ? row.outcome : `${row.status}${held.failure ? " error" : ""}`;
  };

  const facts = (row, details, options) => {
    const held = details.conversation;
    return element(
      "dl",
      { class: "facts" },
      held.model ? fact("Model", held.model) : null,
      held.answered_by && held.answered_by !== held.model ? fact("Answered by", held.answered_by) : null,
      fact("Status", element("span", { class: `badge badge-${row.outcome}` }, status(row, held))),
      held.event_count === null ? null : fact("Stream", counted(held.event_count, "event")),
      row.test ? fact("Test", element("span", { class: "mono" }, path(row.test))) : null,
      fact("File", element("span", { class: "mono" }, path(`${row.cassette}/${row.name}`))),
      details.old_name ? fact("File before", element("span", { class: "mono" }, path(details.old_name))) : null,
      details.sequence === null ? null : fact("Place", `number ${details.sequence + 1} in its cassette`),
      fact("Recorded", row.recorded_at === null ? "unknown when" : [row.recorded_at, element("span", { class: "quiet" }, ` ${age(row.recorded_at, options.now)} ago`)]),
    );
  };

  const USAGE = {
    input: "Input",
    cached: "of which cached",
    cache_written: "written to the cache",
    output: "Output",
    reasoning: "of which reasoning",
    total: "Total",
  };

  const usage = (tokens) => {
    const known = Object.entries(USAGE).filter(([name]) => tokens?.[name] !== null && tokens?.[name] !== undefined);
    if (!known.length) return element("p", { class: "quiet" }, "The provider says nothing of tokens.");
    return element("dl", { class: "usage" }, known.map(([name, label]) => fact(label, number(tokens[name]))));
  };

  /* --- what is not as it was -------------------------------------------------------------- */

  const WHY = { redacted: "Redacted", constant: "Made constant" };

  const marks = (details) => {
    const rows = details.marks.map(([kind, place, value, count]) =>
      element(
        "tr",
        {},
        element("td", {}, element("span", { class: `badge mark-${kind}` }, WHY[kind])),
        element("td", { class: "mono" }, place),
        element("td", { class: "mono" }, value, count > 1 ? element("span", { class: "quiet" }, ` ${number(count)} times`) : null),
      ),
    );
    return [
      details.has_secrets
        ? element("p", { class: "notice" }, "The file itself still holds secrets, which are redacted on this page only. Take them out with ", element("code", {}, "vcr-llm fmt --redact"), ".")
        : null,
      rows.length
        ? element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Redacted or normalised values" },
            element("table", { class: "marks" },
              element("thead", {}, element("tr", {}, ["What", "Where", "Now"].map((name) => element("th", { scope: "col" }, name)))),
              element("tbody", {}, rows)))
        : element("p", { class: "quiet" }, "Nothing: all values are as the wire had them."),
    ];
  };

  /* --- the file --------------------------------------------------------------------------- */

  /* Without the Clipboard API, as from `file:` in some browsers, a selection is copied. */
  const copied = async (text, holder) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = element("textarea", { "aria-hidden": "true", class: "hidden-visually" });
      area.value = text;
      holder.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  const raw = (text) => {
    const said = element("span", { role: "status", class: "quiet" });
    const code = element("div", { class: "code raw", tabindex: "0", role: "region", "aria-label": "JSON" });
    const copy = element("button", { type: "button" }, "Copy");
    copy.addEventListener("click", async () => {
      said.textContent = (await copied(text, holder)) ? "Copied" : "The browser does not allow it";
      copy.focus();
    });
    const holder = element("details", { class: "setup" }, element("summary", {}, "JSON", element("span", { class: "quiet" }, ` ${number(text.length)} characters`)), element("div", { class: "controls" }, copy, said), code);
    holder.addEventListener("toggle", () => {
      if (!holder.open || code.hasChildNodes()) return;
      vcrLlmDom.appendText(code, text.slice(0, LONGEST_RAW));
      if (text.length <= LONGEST_RAW) return;
      const rest = element("button", { type: "button", class: "link" }, `Show all ${number(text.length)} characters`);
      rest.addEventListener("click", () => {
        code.replaceChildren();
        vcrLlmDom.appendText(code, text);
        rest.remove();
        code.focus();
      });
      holder.append(rest);
    });
    return holder;
  };

  /* --- the pane --------------------------------------------------------------------------- */

  const section = (title, kind, ...content) =>
    element("section", { class: `part part-${kind}` }, element("h3", {}, title), ...content);

  const changed = (row, details) => {
    if (row.state === null) return null;
    const nothing = row.state !== "changed";
    return section("What changed", "changes", nothing ? element("p", {}, MESSAGES[row.state]) : null, vcrLlmChanges.changes(details));
  };

  const head = (row, options) => {
    const heading = element("h2", { tabindex: "-1", id: "details-title" }, row.asked || `${row.method} ${row.endpoint}`);
    const step = (label, id, key) =>
      element("a", { class: id ? "button" : "button disabled", href: id ? options.address(id) : null, "aria-disabled": id ? null : "true", role: id ? null : "link" }, label, " ", element("kbd", { "aria-hidden": "true" }, key));
    return element(
      "header",
      { class: "detail-head" },
      element(
        "nav",
        { class: "controls", "aria-label": "Recordings" },
        element("a", { class: "button", href: options.address(""), id: "close" }, "Close ", element("kbd", { "aria-hidden": "true" }, "Esc")),
        step("Previous", options.previous, "k"),
        step("Next", options.next, "j"),
      ),
      heading,
    );
  };

  const draw = (row, details, options) => {
    const held = details.conversation;
    const request = element("p", { class: "request mono" }, path(`${held.method} ${held.url}`));
    pane.replaceChildren();
    vcrLlmDom.append(pane, [
      head(row, options),
      request,
      facts(row, details, options),
      changed(row, details),
      section("Conversation", "conversation", conversation(held)),
      details.timeline ? section("Stream", "timeline", vcrLlmTimeline.player(details.timeline, details.raw)) : null,
      section("Usage", "usage", usage(held.usage)),
      section("Redacted or normalised", "marks", marks(details)),
      section("Recording", "raw", raw(details.raw)),
    ]);
  };

  const failed = (row, error, options) => {
    pane.replaceChildren(head(row, options), element("p", { class: "notice", role: "alert" }, error.message));
  };

  let wanted = null;

  /* Show a recording; of two that are asked for fast, the latter. */
  const open = async (row, options) => {
    wanted = row.id;
    pane.hidden = false;
    pane.setAttribute("aria-labelledby", "details-title");
    try {
      const details = await vcrLlmReport.details(row);
      if (wanted !== row.id) return;
      draw(row, details, options);
    } catch (error) {
      if (wanted !== row.id) return;
      failed(row, error, options);
    }
    pane.scrollTop = 0;
    if (options.takesFocus) document.getElementById("details-title").focus({ preventScroll: true });
  };

  const close = () => {
    wanted = null;
    pane.hidden = true;
    pane.replaceChildren();
  };

  return { open, close };
})();
