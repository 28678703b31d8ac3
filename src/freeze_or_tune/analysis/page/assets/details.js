"use strict";
// One experiment with its learning curves, and the table of all.

const ROWS = 20;
let chosen = 0;
let shownRows = ROWS;

/** Show an experiment; `go` there, if the choice was made elsewhere on the page. */
function choose(place, go = false) {
  chosen = place;
  const { target, n, scheme } = DATA.experiments[place];
  const of = (key, fits) => [...new Set(DATA.experiments.filter(fits).map((e) => e[key]))];
  options("choose-target", DATA.targets, target);
  options("choose-n", of("n", (e) => e.target === target), n);
  options("choose-scheme", of("scheme", (e) => e.target === target && e.n === n), scheme, DATA.schemes);
  fillFacts();
  drawCurves();
  for (const row of document.querySelectorAll("#experiments tbody tr")) {
    row.classList.toggle("chosen", Number(row.dataset.place) === place);
  }
  if (go) {
    hideHint();
    element("experiment").scrollIntoView();
    element("experiment").focus({ preventScroll: true });
  }
}

function options(id, values, value, labels = {}) {
  element(id).replaceChildren(...values.map((v) => make("option", labels[v] ?? String(v), { value: v })));
  element(id).value = String(value);
}

/** The experiment that the three lists name; of a target or split without it, the nearest to it. */
function chooseFromLists() {
  const wanted = { target: element("choose-target").value, n: element("choose-n").value, scheme: element("choose-scheme").value };
  const likeness = (e) => 4 * (e.target === wanted.target) + 2 * (String(e.n) === wanted.n) + (e.scheme === wanted.scheme);
  const places = [...DATA.experiments.keys()];
  choose(places.reduce((best, place) => (likeness(DATA.experiments[place]) > likeness(DATA.experiments[best]) ? place : best)));
}

function fillFacts() {
  const experiment = DATA.experiments[chosen];
  const facts = {
    Experiment: `${experiment.label} on ${experiment.target}, ${images(experiment.n)}`,
    "Test accuracy": accuracyText(experiment),
    "Of each run": experiment.accuracies.map((accuracy) => accuracy.toFixed(3)).join(", "),
    File: experiment.path,
  };
  const lines = Object.entries(facts).map(([name, value]) => {
    const line = make("div");
    line.append(make("dt", name), make("dd", value));
    return line;
  });
  element("facts").replaceChildren(...lines);
  element("command").textContent = command(experiment);
}

/** Curves of the chosen experiment, over faint ones of its split's other schemes. */
function drawCurves() {
  const { target, n } = DATA.experiments[chosen];
  const quantity = document.querySelector('input[name="quantity"]:checked').value;
  const others = visibleExperiments().filter((place) => {
    const other = DATA.experiments[place];
    return place !== chosen && other.target === target && other.n === n;
  });
  const traces = [...others, chosen].flatMap((place) => DATA.experiments[place].curves.map((c) => curve(place, c, quantity)));
  const best = DATA.experiments[chosen].curves.map((c) => bestPoint(chosen, c, quantity)).filter((trace) => trace.x.length);
  const text = quantity === "loss" ? "Training loss" : "Validation accuracy";
  const arrangement = layout({
    height: 320, margin: { l: 62, r: 20, t: 10, b: 46 },
    xaxis: axis({ title: { text: "Iteration", standoff: 8 }, rangemode: "tozero" }),
    yaxis: axis({ title: { text, standoff: 6 }, rangemode: quantity === "loss" ? "tozero" : "normal" }),
  });
  draw("curves", [...traces, ...best], arrangement, (place) => linesOf(DATA.experiments[place]), (place) => choose(place));
  fillCurveTable();
}

function curve(place, run, quantity) {
  const look = schemeLook(DATA.experiments[place].scheme);
  const own = place === chosen;
  return {
    type: "scatter", mode: "lines", hoverinfo: "none", x: run.iterations, y: run[quantity],
    customdata: run.iterations.map(() => place), opacity: own ? 1 : 0.3,
    line: { color: look.color, width: own ? 2.5 : 1.2, dash: look.dash },
  };
}

function bestPoint(place, run, quantity) {
  const at = run.iterations.indexOf(run.best_iteration);
  return {
    type: "scatter", mode: "markers", hoverinfo: "none", x: at < 0 ? [] : [run.best_iteration],
    y: at < 0 ? [] : [run[quantity][at]], customdata: [place], marker: markerOf(schemeLook(DATA.experiments[place].scheme), 10),
  };
}

function fillCurveTable() {
  if (!element("curve-numbers").open) return;
  const rows = DATA.experiments[chosen].curves.flatMap((run, number) =>
    run.iterations.map((iteration, i) =>
      tableRow([number, iteration, run.loss[i], run.val_accuracy[i].toFixed(3)].map((value) => ({ number: value }))),
    ),
  );
  element("curve-numbers").querySelector("tbody").replaceChildren(...rows);
}

/** The table of what the filters let through, as many rows as asked for. */
function fillTable() {
  const places = visibleExperiments();
  const rows = places.slice(0, shownRows).map((place) => {
    const experiment = DATA.experiments[place];
    const button = make("button", "Curves", { type: "button", "aria-label": `Learning curves of ${experiment.path}` });
    button.addEventListener("click", () => choose(place, true));
    const row = tableRow([
      experiment.target, { number: experiment.n }, experiment.label, { number: accuracyText(experiment) },
      { number: experiment.accuracies.length }, make("code", command(experiment)), button,
    ]);
    row.dataset.place = place;
    row.classList.toggle("chosen", place === chosen);
    return row;
  });
  document.querySelector("#experiments tbody").replaceChildren(...rows);
  element("more").hidden = places.length <= shownRows;
  element("count").textContent = `${places.length} of ${DATA.experiments.length} experiments`;
}
