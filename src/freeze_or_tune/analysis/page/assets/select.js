"use strict";
// The data of the page, and which of it the filters let through.

const DATA = JSON.parse(document.getElementById("data").textContent);
const FILTERS = ["target", "scheme", "distance_level", "data_level"];
const element = (id) => document.getElementById(id);

/** The values that a filter's checkboxes let through. */
function allowed(name) {
  const boxes = document.querySelectorAll(`#filters input[name="${name}"]:checked`);
  return new Set([...boxes].map((box) => box.value));
}

/** A test of whether the filters let an experiment through. */
function selection() {
  const sets = FILTERS.map((name) => [name, allowed(name)]);
  return (experiment) => sets.every(([name, values]) => values.has(experiment[name]));
}

/** Places in DATA.experiments of what the filters let through. */
function visibleExperiments() {
  const fits = selection();
  return [...DATA.experiments.keys()].filter((place) => fits(DATA.experiments[place]));
}

/** Pairs of which the filters let both experiments through. */
function visiblePairs() {
  const fits = selection();
  return DATA.pairs
    .map(({ tuned, frozen, ratio }, place) => ({ place, tuned: DATA.experiments[tuned], frozen: DATA.experiments[frozen], ratio }))
    .filter(({ tuned, frozen }) => fits(tuned) && fits(frozen));
}

const command = (experiment) => `snakemake -f ${quoted(experiment.path)}`;

/** A word of a shell command: quoted if it holds anything but letters, digits and the marks of usual paths. */
function quoted(word) {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const images = (n) => (n === 1 ? "1 image a class" : `${n} images a class`);

function accuracyText(experiment) {
  const spread = experiment.std === null ? "" : ` ± ${experiment.std.toFixed(3)}`;
  return experiment.mean.toFixed(3) + spread;
}

/** A new element with text (never markup: names come from files) and attributes. */
function make(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A row of table cells; numbers stand to the right. */
function tableRow(cells) {
  const row = make("tr");
  for (const cell of cells) {
    if (cell instanceof Node) {
      row.append(make("td"));
      row.lastChild.append(cell);
    } else {
      row.append(make("td", String(cell.number ?? cell), cell.number === undefined ? {} : { class: "number" }));
    }
  }
  return row;
}
