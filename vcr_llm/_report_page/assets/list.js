/* The list of recordings, by their cassettes: a piece at a time, more as one scrolls. */
"use strict";

const vcrLlmList = (() => {
  const { element, number, age, path } = vcrLlmDom;
  const AT_ONCE = 100;

  const table = document.getElementById("table");
  const more = document.getElementById("more");
  let shown = [];
  let drawn = 0;
  let body = null;
  let options = {};

  /* --- rows ------------------------------------------------------------------------------- */

  const cell = (kind, label, ...children) =>
    element("td", { role: "cell", class: kind, "data-label": label }, ...children);

  const tokens = (row) => {
    const known = [row.input_tokens, row.output_tokens].filter((count) => count !== null);
    return known.length ? number(known.reduce((sum, count) => sum + count, 0)) : null;
  };

  const badge = (row) => {
    const label = row.outcome === "error" && row.status ? String(row.status) : row.outcome;
    return element("span", { class: `badge badge-${row.outcome}` }, label);
  };

  /* The name of a file; of an address its beginning tells it. */
  const shortName = (name) => name.replace(/^([0-9a-f]{8})[0-9a-f]{56}/, "$1…");

  const stateBadge = (row) =>
    row.state === null || row.state === "same"
      ? null
      : element("span", { class: `badge state-${row.state}` }, row.state);

  const rowOf = (row) => {
    const title = row.asked || `${row.method} ${row.endpoint}`;
    const link = element("a", { href: options.address(row.id), class: "row-link" }, title);
    return element(
      "tr",
      { role: "row", class: "row", "data-id": row.id },
      cell(
        "title-cell",
        null,
        link,
        row.answered ? element("span", { class: "answered" }, row.answered) : null,
        element("span", { class: "test" }, row.test ?? shortName(row.name)),
      ),
      cell(row.model === null ? "model-cell unknown" : "model-cell", "Model", row.model ?? "—"),
      cell("endpoint-cell", "Endpoint", row.endpoint),
      cell(tokens(row) === null ? "number unknown" : "number", "Tokens", tokens(row) ?? "—"),
      cell("number age-cell", "Age", row.recorded_at === null ? "—" : age(row.recorded_at, options.now)),
      cell("status-cell", "Status", stateBadge(row), badge(row)),
    );
  };

  const bodyOf = (cassette) =>
    element(
      "tbody",
      { role: "rowgroup" },
      element(
        "tr",
        { role: "row", class: "cassette" },
        element("th", { role: "rowheader", scope: "rowgroup", colspan: "6" }, path(cassette)),
      ),
    );

  /* --- drawing ---------------------------------------------------------------------------- */

  const draw = () => {
    const bodies = document.createDocumentFragment();
    for (const row of shown.slice(drawn, drawn + AT_ONCE)) {
      if (body === null || body.cassette !== row.cassette) {
        const made = bodyOf(row.cassette);
        bodies.append(made);
        body = { cassette: row.cassette, element: made };
      }
      body.element.append(rowOf(row));
      drawn += 1;
    }
    table.append(bodies);
    more.hidden = drawn >= shown.length;
    more.textContent = `Show more (${number(shown.length - drawn)} left)`;
    mark();
  };

  const show = (rows, given) => {
    shown = rows;
    options = given;
    drawn = 0;
    body = null;
    for (const old of [...table.tBodies]) old.remove();
    table.hidden = rows.length === 0;
    draw();
  };

  /* Which one is open. */
  const mark = () => {
    for (const old of table.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    rowElement(options.open)?.querySelector("a").setAttribute("aria-current", "true");
  };

  const setOpen = (id) => {
    options.open = id;
    mark();
  };

  const rowElement = (id) => (id ? table.querySelector(`tr[data-id="${CSS.escape(id)}"]`) : null);

  /* The row, drawn if it was not yet; null where the filters leave it out. */
  const reveal = (id) => {
    if (!shown.some((row) => row.id === id)) return null;
    while (rowElement(id) === null) draw();
    return rowElement(id);
  };

  const focus = (id) => {
    const found = reveal(id);
    found?.querySelector("a").focus({ preventScroll: true });
    found?.scrollIntoView({ block: "nearest" });
    return found !== null;
  };

  /* The recording so many places further, from the one that has an id; the first one from none. */
  const neighbour = (id, step) => {
    const place = shown.findIndex((row) => row.id === id);
    if (place < 0) return shown[0] ?? null;
    return shown[place + step] ?? null;
  };

  const focusedId = () => document.activeElement?.closest?.("tr.row")?.dataset.id ?? null;

  more.addEventListener("click", () => {
    const next = shown[drawn];
    draw();
    focus(next.id);
  });
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && !more.hidden) draw();
  }, { rootMargin: "600px" }).observe(more);

  return { show, setOpen, focus, reveal, neighbour, focusedId };
})();
