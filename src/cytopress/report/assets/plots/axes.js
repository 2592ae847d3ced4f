// Axes, levels and the line of a codec, which most plots are made of.
const RATES = {
  ratio: { title: "Times smaller than the original", steps: [1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120], tick: (v) => `${v}x` },
  bpp: { title: "Bits per pixel", steps: [-4, -3, -2, -1, 0, 1].flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${power}`))), tick: (v) => `${v}` },
};

function rateAxis(dataset) {
  const values = dataset.curves.flatMap((curve) => curve[rate]);
  if (dataset.lossless) values.push(dataset.lossless[rate]);
  const low = Math.log10(Math.min(...values)) - 0.06;
  const high = Math.log10(Math.max(...values)) + 0.06;
  const { title, steps, tick } = RATES[rate];
  return {
    type: "log", range: [low, high], tickvals: steps, ticktext: steps.map(tick),
    title: { text: title }, gridcolor: theme.grid, zeroline: false, linecolor: theme.ink, ticks: "outside",
  };
}

function layout(dataset, title, shapes) {
  return {
    font: font(), showlegend: false, hovermode: "closest", paper_bgcolor: theme.page, plot_bgcolor: theme.page,
    margin: { l: 66, r: 14, t: 14, b: 52 },
    xaxis: rateAxis(dataset),
    yaxis: { title: { text: title, standoff: 8 }, gridcolor: theme.grid, zeroline: false, linecolor: theme.ink, ticks: "outside", automargin: true, exponentformat: "none" },
    shapes: shapes.concat(losslessLine(dataset)),
    hoverlabel: { bgcolor: theme.page, bordercolor: theme.soft, font: { ...font(), size: 12.5 }, align: "left" },
  };
}

function losslessLine(dataset) {
  if (!dataset.lossless) return [];
  const at = dataset.lossless[rate];
  return [{
    type: "line", layer: "below", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1,
    line: { color: theme.soft, width: 1.2, dash: "dot" },
    label: { text: "best lossless", textposition: "middle", textangle: -90, yanchor: "top", font: { size: 11, color: theme.soft } },
  }];
}

const level = (y, text) => ({
  type: "line", layer: "above", xref: "paper", yref: "y", x0: 0, x1: 1, y0: y, y1: y,
  line: { color: theme.ink, width: 1.4, dash: "dash" },
  label: { text, textposition: "end", yanchor: "bottom", font: { size: 11.5, color: theme.ink } },
});

// Points of several codecs at one rate stand a little apart, so that their bars can be told apart.
function apart(dataset, curve) {
  const visible = dataset.curves.filter((other) => !hidden.has(other.label));
  const step = Math.min(0.012, 0.1 / Math.max(1, visible.length));
  const shift = (visible.indexOf(curve) - (visible.length - 1) / 2) * step;
  return curve[rate].map((value) => value * 10 ** shift);
}

function trace(curve, x, y, hover, ends) {
  const style = styles.get(curve.label);
  const bars = ends && {
    type: "data", symmetric: false, thickness: 1, width: 2, color: `${paint(style)}80`,
    array: y.map((value, i) => (ends[i] ? ends[i][1] - value : 0)),
    arrayminus: y.map((value, i) => (ends[i] ? value - ends[i][0] : 0)),
  };
  return {
    type: "scatter", mode: "lines+markers", name: curve.label, x, y, text: hover,
    hovertemplate: "%{text}<extra></extra>", connectgaps: false,
    line: { color: paint(style), dash: style.dash || "solid", width: 1.8 },
    marker: { symbol: style.marker, size: 8, color: paint(style), line: style.marker.endsWith("-open") ? { width: 1.6 } : { color: theme.page, width: 0.8 } },
    ...(bars ? { error_y: bars } : {}),
  };
}

const heading = (curve, i) =>
  `<b>${escape(curve.label)}</b> ${escape(curve.setting[i])}<br>` +
  `${short(curve.ratio[i], 3)}x smaller, ${short(curve.bpp[i], 3)} bits per pixel<br>` +
  `${escape(curve.fields[i])} fields<br>`;
