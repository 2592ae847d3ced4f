// Draws the curves; a codec switched off in one legend goes from every plot.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("plot-data").textContent);
  const styles = new Map(data.codecs.map((codec) => [codec.label, codec]));
  const hidden = new Set();
  let rate = "ratio";
  const figures = [];

  const RATES = {
    ratio: { title: "Times smaller than the original", steps: [1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120], tick: (v) => `${v}x` },
    bpp: { title: "Bits per pixel", steps: [-4, -3, -2, -1, 0, 1].flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${power}`))), tick: (v) => `${v}` },
  };
  const FONT = { family: getComputedStyle(document.body).fontFamily, size: 13, color: "#1c2530" };
  const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (value, digits = 4) =>
    value === null || value === undefined
      ? "–"
      : Number(value).toPrecision(digits).replace(/^-/, "−");
  const signed = (value) => (value > 0 ? "+" : "") + short(value, 3);
  const range = (ends, write) => (ends ? ` (${write(ends[0])} to ${write(ends[1])})` : " (no interval)");

  function rateAxis(dataset) {
    const values = dataset.curves.flatMap((curve) => curve[rate]);
    if (dataset.lossless) values.push(dataset.lossless[rate]);
    const low = Math.log10(Math.min(...values)) - 0.06;
    const high = Math.log10(Math.max(...values)) + 0.06;
    const { title, steps, tick } = RATES[rate];
    return {
      type: "log", range: [low, high], tickvals: steps, ticktext: steps.map(tick),
      title: { text: title }, gridcolor: "#e8ecf0", zeroline: false, linecolor: "#1c2530", ticks: "outside",
    };
  }

  function layout(dataset, title, shapes) {
    return {
      font: FONT, showlegend: false, hovermode: "closest", paper_bgcolor: "#fff", plot_bgcolor: "#fff",
      margin: { l: 66, r: 14, t: 14, b: 52 },
      xaxis: rateAxis(dataset),
      yaxis: { title: { text: title, standoff: 8 }, gridcolor: "#e8ecf0", zeroline: false, linecolor: "#1c2530", ticks: "outside", automargin: true, exponentformat: "none" },
      shapes: shapes.concat(losslessLine(dataset)),
      hoverlabel: { bgcolor: "#fff", bordercolor: "#586675", font: { ...FONT, size: 12.5 }, align: "left" },
    };
  }

  function losslessLine(dataset) {
    if (!dataset.lossless) return [];
    const at = dataset.lossless[rate];
    return [{
      type: "line", layer: "below", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1,
      line: { color: "#586675", width: 1.2, dash: "dot" },
      label: { text: "best lossless", textposition: "middle", textangle: -90, yanchor: "top", font: { size: 11, color: "#586675" } },
    }];
  }

  const level = (y, text) => ({
    type: "line", layer: "above", xref: "paper", yref: "y", x0: 0, x1: 1, y0: y, y1: y,
    line: { color: "#1c2530", width: 1.4, dash: "dash" },
    label: { text, textposition: "end", yanchor: "bottom", font: { size: 11.5, color: "#1c2530" } },
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
      type: "data", symmetric: false, thickness: 1, width: 2, color: `${style.color}80`,
      array: y.map((value, i) => (ends[i] ? ends[i][1] - value : 0)),
      arrayminus: y.map((value, i) => (ends[i] ? value - ends[i][0] : 0)),
    };
    return {
      type: "scatter", mode: "lines+markers", name: curve.label, x, y, text: hover,
      hovertemplate: "%{text}<extra></extra>", connectgaps: false,
      line: { color: style.color, dash: style.dash || "solid", width: 1.8 },
      marker: { symbol: style.marker, size: 8, color: style.color, line: style.marker.endsWith("-open") ? { width: 1.6 } : { color: "#fff", width: 0.8 } },
      ...(bars ? { error_y: bars } : {}),
    };
  }

  // Round numbers for a scale that is even up to a unit and logarithmic beyond it.
  function valueTicks(low, high, unit) {
    const first = Math.floor(Math.log10(unit));
    const sizes = [];
    for (let power = first; power <= Math.ceil(Math.log10(Math.max(-low, high, unit))); power += 1) sizes.push(...[1, 3].map((step) => Number(`${step}e${power}`)));
    return [...sizes.map((size) => -size), 0, ...sizes].filter((value) => value >= low * 1.3 && value <= high * 1.3);
  }

  const heading = (curve, i) =>
    `<b>${escape(curve.label)}</b> ${escape(curve.setting[i])}<br>` +
    `${short(curve.ratio[i], 3)}x smaller, ${short(curve.bpp[i], 3)} bits per pixel<br>` +
    `${escape(curve.fields[i])} fields<br>`;

  function effects(dataset, column, pick, ends, write) {
    return dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
      const values = curve.tasks[column];
      return trace(
        curve, apart(dataset, curve), values.map((value) => value && value[pick]),
        values.map((value, i) => value && heading(curve, i) + write(value)),
        ends && values.map((value) => value && value[ends]),
      );
    });
  }

  const BUILD = {
    accuracy(dataset, column) {
      const score = dataset.scores.find((entry) => entry.column === column);
      const shapes = score.original !== null ? [level(score.original, `from originals: ${short(score.original, 3)}`)] : [];
      const traces = effects(dataset, column, "decoded", "decodedInterval", (value) =>
        `${escape(score.label)}: ${short(value.decoded)}${range(value.decodedInterval, short)}`);
      return { traces, layout: layout(dataset, `${escape(score.label)}<br>${score.better} is better`, shapes) };
    },
    change(dataset, column) {
      const score = dataset.scores.find((entry) => entry.column === column);
      const traces = effects(dataset, column, "change", "changeInterval", (value) =>
        `change: ${signed(value.change)}${range(value.changeInterval, signed)}<br>${value.verdict}`);
      return { traces, layout: layout(dataset, `Change of ${escape(score.label)}<br>below zero is ${score.better === "higher" ? "worse" : "better"}`, [level(0, "no change")]) };
    },
    metric(dataset, column) {
      const score = data.metrics.find((entry) => entry.column === column);
      const traces = dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
        const y = curve.metrics[column];
        return trace(curve, curve[rate], y, y.map((value, i) => `${heading(curve, i)}${escape(score.label)}: ${short(value)}`));
      });
      const better = score.ideal === null ? `${score.better} is better` : `${score.ideal} is as in the original`;
      const shapes = score.ideal === null ? [] : [level(score.ideal, "as in the original")];
      const word = column === "pixels/bias" ? "nearer to zero is better" : better;
      return { traces, layout: layout(dataset, `${escape(score.label)}<br>${word}`, column === "pixels/bias" ? [level(0, "none")] : shapes) };
    },
    equivalence(dataset, column) {
      const plot = data.equivalence[Number(column)];
      const entries = dataset.curves.filter((curve) => plot.curves[curve.label] && !hidden.has(curve.label));
      const shown = entries.flatMap((curve) => plot.curves[curve.label]).flatMap((point) => [point.low, point.mean, point.bound]);
      const values = [...shown.filter((value) => value !== null), plot.margin, -(plot.noise || 0), 0];
      // Even near zero and logarithmic beyond, or the large losses would hide the ones that decide.
      const farthest = Math.max(...values.map(Math.abs));
      const unit = Math.max(plot.margin, farthest / 1e4);
      const place = (value) => (value === null ? null : Math.asinh((2 * value) / unit));
      const traces = entries.map((curve) => {
        const points = plot.curves[curve.label];
        const y = points.map((point) => place(point.mean));
        const hover = points.map((point, i) => `${heading(curve, i)}loss: ${signed(point.mean)} (${signed(point.low)} to ${signed(point.bound)})<br>` +
          (point.safe ? "shown to stay inside the margin" : escape(point.reason)));
        const made = trace(curve, apart(dataset, curve), y, hover,
          points.map((point) => (point.low === null ? null : [place(point.low), place(point.bound === null ? point.mean : point.bound)])));
        const base = made.marker.symbol.replace("-open", "");
        made.marker = { ...made.marker, size: 9, symbol: points.map((point) => (point.safe ? base : `${base}-open`)), line: { width: 1.6, color: styles.get(curve.label).color } };
        made.line = { ...made.line, width: 1 };
        return made;
      });
      const shapes = [level(place(plot.margin), `margin: ${short(plot.margin, 3)}`)];
      if (plot.noise) {
        shapes.push({
          type: "rect", layer: "below", xref: "paper", yref: "y", x0: 0, x1: 1, y0: place(-plot.noise), y1: place(plot.noise),
          fillcolor: "#e3e8ed", line: { width: 0 },
        });
      }
      const made = layout(dataset, `Loss of ${escape(plot.label)}<br>above zero is worse`, shapes);
      const ticks = valueTicks(Math.min(...values), Math.max(...values), unit);
      made.yaxis = { ...made.yaxis, tickvals: ticks.map(place), ticktext: ticks.map((value) => String(Number(value.toPrecision(1))).replace("-", "−")), range: [place(Math.min(...values)) - 0.35, place(Math.max(...values)) + 0.35] };
      return { traces, layout: made };
    },
    similarity(dataset, column) {
      const [place, metric] = column.split(" ");
      const { label, points } = data.similarity[Number(place)][metric];
      const score = data.metrics.find((entry) => entry.column === metric);
      const traces = dataset.curves.filter((curve) => !hidden.has(curve.label)).map((curve) => {
        const own = points.filter((point) => point.codec === curve.label);
        const hover = own.map((point) => `<b>${escape(point.codec)}</b> ${escape(point.setting)}<br>${short(point.ratio, 3)}x smaller<br>` +
          `${escape(score.label)}: ${short(point.x)}<br>loss: ${signed(point.y)}`);
        return { ...trace(curve, own.map((point) => point.x), own.map((point) => point.y), hover), mode: "markers" };
      });
      const made = layout({ curves: [{ ratio: [1, 10], bpp: [1, 10] }] }, `Loss of ${escape(label)}`, [level(0, "")]);
      made.xaxis = { title: { text: escape(score.label) }, gridcolor: "#e8ecf0", zeroline: false, linecolor: "#1c2530", ticks: "outside", exponentformat: "none", nticks: 6 };
      return { traces, layout: made };
    },
    training(dataset, column) {
      const table = data.matrices[Number(column)];
      const frame = ([row, place]) => ({
        type: "rect", x0: place - 0.5, x1: place + 0.5, y0: row - 0.5, y1: row + 0.5, line: { color: "#d55e00", width: 3 },
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
    },
    noise(dataset) {
      const { means, variances, a, b, offset } = dataset.noise;
      const last = Math.max(offset, ...means);
      const line = [Math.min(offset, ...means), last];
      const plain = layout({ curves: [{ ratio: [1, 10], bpp: [1, 10] }] }, "Local variance (counts²)", []);
      plain.xaxis = { title: { text: "Local mean (counts)" }, gridcolor: "#e8ecf0", zeroline: false, linecolor: "#1c2530", ticks: "outside", exponentformat: "none" };
      // From zero: a scatter of a few percent looks like a few percent.
      plain.yaxis = { ...plain.yaxis, rangemode: "tozero" };
      return {
        traces: [
          { type: "scatter", mode: "markers", x: means, y: variances, name: "patches", marker: { color: "#0072b2", size: 5, opacity: 0.55 },
            hovertemplate: "mean %{x:.4g}, variance %{y:.4g}<extra></extra>" },
          { type: "scatter", mode: "lines", x: line, y: line.map((v) => a * (v - offset) + b), name: "fit", line: { color: "#1c2530", width: 1.6 }, hoverinfo: "skip" },
        ],
        layout: plain,
      };
    },
  };

  function draw(figure) {
    const built = BUILD[figure.kind](data.datasets[figure.dataset], figure.column);
    figure.names = built.traces.map((each) => each.name);
    Plotly.react(figure.node, built.traces, { ...built.layout, width: figure.width, height: figure.height, autosize: !figure.width }, {
      responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
      toImageButtonOptions: { format: "svg", filename: `cytopress-${figure.kind}` },
    });
  }
  const drawAll = () => figures.filter((figure) => figure.kind !== "noise").forEach(draw);

  const SHAPES = {
    circle: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", square: "M-3.6,-3.6h7.2v7.2h-7.2z", diamond: "M0,-5l4.6,5l-4.6,5l-4.6,-5z",
    "triangle-up": "M0,-4.6l4.6,8h-9.2z", "triangle-down": "M0,4.6l4.6,-8h-9.2z",
    x: "M-4.6,-2.6l2,-2l2.6,2.6l2.6,-2.6l2,2l-2.6,2.6l2.6,2.6l-2,2l-2.6,-2.6l-2.6,2.6l-2,-2l2.6,-2.6z",
    cross: "M-1.4,-4.8h2.8v3.4h3.4v2.8h-3.4v3.4h-2.8v-3.4h-3.4v-2.8h3.4z",
    star: "M0,-5.2l1.4,3.3l3.6,.3l-2.7,2.4l.8,3.5l-3.1,-1.9l-3.1,1.9l.8,-3.5l-2.7,-2.4l3.6,-.3z",
  };
  function swatch(style) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [name, value] of Object.entries({ class: "swatch", width: 38, height: 14, viewBox: "-19 -7 38 14", "aria-hidden": "true" })) svg.setAttribute(name, value);
    const line = document.createElementNS(space, "path");
    for (const [name, value] of Object.entries({ d: "M-19,0H19", stroke: style.color, "stroke-width": 2, "stroke-dasharray": style.dash.replace(/px/g, "") || "none" })) line.setAttribute(name, value);
    const marker = document.createElementNS(space, "path");
    const open = style.marker.endsWith("-open");
    const paint = open ? { fill: "#fff", stroke: style.color, "stroke-width": 1.4 } : { fill: style.color, stroke: "#fff", "stroke-width": 0.8 };
    for (const [name, value] of Object.entries({ d: SHAPES[style.marker.replace("-open", "")], ...paint })) marker.setAttribute(name, value);
    svg.append(line, marker);
    return svg;
  }

  // Pointing at a codec in the legend makes the others step back.
  function stress(label) {
    for (const figure of figures.filter((entry) => entry.kind !== "noise")) {
      figure.node.querySelectorAll(".scatterlayer .trace").forEach((group, i) => {
        group.style.opacity = label === null || figure.names[i] === label ? "" : 0.12;
      });
    }
  }

  const legends = [];
  function button(text, act, name) {
    const made = document.createElement("button");
    made.type = "button";
    if (name) made.className = name;
    made.append(text);
    made.addEventListener("click", act);
    return made;
  }
  function refresh() {
    for (const [label, made] of legends) made.setAttribute("aria-pressed", String(!hidden.has(label)));
    drawAll();
  }
  function fillLegend(node) {
    const curves = data.datasets[node.dataset.dataset].curves;
    for (const label of new Set(curves.map((curve) => curve.label))) {
      const made = button(label, () => {
        if (!hidden.delete(label)) hidden.add(label);
        refresh();
      });
      made.dataset.codec = label;
      made.title = "Click to switch off or on; double-click to see it alone";
      made.addEventListener("dblclick", () => {
        data.codecs.forEach((codec) => hidden.add(codec.label));
        hidden.delete(label);
        refresh();
      });
      made.addEventListener("pointerenter", () => { if (!hidden.has(label)) stress(label); });
      made.addEventListener("pointerleave", () => stress(null));
      made.prepend(swatch(styles.get(label)));
      made.setAttribute("aria-pressed", "true");
      legends.push([label, made]);
      node.append(made);
    }
    node.append(
      button("show all", () => { hidden.clear(); refresh(); }, "all"),
      button("hide all", () => { data.codecs.forEach((codec) => hidden.add(codec.label)); refresh(); }, "all"),
    );
  }

  for (const node of document.querySelectorAll(".plot")) {
    const { kind, dataset, column } = node.dataset;
    const figure = { node, kind, dataset, column };
    figures.push(figure);
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

  figures.forEach(draw);

  // Paper is narrower than most screens, and a drawn plot keeps its width.
  const paper = window.matchMedia("print");
  function fit(printing) {
    for (const figure of figures) {
      figure.width = printing ? 680 : undefined;
      figure.height = printing ? 310 : undefined;
      draw(figure);
    }
  }
  paper.addEventListener("change", (event) => fit(event.matches));
})();
