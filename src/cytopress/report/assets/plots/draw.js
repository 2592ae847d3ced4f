// Draws a plot when it is first seen, and again when a choice, the theme or the paper changes.

function draw(figure) {
  // What is inside a closed part of the page has no size yet.
  if (!figure.node.offsetParent) return;
  const built = BUILD[figure.kind](data.datasets[figure.dataset], figure.column);
  figure.names = built.traces.map((each) => each.name);
  figure.drawn = true;
  Plotly.react(figure.node, built.traces, { ...built.layout, width: figure.width, height: figure.height, autosize: !figure.width }, {
    responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: `cytopress-${figure.kind}` },
  });
}
const drawAll = () => figures.filter((figure) => figure.kind !== "noise").forEach(draw);
const drawNew = () => figures.filter((figure) => !figure.drawn).forEach(draw);

for (const node of document.querySelectorAll(".plot")) {
  const { kind, dataset, column } = node.dataset;
  figures.push({ node, kind, dataset, column, drawn: false });
}
document.querySelectorAll(".legend").forEach(fillLegend);
for (const select of document.querySelectorAll("select[data-column-for]")) {
  const followers = figures.filter((figure) => figure.node.dataset.follows === select.dataset.columnFor);
  select.addEventListener("change", () => {
    for (const figure of followers) {
      figure.column = select.value;
      draw(figure);
    }
  });
}
const rates = document.querySelectorAll("select[data-rate]");
for (const select of rates) {
  select.value = rate;
  select.addEventListener("change", () => {
    rate = select.value;
    rates.forEach((other) => { other.value = rate; });
    drawAll();
  });
}
for (const slot of document.querySelectorAll("[data-swatch]")) {
  const style = styles.get(slot.dataset.swatch);
  if (style) slot.prepend(swatch(style));
}

drawNew();
document.addEventListener("toggle", drawNew, true);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readTheme();
  figures.forEach(draw);
});

// Paper is narrower than most screens, and a drawn plot keeps its width.
const paper = window.matchMedia("print");
function fit(printing) {
  readTheme();
  for (const figure of figures) {
    figure.width = printing ? 680 : undefined;
    figure.height = printing ? 310 : undefined;
    draw(figure);
  }
}
paper.addEventListener("change", (event) => fit(event.matches));
