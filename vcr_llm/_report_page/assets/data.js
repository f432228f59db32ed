/* The data files beside this page: each is a script that hands JSON over, since `fetch` reads no
   file from `file:`. */
"use strict";

const vcrLlmReport = (() => {
  const waiting = new Map();
  const received = new Map();

  /* Called by every data file. */
  const receive = (name, json) => {
    const found = waiting.get(name);
    waiting.delete(name);
    received.set(name, Promise.resolve(json));
    found?.resolve(json);
  };

  /* The text of a data file, loaded once. */
  const text = (name) => {
    if (!received.has(name)) {
      received.set(
        name,
        new Promise((resolve, reject) => {
          waiting.set(name, { resolve });
          const script = document.createElement("script");
          script.src = `data/${name}.js`;
          script.addEventListener("load", () => script.remove());
          script.addEventListener("error", () => {
            script.remove();
            received.delete(name);
            reject(new Error(`data/${name}.js is missing: was the whole report copied?`));
          });
          document.head.append(script);
        }),
      );
    }
    return received.get(name);
  };

  /* Details are parsed anew when they are opened again: there may be many, and large ones. */
  const details = async (row) => JSON.parse(await text(`d${row.shard}`))[row.id];

  /* All texts of all recordings, each with the numbers of the rows in which it is said. */
  let texts = null;
  const allTexts = (count) => {
    const names = Array.from({ length: count }, (_, place) => `t${place}`);
    texts ??= Promise.all(names.map(async (name) => JSON.parse(await text(name)))).then((found) =>
      found.flat(),
    );
    texts.catch(() => {
      texts = null;
    });
    return texts;
  };

  /* The index, as rows with named members. */
  const parsedIndex = (json) => {
    const index = JSON.parse(json);
    const rows = index.rows.map((cells, place) => {
      const row = { place };
      index.columns.forEach((column, at) => {
        row[column] = column in index.tables ? index.tables[column][cells[at]] : cells[at];
      });
      return row;
    });
    return { ...index, rows };
  };

  const index = async () => parsedIndex(await text("index"));

  return { receive, details, allTexts, index };
})();
