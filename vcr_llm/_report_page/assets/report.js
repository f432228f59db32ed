/* What holds the parts together: the address, the list, the pane, the keys. */
"use strict";

(async () => {
  const { plain, counted, number } = vcrLlmDom;
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const panes = document.getElementById("panes");
  const keys = document.getElementById("keys");

  vcrLlmTheme.connect(document.getElementById("theme-button"));

  let index;
  try {
    index = await vcrLlmReport.index();
  } catch (error) {
    count.textContent = error.message;
    return;
  }
  const now = index.now === null ? Date.now() : Date.parse(index.now);
  const byId = new Map(index.rows.map((row) => [row.id, row]));
  let state = vcrLlmFilters.fromHash();
  let shown = [];
  let isSearchNext = false;
  let filtered = null; // the filters by which the list was drawn
  let drawing = Promise.resolve(); // the last filtering: its texts may still be on their way

  const address = (id) => vcrLlmFilters.toHash({ ...state, open: id });

  /* --- the list --------------------------------------------------------------------------- */

  const filterKey = () => vcrLlmFilters.toHash({ ...state, open: "" });

  const filter = async () => {
    const key = filterKey();
    if (filtered === key) return;
    filtered = key;
    let texts = [];
    if (state.q) {
      try {
        texts = await vcrLlmReport.allTexts(index.text_files);
      } catch (error) {
        count.textContent = error.message;
        return;
      }
      if (filtered !== key) return; // somebody has typed on
    }
    shown = vcrLlmFilters.matching(index.rows, state, texts, now);
    vcrLlmList.show(shown, { now, address, open: state.open });
    const cassettes = new Set(shown.map((row) => row.cassette)).size;
    const all = counted(index.rows.length, "recording");
    count.textContent =
      shown.length === index.rows.length
        ? `${all} in ${counted(cassettes, "cassette")}`
        : `${number(shown.length)} of ${all} in ${counted(cassettes, "cassette")}`;
    document.getElementById("reset").hidden = vcrLlmFilters.isEmpty(state);
    const nothing = document.getElementById("nothing");
    nothing.hidden = shown.length > 0;
    nothing.textContent = index.rows.length ? "No recording is like that." : "There are no recordings.";
  };

  /* --- the pane --------------------------------------------------------------------------- */

  const showOpen = ({ takesFocus }) => {
    const row = byId.get(state.open);
    panes.classList.toggle("is-open", row !== undefined);
    vcrLlmList.setOpen(state.open);
    if (row === undefined) {
      vcrLlmDetails.close();
      document.title = plain(`Recordings: ${index.title}`);
      return;
    }
    document.title = plain(`${row.asked || row.endpoint}: ${index.title}`);
    vcrLlmList.reveal(row.id)?.scrollIntoView({ block: "nearest" });
    vcrLlmDetails.open(row, {
      now,
      address,
      takesFocus,
      previous: neighbourId(row, -1),
      next: neighbourId(row, 1),
    });
  };

  const neighbourId = (row, step) => {
    const found = vcrLlmList.neighbour(row.id, step);
    return found !== null && found !== row ? found.id : null;
  };

  /* --- the address ------------------------------------------------------------------------ */

  /* Show what the address says: at the start, and when it changes by a link or a key. */
  const follow = async ({ isFirst = false } = {}) => {
    const before = state.open;
    state = vcrLlmFilters.fromHash();
    if (index.base !== null && !state.state && isFirst && !location.hash.slice(1)) {
      state.state = index.rows.some((row) => row.state !== "same") ? "any" : "";
      replaceAddress(); // so that one who comes back finds the same
    }
    vcrLlmFilters.write(form, state);
    await filter();
    if (isFirst || state.open !== before) {
      showOpen({ takesFocus: !isFirst && state.open !== "" });
      if (before && !state.open) returnFocus(before);
      if (isSearchNext) form.elements.q.focus();
      isSearchNext = false;
    }
  };

  const returnFocus = (id) => {
    if (!vcrLlmList.focus(id)) document.getElementById("recordings").focus();
  };

  const replaceAddress = () => history.replaceState(null, "", vcrLlmFilters.toHash(state));

  const filterByForm = async () => {
    state = { ...state, ...vcrLlmFilters.read(form) };
    replaceAddress();
    drawing = filter();
    await drawing;
  };

  /* --- keys ------------------------------------------------------------------------------- */

  const isTyping = (target) => target.matches?.("input:not([type=range]), textarea, select");

  const move = (step) => {
    if (state.open) {
      const next = vcrLlmList.neighbour(state.open, step);
      if (next !== null) location.hash = address(next.id);
      return;
    }
    const next = vcrLlmList.neighbour(vcrLlmList.focusedId(), step);
    if (next !== null) vcrLlmList.focus(next.id);
  };

  const escape = (event) => {
    const search = form.elements.q;
    if (event.target === search && search.value) {
      search.value = "";
      filterByForm();
    } else if (state.open) {
      location.hash = address("");
    } else {
      document.activeElement?.blur();
    }
  };

  /* Where the list is away while a recording is open, that is closed first. */
  const search = () => {
    form.elements.q.focus();
    form.elements.q.select();
    if (document.activeElement === form.elements.q) return;
    isSearchNext = true;
    location.hash = address("");
  };

  /* By the key, the stream may be far below. */
  const play = () => {
    const button = document.querySelector("[data-play]");
    button?.closest(".part").scrollIntoView({ block: "nearest" });
    button?.click();
  };

  const ACTIONS = {
    "/": () => search(),
    j: () => move(1),
    k: () => move(-1),
    p: () => play(),
    "?": () => keys.showModal(),
  };

  /* From the search to the first of what it found. */
  const enterList = async () => {
    await drawing;
    if (shown.length) vcrLlmList.focus(shown[0].id);
  };

  /* Arrows move among the rows; elsewhere they scroll, or move a slider. */
  const arrow = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    return step !== undefined && vcrLlmList.focusedId() !== null ? () => move(step) : null;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
    if (event.key === "Escape") {
      escape(event);
      return;
    }
    if (event.target === form.elements.q && ["Enter", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      enterList();
      return;
    }
    if (isTyping(event.target)) return;
    const action = Object.hasOwn(ACTIONS, event.key) ? ACTIONS[event.key] : arrow(event);
    if (!action) return;
    event.preventDefault();
    action();
  });

  /* --- the start -------------------------------------------------------------------------- */

  const showProblems = () => {
    const list = document.getElementById("problems");
    if (!index.problems.length) return;
    list.hidden = false;
    list.querySelector("summary").textContent = `${counted(index.problems.length, "problem")} with files`;
    for (const [path, reason] of index.problems) {
      const item = vcrLlmDom.element("li", {}, vcrLlmDom.element("span", { class: "mono" }, path), `: ${reason}`);
      list.querySelector("ul").append(item);
    }
  };

  document.getElementById("title").textContent = plain(index.title);
  if (index.base !== null) {
    const base = document.getElementById("base");
    base.hidden = false;
    base.textContent = plain(`Compared with ${index.base}`);
  }
  if (matchMedia("(max-width: 719px)").matches) document.getElementById("more-filters").open = false;
  showProblems();
  vcrLlmFilters.fill(form, index);
  form.addEventListener("input", filterByForm);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filterByForm));
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address says which recordings are shown
    document.getElementById("recordings").focus();
  });
  document.getElementById("keys-button").addEventListener("click", () => keys.showModal());
  document.getElementById("table").addEventListener("click", (event) => {
    const isOther = event.target.closest("a") || String(getSelection());
    const id = event.target.closest("tr.row")?.dataset.id;
    if (id && !isOther) location.hash = address(id);
  });
  window.addEventListener("hashchange", () => follow());
  await follow({ isFirst: true });
  document.documentElement.dataset.ready = "true";
})();
