"use strict";
// Controls to what they control.

function drawAll() {
  for (const pill of document.querySelectorAll(".pill")) dress(pill);
  drawRatios();
  drawAccuracies();
  drawCurves();
}

function filtered() {
  shownRows = ROWS;
  drawRatios();
  drawAccuracies();
  drawCurves();
  fillTable();
}

/** The marker of what a filter's choice stands for in the figures. */
function dress(pill) {
  const { name, value } = pill.querySelector("input");
  const looks = { scheme: schemeLook, distance_level: distanceLook, data_level: dataLook };
  if (name in looks && value) pill.querySelector(".swatch").innerHTML = swatch(looks[name](value));
}

function later(action, milliseconds) {
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(action, milliseconds);
  };
}

element("filters").addEventListener("change", filtered);
element("filters").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => {
    for (const box of button.parentElement.querySelectorAll("input")) box.checked = button.dataset.set === "all";
    filtered();
  });
}
for (const radio of document.querySelectorAll('input[name="protocol"]')) {
  radio.addEventListener("change", () => {
    view(radio.value);
    for (const part of document.querySelectorAll("[data-protocol]")) part.hidden = part.dataset.protocol !== radio.value;
    fillTable();
    choose(chosen);
    drawAll();
  });
}
for (const radio of document.querySelectorAll('input[name="across"]')) radio.addEventListener("change", drawRatios);
for (const radio of document.querySelectorAll('input[name="along"]')) radio.addEventListener("change", drawAccuracies);
for (const radio of document.querySelectorAll('input[name="quantity"]')) radio.addEventListener("change", drawCurves);
for (const list of ["choose-target", "choose-n", "choose-scheme"]) element(list).addEventListener("change", chooseFromLists);
element("ratio-numbers").addEventListener("toggle", fillRatioTable);
element("curve-numbers").addEventListener("toggle", fillCurveTable);
element("more").addEventListener("click", () => {
  shownRows += ROWS;
  fillTable();
});
element("copy").addEventListener("click", async () => {
  getSelection().selectAllChildren(element("command"));
  await navigator.clipboard?.writeText(element("command").textContent).catch(() => {});
});
document.addEventListener("keydown", (event) => event.key === "Escape" && hideHint());
document.addEventListener("scroll", hideHint, { passive: true });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let width = innerWidth;
addEventListener(
  "resize",
  later(() => {
    // On phones, scrolling alone changes the height.
    if (width !== innerWidth) drawAll();
    width = innerWidth;
  }, 150),
);

fillTable();
choose(DATA.pairs.length ? DATA.pairs[0].tuned : 0);
drawAll();
