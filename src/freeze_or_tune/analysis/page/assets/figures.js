"use strict";
// The two figures of all experiments: tuned over frozen accuracy, and accuracies.

const MOST_PANELS = 12;

const distanceLook = (level) => ({ color: shade(DATA.looks.distance[level][0]), marker: DATA.looks.distance[level][1] });
const dataLook = (level) => ({ color: shade(DATA.looks.data[level][0]), marker: DATA.looks.data[level][1] });

/** Tuned over frozen accuracy against images a class or distance; the other one is the colour. */
function drawRatios() {
  const across = document.querySelector('input[name="across"]:checked').value;
  const [level, look, labels] =
    across === "n"
      ? ["distance_level", distanceLook, DATA.distance_labels]
      : ["data_level", dataLook, DATA.data_labels];
  const pairs = visiblePairs().filter((pair) => pair.tuned.cosine !== null);
  const levels = Object.keys(labels).filter((k) => pairs.some((pair) => pair.tuned[level] === k));
  const traces = levels.map((k, i) => {
    // A little aside, so that no bar hides another.
    const aside = i - (levels.length - 1) / 2;
    const chosen = pairs.filter((pair) => pair.tuned[level] === k);
    return {
      type: "scatter", mode: "markers", hoverinfo: "none", name: labels[k], marker: markerOf(look(k), 10),
      x: chosen.map(({ tuned }) => (across === "n" ? tuned.n * 10 ** (0.012 * aside) : tuned.cosine + 0.002 * aside)),
      y: chosen.map((pair) => pair.ratio),
      customdata: chosen.map((pair) => pair.place),
      error_y: bars(look(k).color, ...["ratio", "low", "high"].map((key) => chosen.map((pair) => pair[key]))),
    };
  });
  draw("ratio", traces, ratioLayout(across, pairs), pairLines, (place) => choose(DATA.pairs[place].tuned, true));
  element("ratio-legend").replaceChildren(...levels.map((k) => legendEntry(look(k), labels[k])));
  fillRatioTable();
}

function legendEntry(look, label) {
  const entry = make("li", label);
  entry.insertAdjacentHTML("afterbegin", swatch(look));
  return entry;
}

function ratioLayout(across, pairs) {
  const [low, high] = ratioRange(pairs);
  const margin = 0.08 * (high - low);
  const width = element("ratio").clientWidth;
  const counts = pairs.length ? pairs.map((pair) => pair.tuned.n) : [1, 100];
  const title = { text: across === "n" ? "Images a class (log scale)" : "Distance (cosine)", standoff: 8 };
  const say = (text, y, yanchor) => ({
    text, x: 1, xref: "paper", xanchor: "right", y, yref: "paper", yanchor, showarrow: false,
    font: { size: 12, color: variable("--muted") },
  });
  return layout({
    height: 380,
    xaxis: across === "n" ? dataAxis(counts, width, { title }) : axis({ title, rangemode: "tozero" }),
    yaxis: axis({
      type: "log", range: [low - margin, high + margin], ...ratioTicks(low - margin, high + margin),
      title: { text: "Tuned over frozen accuracy", standoff: 6 },
    }),
    shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 1, y1: 1, layer: "between", line: { color: variable("--ink"), width: 1.5 } }],
    annotations: [
      say("↑ tuning is better", 1, "bottom"), say("↓ freezing is better", 0.01, "bottom"),
      ...(pairs.length ? [] : [silence("No pair with a known distance passes the filters")]),
    ],
  });
}

/** Decimal logarithms between which all ratios lie, and their bars unless these would press the ratios together. */
function ratioRange(pairs) {
  const ratios = [...pairs.map((pair) => pair.ratio), 1 / 1.02, 1.02];
  const [low, high] = [ratios.reduce((a, b) => Math.min(a, b)), ratios.reduce((a, b) => Math.max(a, b))];
  const room = Math.max(Math.sqrt(high / low), 1.1);
  const bottom = pairs.reduce((least, pair) => Math.min(least, Math.max(pair.low ?? low, low / room)), low);
  const top = pairs.reduce((most, pair) => Math.max(most, Math.min(pair.high ?? high, high * room)), high);
  return [Math.log10(bottom), Math.log10(top)];
}

/** Plain numbers on a logarithmic axis from 10^low to 10^high: the finest steps whose labels do not touch. */
function ratioTicks(low, high) {
  const grids = [0.02, 0.05, 0.1, 0.2].map((step) => [...Array(500).keys()].map((k) => Number((k * step).toFixed(2))));
  grids.push([0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 30], [1e-3, 1e-2, 0.1, 1, 10, 100, 1000]);
  const inside = grids.map((grid) => grid.filter((v) => v > 0 && Math.log10(v) >= low && Math.log10(v) <= high));
  const fits = (grid) => grid.every((v, i) => i === 0 || Math.log10(v / grid[i - 1]) > 0.055 * (high - low));
  const tickvals = inside.find(fits) ?? [1];
  return { tickvals, ticktext: tickvals.map((v) => String(v)) };
}

function pairLines(place) {
  const pair = DATA.pairs[place];
  const both = [DATA.experiments[pair.tuned], DATA.experiments[pair.frozen]];
  return [["lead", `Tuned over frozen: ${withInterval(pair.ratio, pair.low, pair.high)}`], ...both.flatMap(linesOf)];
}

function fillRatioTable() {
  if (!element("ratio-numbers").open) return;
  const rows = visiblePairs().map(({ tuned, frozen, ratio, low, high }) => {
    const interval = `${low?.toFixed(3) ?? "?"}–${high?.toFixed(3) ?? "?"}`;
    const numbers = [tuned.n, tuned.mean.toFixed(3), frozen.mean.toFixed(3), ratio.toFixed(3), interval];
    return tableRow([tuned.target, ...numbers.map((number) => ({ number }))]);
  });
  element("ratio-numbers").querySelector("tbody").replaceChildren(...rows);
}

/** Test accuracy against images a class or frozen blocks, a panel a target from near to far. */
function drawAccuracies() {
  const along = document.querySelector('input[name="along"]:checked')?.value ?? "n";
  const places = visibleExperiments().filter((place) => along === "n" || DATA.experiments[place].frozen !== null);
  const byTarget = new Map();
  for (const place of places) {
    const { target } = DATA.experiments[place];
    if (!byTarget.has(target)) byTarget.set(target, []);
    byTarget.get(target).push(place);
  }
  const all = DATA.targets.filter((target) => byTarget.has(target));
  const targets = all.slice(0, MOST_PANELS);
  element("panels").textContent =
    all.length > targets.length ? `The ${targets.length} nearest of ${all.length} targets; filter to see others.` : "";
  const width = element("accuracy").clientWidth;
  const columns = Math.min(targets.length || 1, width < 520 ? 1 : width < 800 ? 2 : 3);
  const rows = Math.max(1, Math.ceil(targets.length / columns));
  const arrangement = layout({
    height: rows * 260 + 30, annotations: [], shapes: [],
    grid: { rows, columns, pattern: "independent", xgap: columns > 1 ? 0.16 : 0, ygap: 0.3 },
  });
  const traces = targets.flatMap((target, i) =>
    panel(byTarget.get(target), i ? i + 1 : "", arrangement, {
      target, along, width: width / columns, last: i + columns >= targets.length,
    }),
  );
  if (!targets.length) {
    arrangement.annotations.push(silence("No experiment passes the filters"));
    Object.assign(arrangement, { xaxis: { visible: false }, yaxis: { visible: false } });
  }
  draw("accuracy", traces, arrangement, (place) => linesOf(DATA.experiments[place]), (place) => choose(place, true));
}

/** The traces of one target; its axes, title and line of chance are added to `arrangement`. */
function panel(places, number, arrangement, { target, along, width, last }) {
  const experiments = places.map((place) => DATA.experiments[place]);
  const { cosine, chance } = experiments[0];
  const top = Math.max(chance, ...experiments.map((e) => e.high));
  const title = last ? { text: along === "n" ? "Images a class" : "Frozen blocks", standoff: 6 } : {};
  const deepest = Math.max(...experiments.map((e) => e.frozen));
  arrangement[`xaxis${number}`] =
    along === "n"
      ? dataAxis(experiments.map((e) => e.n), width, { title })
      : axis({ title, range: [-0.05 * deepest, 1.3 * deepest], tickvals: blocksUpTo(deepest) }); // room for names
  arrangement[`yaxis${number}`] = axis({ range: [0, Math.min(1.04, 1.1 * top)], tickformat: ".1f", nticks: 6 });
  // Letters that fit above a panel, the distance's left out.
  const most = Math.floor(width / 7.5) - 17;
  const name = target.length > most ? `${target.slice(0, most - 1)}…` : target;
  const far = cosine === null ? "" : ` (distance ${cosine.toFixed(3)})`;
  arrangement.annotations.push({
    text: `<b>${plain(name)}</b>${far}`, showarrow: false, x: 0, xanchor: "left", y: 1, yanchor: "bottom",
    xref: `x${number} domain`, yref: `y${number} domain`,
  });
  arrangement.shapes.push({
    type: "line", xref: `x${number} domain`, yref: `y${number}`, x0: 0, x1: 1, y0: chance, y1: chance,
    layer: "below", line: { color: variable("--both"), width: 1 },
  });
  if (along === "frozen") return depthTraces(places, number);
  const schemes = Object.keys(DATA.schemes).filter((scheme) => experiments.some((e) => e.scheme === scheme));
  return schemes.map((scheme, i) => schemeTrace(scheme, places, number, 10 ** (0.018 * (i - (schemes.length - 1) / 2))));
}

/** A line through the experiments of a scheme, shifted a little so that none hides another. */
function schemeTrace(scheme, places, number, aside) {
  const line = places.filter((place) => DATA.experiments[place].scheme === scheme);
  line.sort((a, b) => DATA.experiments[a].n - DATA.experiments[b].n);
  const look = schemeLook(scheme);
  return accuracyTrace(line, look, number, DATA.schemes[scheme], (e) => e.n * aside);
}

/** Ticks at numbers of blocks, ten at most. */
function blocksUpTo(deepest) {
  const step = Math.ceil(deepest / 9);
  return [...Array(Math.floor(deepest / step) + 1).keys()].map((k) => k * step);
}

/** A line through the depths of each split, named where it ends. */
function depthTraces(places, number) {
  const counts = [...new Set(places.map((place) => DATA.experiments[place].n))].sort((a, b) => a - b);
  return counts.map((n, i) => {
    const line = places.filter((place) => DATA.experiments[place].n === n);
    line.sort((a, b) => DATA.experiments[a].frozen - DATA.experiments[b].frozen);
    const look = { ...dataLook(DATA.experiments[line[0]].data_level), dash: "solid" };
    const aside = 0.06 * (i - (counts.length - 1) / 2);
    return {
      ...accuracyTrace(line, look, number, `n = ${n}`, (e) => e.frozen + aside),
      mode: "lines+markers+text", textposition: "middle right", textfont: { color: look.color, size: 12 },
      text: line.map((_, place) => (place === line.length - 1 ? ` n = ${n}` : "")),
    };
  });
}

/** Accuracies of some experiments with their intervals. */
function accuracyTrace(line, look, number, name, x) {
  const experiments = line.map((place) => DATA.experiments[place]);
  return {
    type: "scatter", mode: "lines+markers", hoverinfo: "none", name, customdata: line,
    xaxis: `x${number}`, yaxis: `y${number}`, marker: markerOf(look, 8),
    line: { color: look.color, width: 1.5, dash: look.dash },
    x: experiments.map(x), y: experiments.map((e) => e.mean),
    error_y: bars(look.color, ...["mean", "low", "high"].map((key) => experiments.map((e) => e[key]))),
  };
}

/** Text for Plotly, which reads some markup. */
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
