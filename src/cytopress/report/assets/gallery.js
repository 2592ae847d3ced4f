// The gallery: pick a dataset, field, codec and setting; six pictures side by side, zoomed together.
(() => {
  "use strict";
  const root = document.getElementById("gallery-view");
  if (!root) return;
  const { entries, pictures } = JSON.parse(document.getElementById("gallery-data").textContent);
  const KEYS = ["dataset", "field", "codec", "setting", "task"];
  const selects = Object.fromEntries(KEYS.map((key) => [key, root.querySelector(`select[name="${key}"]`)]));
  const zoom = root.querySelector('select[name="zoom"]');
  const views = [...root.querySelectorAll(".view")];
  const text = (name) => root.querySelector(`[data-text="${name}"]`);
  let shown = null;

  const unique = (values) => [...new Set(values)];

  function fill(select, values, labels) {
    const before = select.value;
    select.replaceChildren(...values.map((value) => new Option(labels(value), value)));
    // At first the middle of the sizes, else what was picked before.
    if (values.includes(before)) select.value = before;
    else if (select === selects.setting) select.value = values[Math.floor(values.length / 2)];
    select.disabled = values.length < 2;
  }

  function pick() {
    let left = entries;
    for (const key of KEYS) {
      const labels = (value) => {
        if (key === "setting") {
          const entry = left.find((other) => other.setting === value);
          return `${entry.smaller} smaller (${value})`;
        }
        return value || "none";
      };
      fill(selects[key], unique(left.map((entry) => entry[key])), labels);
      left = left.filter((entry) => entry[key] === selects[key].value);
    }
    selects.task.closest("label").hidden = unique(entries.map((entry) => entry.task)).length < 2;
    show(left[0]);
  }

  function put(kind, name) {
    const figure = root.querySelector(`[data-picture="${kind}"]`);
    figure.hidden = !name;
    if (name) figure.querySelector(".view img").src = pictures[name];
  }

  function show(entry) {
    shown = entry;
    for (const kind of ["original", "decoded", "error", "prediction", "predictionDecoded", "truth"]) put(kind, entry[kind]);
    root.querySelector(".colorbar img").src = pictures.colors;
    text("low").textContent = `−${entry.limit}`;
    text("high").textContent = `+${entry.limit}`;
    text("beyond").textContent = entry.beyond === "0" ? "" : `${entry.beyond} % of pixels are beyond the scale.`;
    for (const name of ["span", "predictionSpan", "truthSpan"]) {
      root.querySelectorAll(`[data-text="${name}"]`).forEach((node) => { node.textContent = entry[name] || ""; });
    }
    text("picked").textContent = `${entry.codec}, ${entry.setting}: this field became ${entry.smaller} smaller` +
      (entry.psnr === "exact" ? ", every pixel exact." : `, PSNR ${entry.psnr} dB.`) +
      (entry.stack ? " The middle plane of the stack is shown." : "");
    scale();
  }

  function scale() {
    const times = Number(zoom.value);
    for (const view of views) {
      view.style.aspectRatio = `${shown.width} / ${shown.height}`;
      view.firstElementChild.style.width = `${100 * times}%`;
      const ruler = view.parentElement.querySelector(".ruler");
      // Beyond the frame's width a bar would lie: halve it until it fits.
      let part = 1;
      while ((shown.bar * times) / (shown.width * part) > 0.8) part *= 2;
      ruler.style.width = `${(100 * shown.bar * times) / (shown.width * part)}%`;
      ruler.textContent = part === 1 ? shown.barLabel : shown.barLabel.replace(/^[\d.]+/, (length) => Number(length) / part);
    }
  }

  let moving = false;
  for (const view of views) {
    view.addEventListener("scroll", () => {
      if (moving) return;
      moving = true;
      for (const other of views) {
        if (other !== view) other.scrollTo(view.scrollLeft, view.scrollTop);
      }
      requestAnimationFrame(() => { moving = false; });
    });
  }
  const decoded = root.querySelector('[data-picture="decoded"] .view img');
  const swap = (name) => { if (shown) decoded.src = pictures[shown[name]]; };
  decoded.addEventListener("pointerdown", () => swap("original"));
  for (const event of ["pointerup", "pointerleave", "pointercancel"]) decoded.addEventListener(event, () => swap("decoded"));
  decoded.addEventListener("dragstart", (event) => event.preventDefault());

  for (const select of Object.values(selects)) select.addEventListener("change", pick);
  zoom.addEventListener("change", scale);
  pick();
})();
