// Similarity against the task's score, the train-test matrix, and the camera's noise.

BUILD.similarity = (dataset, column) => {
  const [place, metric] = column.split(" ");
  const { label, points } = data.similarity[Number(place)][metric];
  const score = data.metrics.find((entry) => entry.column === metric);
  const traces = dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
    const own = points.filter((point) => point.codec === curve.label);
    const hover = own.map((point) => `<b>${escape(point.codec)}</b> ${escape(point.setting)}<br>${short(point.ratio, 3)}x smaller<br>` +
      `${escape(score.label)}: ${short(point.x)}<br>worse by ${signed(point.y)}`);
    return { ...trace(curve, own.map((point) => point.x), own.map((point) => point.y), hover), mode: "markers" };
  });
  const made = layout({ curves: [{ ratio: [1, 10], bpp: [1, 10] }] }, `${escape(label)}: how much worse`, [level(0, "")]);
  made.xaxis = { title: { text: escape(score.label) }, gridcolor: theme.grid, zeroline: false, linecolor: theme.ink, ticks: "outside", exponentformat: "none", nticks: 6 };
  return { traces, layout: made };
};

BUILD.training = (dataset, column) => {
  const table = data.matrices[Number(column)];
  const frame = ([row, place]) => ({
    type: "rect", x0: place - 0.5, x1: place + 0.5, y0: row - 0.5, y1: row + 0.5, line: { color: theme.frame, width: 3 },
  });
  const scale = [[0, "#173f5f"], [0.5, "#7fa6c0"], [1, "#f4f6f8"]];
  const roomy = table.columns.length <= 8;
  const made = layout({ curves: [{ ratio: [1, 10], bpp: [1, 10] }] }, "", table.matched.map(frame));
  const names = (labels) => ({
    tickvals: labels.map((_, i) => i), ticktext: labels.map((text) => escape(text.length > 44 ? `${text.slice(0, 42)}…` : text).replace(":", ":<br>")),
    automargin: true, showgrid: false, zeroline: false, ticks: "", tickfont: { size: 11.5 },
  });
  return {
    traces: [{
      type: "heatmap", z: table.mean, colorscale: scale, reversescale: table.better === "lower", xgap: 2, ygap: 2,
      text: table.mean.map((line) => line.map((value) => (value === null ? "" : short(value, 3)))), texttemplate: roomy ? "%{text}" : "",
      customdata: table.hover.map((line, i) => line.map((text, j) => `trained on ${escape(table.rows[i])}<br>tested on ${escape(table.columns[j])}<br>${text}`)),
      hovertemplate: "%{customdata}<extra></extra>", colorbar: { title: { text: escape(table.label), side: "right" }, thickness: 12, outlinewidth: 0 },
    }],
    layout: { ...made, margin: { ...made.margin, t: 36 }, xaxis: { ...names(table.columns), title: { text: "Tested on", standoff: 6 } }, yaxis: { ...names(table.rows), autorange: "reversed", title: { text: "Trained on", standoff: 6 } } },
  };
};

BUILD.noise = (dataset) => {
  const { means, variances, a, b, offset } = dataset.noise;
  const last = Math.max(offset, ...means);
  const line = [Math.min(offset, ...means), last];
  const plain = layout({ curves: [{ ratio: [1, 10], bpp: [1, 10] }] }, "Local variance (counts²)", []);
  plain.xaxis = { title: { text: "Local mean (counts)" }, gridcolor: theme.grid, zeroline: false, linecolor: theme.ink, ticks: "outside", exponentformat: "none" };
  // From zero: a scatter of a few percent looks like a few percent.
  plain.yaxis = { ...plain.yaxis, rangemode: "tozero" };
  return {
    traces: [
      { type: "scatter", mode: "markers", x: means, y: variances, name: "patches", marker: { color: theme.mark, size: 5, opacity: 0.55 },
        hovertemplate: "mean %{x:.4g}, variance %{y:.4g}<extra></extra>" },
      { type: "scatter", mode: "lines", x: line, y: line.map((v) => a * (v - offset) + b), name: "fit", line: { color: theme.ink, width: 1.6 }, hoverinfo: "skip" },
    ],
    layout: plain,
  };
};
