/* A stream that can be played: the answer grows as the client saw it, event by event. */
"use strict";

const vcrLlmTimeline = (() => {
  const { element, number, counted, appendText } = vcrLlmDom;
  const { textBlock } = vcrLlmConversation;
  const SPEEDS = [0.25, 0.5, 1, 2, 4, 10];
  const MARKS = 300; // dots on the track: more would be one line

  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;

  /* The payload of an event, as the recording has it. */
  const payloadOf = (raw, place) => {
    const body = JSON.parse(raw).response?.body;
    return JSON.stringify(Array.isArray(body) ? body[place] : body, null, 2);
  };

  /* --- the text so far -------------------------------------------------------------------- */

  const HEADS = { thinking: "thinking", refusal: "refusal", call: "calls", result: "gives" };

  const grown = (events, count) => {
    const pieces = [];
    for (const [, , added] of events.slice(0, count)) {
      for (const [voice, text] of added) {
        const last = pieces.at(-1);
        if (last?.voice === voice && voice !== "call") last.text += text;
        else pieces.push({ voice, text });
      }
    }
    return pieces;
  };

  const silence = (count, all) => {
    if (!count) return "Press play, or move the slider";
    return count < all ? "Nothing to read yet" : "Nothing to read: see the events themselves";
  };

  const draw = (screen, events, count) => {
    screen.replaceChildren(
      ...grown(events, count).map(({ voice, text }) =>
        element("div", { class: `said said-${voice}` }, HEADS[voice] ? element("span", { class: "quiet" }, `${HEADS[voice]} `) : null, text),
      ),
    );
    if (!screen.hasChildNodes()) screen.append(element("p", { class: "quiet" }, silence(count, events.length)));
    screen.scrollTop = screen.scrollHeight;
  };

  /* --- the track -------------------------------------------------------------------------- */

  const along = (when, length) => `${length ? (when / length) * 100 : 0}%`;

  /* The events by their times, and a line where the playing is. */
  const track = (events, length, head) => {
    const step = Math.max(1, Math.ceil(events.length / MARKS));
    const shown = element("div", { class: "track", "aria-hidden": "true" });
    events.forEach(([when, , added], place) => {
      if (place % step) return;
      const mark = element("span", { class: added.length ? "mark mark-said" : "mark" });
      mark.style.left = along(when, length);
      shown.append(mark);
    });
    shown.append(head);
    return shown;
  };

  /* --- the player ------------------------------------------------------------------------- */

  const player = (timeline, raw) => {
    const { events, labels } = timeline;
    const length = events.at(-1)[0];
    let count = events.length;
    let clock = length;
    let speed = 1;
    let frame = null;
    let last = 0;

    const head = element("span", { class: "head" });
    const screen = element("div", { class: "screen", role: "region", "aria-label": "What the client had seen", tabindex: "0" });
    const slider = element("input", { type: "range", min: "0", max: String(events.length), step: "1", "aria-label": "Events", class: "slider" });
    const play = element("button", { type: "button", class: "primary", "data-play": true, onclick: () => (frame === null ? start() : pause()) });
    const where = element("p", { class: "where" });
    const payload = element("details", { class: "setup", ontoggle: () => showPayload() }, element("summary", {}, "This event"), element("div", { class: "code" }));
    const back = element("button", { type: "button", "aria-label": "Previous event", onclick: () => go(count - 1) }, "‹");
    const forth = element("button", { type: "button", "aria-label": "Next event", onclick: () => go(count + 1) }, "›");
    const speeds = element(
      "select",
      { "aria-label": "Speed", onchange: (event) => { speed = Number(event.target.value); } },
      SPEEDS.map((value) => element("option", { value: String(value), selected: value === 1 }, `${value}×`)),
    );

    const showPayload = () => {
      const held = payload.lastChild;
      held.replaceChildren();
      if (payload.open && count) held.append(textBlock(payloadOf(raw, count - 1), "plain"));
    };

    const show = () => {
      draw(screen, events, count);
      slider.value = String(count);
      head.style.left = along(count ? events[count - 1][0] : 0, length);
      const [when, label] = count ? events[count - 1] : [0, null];
      const told = count ? `event ${number(count)} of ${number(events.length)}: ${labels[label]}` : `before the first of ${counted(events.length, "event")}`;
      where.replaceChildren();
      appendText(where, timeline.is_recorded ? `${seconds(when)} · ${told}` : told);
      slider.setAttribute("aria-valuetext", where.textContent);
      back.disabled = count === 0;
      forth.disabled = count === events.length;
      showPayload();
    };

    const label = () => {
      play.textContent = frame === null ? "▶ Play" : "❚❚ Pause";
    };

    const go = (to) => {
      pause();
      count = Math.min(Math.max(to, 0), events.length);
      clock = count ? events[count - 1][0] : 0;
      show();
    };

    const tick = (now) => {
      clock += (now - last) * speed;
      last = now;
      const before = count;
      while (count < events.length && events[count][0] <= clock) count += 1;
      if (count !== before) show();
      frame = count < events.length && screen.isConnected ? requestAnimationFrame(tick) : null;
      if (frame === null) label();
    };

    const start = () => {
      if (count === events.length) {
        count = 0;
        clock = 0;
        show();
      }
      last = performance.now();
      frame = requestAnimationFrame(tick);
      label();
    };

    const pause = () => {
      if (frame !== null) cancelAnimationFrame(frame);
      frame = null;
      label();
    };

    slider.addEventListener("input", () => go(Number(slider.value)));
    label();
    show();
    return [
      element("p", { class: "quiet" }, timeline.is_recorded
        ? `${counted(events.length, "event")} in ${seconds(length)}, as recorded.`
        : `${counted(events.length, "event")}. When each came was not recorded (option timing): they are played evenly.`),
      screen,
      track(events, length, head),
      element("div", { class: "controls" }, play, back, slider, forth, speeds),
      where,
      payload,
    ];
  };

  return { player };
})();
