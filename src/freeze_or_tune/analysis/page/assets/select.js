"use strict";
// The data of the page, and which of it the filters let through.

const DATA = JSON.parse(document.getElementById("data").textContent);

/** Show experiments and pairs as one protocol has them; they are the same ones in the same order in each. */
function view(protocol) {
  Object.assign(DATA, DATA.views[protocol]);
}
view(Object.keys(DATA.views)[0]);

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
    .map((pair, place) => ({ ...pair, place, tuned: DATA.experiments[pair.tuned], frozen: DATA.experiments[pair.frozen] }))
    .filter(({ tuned, frozen }) => fits(tuned) && fits(frozen));
}

const command = (experiment) => `${DATA.command} -f ${quoted(experiment.path)}`;

/** A word of a shell command: quoted if it holds anything but letters, digits and the marks of usual paths. */
function quoted(word) {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const images = (n) => (n === 1 ? "1 image a class" : `${n} images a class`);

/** A number and its 95 % interval; an end that is infinite is not known. */
function withInterval(value, low, high) {
  return `${value.toFixed(3)} (${low?.toFixed(3) ?? "?"}–${high?.toFixed(3) ?? "?"})`;
}

const accuracyText = ({ mean, low, high }) => withInterval(mean, low, high);

/** Plotly's bars from low to high around values. */
function bars(color, values, lows, highs) {
  const array = values.map((value, i) => (highs[i] ?? value) - value);
  const arrayminus = values.map((value, i) => value - (lows[i] ?? value));
  return { type: "data", symmetric: false, array, arrayminus, color, thickness: 1, width: 2 };
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
