/* Which recordings are shown, and the address that says so. */
"use strict";

const vcrLlmFilters = (() => {
  const { element, plain, number } = vcrLlmDom;
  const DAY = 86400000;
  const NONE = "\u2014 none";
  const AGES = [
    ["", "At any time"],
    ["7", "In the last 7 days"],
    ["30", "In the last 30 days"],
    ["-30", "More than 30 days ago"],
    ["-90", "More than 90 days ago"],
    ["-365", "More than a year ago"],
    ["none", "Unknown when"],
  ];
  const OUTCOMES = { ok: "Answered", error: "Errors", cut: "Cut streams" };
  const STATES = { changed: "Changed", added: "Added", removed: "Removed", same: "The same" };
  const NAMES = ["q", "state", "model", "endpoint", "outcome", "age", "test"];

  /* --- the address ------------------------------------------------------------------------ */

  const fromHash = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const state = { open: given.get("open") ?? "" };
    for (const name of NAMES) state[name] = given.get(name) ?? "";
    return state;
  };

  const toHash = (state) => {
    const said = new URLSearchParams();
    for (const name of [...NAMES, "open"]) if (state[name]) said.set(name, state[name]);
    const text = said.toString();
    return text ? `#${text}` : "#";
  };

  /* --- the fields ------------------------------------------------------------------------- */

  const countBy = (rows, name) => {
    const counts = new Map();
    for (const row of rows) counts.set(row[name], (counts.get(row[name]) ?? 0) + 1);
    return counts;
  };

  const option = (value, label) => element("option", { value }, plain(label));

  const fillChoices = (select, all, rows, name, labels = null) => {
    const counts = [...countBy(rows, name)];
    counts.sort((one, other) => other[1] - one[1] || String(one[0]).localeCompare(String(other[0])));
    select.append(option("", all));
    for (const [value, count] of counts) {
      const label = labels?.[value] ?? value ?? NONE;
      select.append(option(value ?? NONE, `${label} (${number(count)})`));
    }
  };

  const fill = (form, index) => {
    const fields = form.elements;
    fillChoices(fields.model, "All models", index.rows, "model");
    fillChoices(fields.endpoint, "All endpoints", index.rows, "endpoint");
    fillChoices(fields.outcome, "Any", index.rows, "outcome", OUTCOMES);
    fields.age.append(...AGES.map(([value, label]) => option(value, label)));
    if (index.base === null) return;
    fillChoices(fields.state, "All recordings", index.rows, "state", STATES);
    fields.state.firstChild.after(option("any", "All that changed"));
    document.getElementById("state-field").hidden = false;
  };

  const read = (form) => Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value]));

  const write = (form, state) => {
    for (const name of NAMES) {
      const field = form.elements[name];
      if (field.value !== state[name]) field.value = state[name];
    }
  };

  /* --- matching --------------------------------------------------------------------------- */

  /* The words of a search, those in quotes as one. */
  const words = (query) =>
    [...query.toLowerCase().matchAll(/"([^"]+)"?|[^\s"]+/g)].map((match) => match[1] ?? match[0]);

  const facts = (row) =>
    `${row.cassette}/${row.name}\n${row.test ?? ""}\n${row.method} ${row.endpoint}\n${row.model ?? ""}`.toLowerCase();

  /* Which rows have a word in their facts or in one of their texts. */
  const rowsWith = (word, rows, texts) => {
    const found = new Uint8Array(rows.length);
    for (const row of rows) if ((row.facts ??= facts(row)).includes(word)) found[row.place] = 1;
    for (const [text, places] of texts) {
      if (text.includes(word)) for (const place of places) found[place] = 1;
    }
    return found;
  };

  const isOfAge = (row, wanted, now) => {
    const then = row.recorded_at === null ? NaN : Date.parse(row.recorded_at);
    if (wanted === "none" || Number.isNaN(then)) return wanted === "none" && Number.isNaN(then);
    const days = (now - then) / DAY;
    return wanted > 0 ? days <= wanted : days > -wanted;
  };

  const isChosen = (value, wanted) => !wanted || (value ?? NONE) === wanted;

  const matching = (rows, state, texts, now) => {
    const sets = words(state.q).map((word) => rowsWith(word, rows, texts));
    const test = state.test.toLowerCase();
    return rows.filter(
      (row) =>
        isChosen(row.model, state.model) &&
        isChosen(row.endpoint, state.endpoint) &&
        isChosen(row.outcome, state.outcome) &&
        (state.state === "any" ? row.state !== "same" : isChosen(row.state, state.state)) &&
        (!state.age || isOfAge(row, state.age, now)) &&
        (!test || `${row.test ?? ""}\n${row.cassette}/${row.name}`.toLowerCase().includes(test)) &&
        sets.every((set) => set[row.place]),
    );
  };

  const isEmpty = (state) => NAMES.every((name) => !state[name]);

  return { fromHash, toHash, fill, read, write, matching, isEmpty, words };
})();
