// Legends: a codec that is switched off in one goes from every plot.

const SHAPES = {
  circle: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", square: "M-3.6,-3.6h7.2v7.2h-7.2z", diamond: "M0,-5l4.6,5l-4.6,5l-4.6,-5z",
  "triangle-up": "M0,-4.6l4.6,8h-9.2z", "triangle-down": "M0,4.6l4.6,-8h-9.2z",
  x: "M-4.6,-2.6l2,-2l2.6,2.6l2.6,-2.6l2,2l-2.6,2.6l2.6,2.6l-2,2l-2.6,-2.6l-2.6,2.6l-2,-2l2.6,-2.6z",
  cross: "M-1.4,-4.8h2.8v3.4h3.4v2.8h-3.4v3.4h-2.8v-3.4h-3.4v-2.8h3.4z",
  star: "M0,-5.2l1.4,3.3l3.6,.3l-2.7,2.4l.8,3.5l-3.1,-1.9l-3.1,1.9l.8,-3.5l-2.7,-2.4l3.6,-.3z",
};
function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
function swatch(style) {
  const made = svg("svg", {
    class: "swatch", width: 38, height: 14, viewBox: "-19 -7 38 14", "aria-hidden": "true",
    style: `--light: ${style.color}; --dark: ${style.dark}`,
  });
  const open = style.marker.endsWith("-open");
  made.append(
    svg("path", { class: "dash", d: "M-19,0H19", "stroke-dasharray": style.dash.replace(/px/g, "") || "none" }),
    svg("path", { class: open ? "open" : "full", d: SHAPES[style.marker.replace("-open", "")] }),
  );
  return made;
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
