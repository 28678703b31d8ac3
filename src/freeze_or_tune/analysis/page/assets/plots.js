"use strict";
// How figures look, in light and dark, and the hint beside the pointer.

// Markers of matplotlib: Plotly's name, and a path in a box of 14 x 14 for legends.
const MARKERS = {
  o: ["circle", "M7 2a5 5 0 1 0 0 10a5 5 0 1 0 0-10"],
  s: ["square", "M2.5 2.5h9v9h-9z"],
  D: ["diamond", "M7 1.5L12.5 7L7 12.5L1.5 7z"],
  v: ["triangle-down", "M1.5 3h11L7 12.5z"],
  "^": ["triangle-up", "M1.5 11.5h11L7 2z"],
  X: ["x", "M3.5 1.5L7 5l3.5-3.5 2 2L9 7l3.5 3.5-2 2L7 9l-3.5 3.5-2-2L5 7L1.5 3.5z"],
};

const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The darkest colours of print have lighter ones on a dark page. */
const shade = (color) => ({ "#000000": variable("--ink"), "#0072B2": variable("--blue") })[color] ?? color;

const SCHEMES = new Map(DATA.experiments.map(({ scheme, mode, depth }) => [scheme, { mode, depth }]));
const DEPTHS = [...new Set([...SCHEMES.values()].filter((s) => s.mode).map((s) => s.depth))].sort((a, b) => a - b);

/** Colour, marker and filling of a scheme: as in figure 3. */
function schemeLook(notation) {
  const { mode, depth } = SCHEMES.get(notation);
  const { depths, scratch } = DATA.looks;
  const [color, marker] = mode ? depths[DEPTHS.indexOf(depth) % depths.length] : scratch;
  const dash = { F: "dash", FT: "dot" }[mode] ?? "solid";
  return { color: shade(color), marker, open: mode.startsWith("F"), dash };
}

/** A small picture of a marker, for legends. */
function swatch({ color, marker, open }) {
  const fill = open ? "none" : color;
  const path = `<path d="${MARKERS[marker][1]}" fill="${fill}" stroke="${color}" stroke-width="1.5"/>`;
  return `<svg width="14" height="14" viewBox="0 0 14 14">${path}</svg>`;
}

/** Plotly's marker of a look. */
function markerOf({ color, marker, open }, size) {
  const line = { width: open ? 1.6 : 1, color: open ? color : variable("--paper") };
  const larger = "^v".includes(marker) ? 1.3 : 1; // triangles fill less of their box
  return { symbol: MARKERS[marker][0], size: size * larger, color: open ? variable("--paper") : color, line };
}

/** What all layouts share. */
function layout(more) {
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: variable("--ink") };
  const clear = "rgba(0,0,0,0)";
  return {
    font, paper_bgcolor: clear, plot_bgcolor: clear, showlegend: false, hovermode: "closest", dragmode: false,
    margin: { l: 62, r: 20, t: 26, b: 46 }, ...more,
  };
}

/** What a figure without a point says in its middle. */
function silence(text) {
  const middle = { x: 0.5, y: 0.5, xref: "paper", yref: "paper", yanchor: "bottom" };
  return { text, ...middle, showarrow: false, font: { size: 14, color: variable("--muted") } };
}

/** What all axes share. */
function axis(more) {
  return {
    gridcolor: variable("--grid"), linecolor: variable("--line"), tickcolor: variable("--line"), zeroline: false,
    fixedrange: true, automargin: false, ...more,
  };
}

/** A logarithmic axis of images a class with a tick at each of `counts`, as far apart as labels need. */
function dataAxis(counts, pixels, more = {}) {
  const ticks = [...new Set(counts)].sort((a, b) => a - b);
  const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks.at(-1))];
  const margin = Math.max(0.1 * (high - low), 0.15);
  const apart = (30 / pixels) * (high - low + 2 * margin);
  const kept = ticks.filter((tick, i) => i === 0 || Math.log10(tick) - low > apart);
  const spaced = kept.reduce((all, t) => (all.length && Math.log10(t / all.at(-1)) < apart ? all : [...all, t]), []);
  return axis({ type: "log", range: [low - margin, high + margin], tickvals: spaced, ticktext: spaced.map(String), ...more });
}

/** Draw, and tell of points that are pointed at (`lines` of the hint) or clicked, by their customdata. */
function draw(id, traces, arrangement, lines, click) {
  const place = element(id);
  const first = !place.classList.contains("js-plotly-plot");
  Plotly.react(place, traces, arrangement, { displayModeBar: false, responsive: true });
  if (!first) return;
  const of = (event) => event.points[0].customdata;
  place.on("plotly_hover", (event) => of(event) !== undefined && showHint(event.event, lines(of(event))));
  place.on("plotly_unhover", hideHint);
  place.on("plotly_click", (event) => of(event) !== undefined && click(of(event)));
}

/** What the hint says of an experiment: [class of the line, text]. */
function linesOf(experiment) {
  return [
    ["lead", `${experiment.label} on ${experiment.target}, ${images(experiment.n)}`],
    ["", `test accuracy ${accuracyText(experiment)}; runs: ${experiment.accuracies.map((a) => a.toFixed(3)).join(", ")}`],
    ["code", experiment.path],
    ["code", command(experiment)],
  ];
}

function showHint(event, lines) {
  const hint = element("hint");
  hint.replaceChildren(
    ...lines.map(([kind, text]) => {
      const line = make("p", kind === "code" ? "" : text, kind === "lead" ? { class: "lead" } : {});
      if (kind === "code") line.append(make("code", text));
      return line;
    }),
  );
  hint.hidden = false;
  const { width, height } = hint.getBoundingClientRect();
  const room = document.documentElement.clientWidth - width - 8;
  const below = event.clientY + 18 + height < window.innerHeight;
  hint.style.left = `${Math.max(8, Math.min(event.clientX + 14, room))}px`;
  hint.style.top = `${Math.max(8, below ? event.clientY + 18 : event.clientY - height - 14)}px`;
}

function hideHint() {
  element("hint").hidden = true;
}
