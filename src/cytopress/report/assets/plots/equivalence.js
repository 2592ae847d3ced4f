// Equivalence plot: how much worse each setting makes the score, against the margin.

// Round numbers for a scale that is even up to a unit and logarithmic beyond it.
function valueTicks(low, high, unit) {
  const first = Math.floor(Math.log10(unit));
  const sizes = [];
  for (let power = first; power <= Math.ceil(Math.log10(Math.max(-low, high, unit))); power += 1) sizes.push(...[1, 3].map((step) => Number(`${step}e${power}`)));
  return [...sizes.map((size) => -size), 0, ...sizes].filter((value) => value >= low * 1.3 && value <= high * 1.3);
}

BUILD.equivalence = (dataset, column) => {
  const plot = data.equivalence[Number(column)];
  const entries = dataset.curves.filter((curve) => plot.curves[curve.label] && !hidden.has(curve.label));
  const shown = entries.flatMap((curve) => plot.curves[curve.label]).flatMap((point) => [point.low, point.mean, point.high]);
  const values = [...shown.filter((value) => value !== null), plot.margin, -(plot.noise || 0), 0];
  // Even near zero and logarithmic beyond, or the large ones would hide those that decide.
  const farthest = Math.max(...values.map(Math.abs));
  const unit = Math.max(plot.margin, farthest / 1e4);
  const place = (value) => (value === null ? null : Math.asinh((2 * value) / unit));
  const traces = entries.map((curve) => {
    const points = plot.curves[curve.label];
    const y = points.map((point) => place(point.mean));
    const hover = points.map((point, i) => `${heading(curve, i)}worse by ${signed(point.mean)} (${signed(point.low)} to ${signed(point.high)})<br>` +
      escape(point.verdict));
    const made = trace(curve, apart(dataset, curve), y, hover,
      points.map((point) => (point.low === null ? null : [place(point.low), place(point.high)])));
    const base = made.marker.symbol.replace("-open", "");
    made.marker = { ...made.marker, size: 9, symbol: points.map((point) => (point.inside ? base : `${base}-open`)), line: { width: 1.6, color: paint(styles.get(curve.label)) } };
    made.line = { ...made.line, width: 1 };
    return made;
  });
  const shapes = [level(place(plot.margin), `margin: ${short(plot.margin, 3)}`)];
  if (plot.noise) {
    shapes.push({
      type: "rect", layer: "below", xref: "paper", yref: "y", x0: 0, x1: 1, y0: place(-plot.noise), y1: place(plot.noise),
      fillcolor: theme.band, line: { width: 0 },
    });
  }
  const made = layout(dataset, `${escape(plot.label)}<br>how much worse`, shapes);
  const ticks = valueTicks(Math.min(...values), Math.max(...values), unit);
  made.yaxis = { ...made.yaxis, tickvals: ticks.map(place), ticktext: ticks.map((value) => String(Number(value.toPrecision(1))).replace("-", "−")), range: [place(Math.min(...values)) - 0.35, place(Math.max(...values)) + 0.35] };
  return { traces, layout: made };
};
