// The gallery: pick a dataset, field, codec and setting; six pictures side by side, zoomed together.
const root = document.getElementById("gallery-view");
if (!root) return;
const { entries, pictures } = JSON.parse(document.getElementById("gallery-data").textContent);
const KEYS = ["dataset", "field", "codec", "setting", "task"];
const selects = Object.fromEntries(KEYS.map((key) => [key, root.querySelector(`select[name="${key}"]`)]));
const zoom = root.querySelector('select[name="zoom"]');
const KINDS = ["original", "decoded", "error", "prediction", "predictionDecoded", "truth"];
const SECTIONS = ["XY", "YZ", "XZ"];
const text = (name) => root.querySelector(`[data-text="${name}"]`);
let shown = null;

// Every frame has a plane; for volumes it gets room for the other sections, and lines across each.
for (const frame of root.querySelectorAll(".frame")) {
  const plane = frame.firstElementChild;
  const sections = entries.some((entry) => entry.sections.length) ? SECTIONS : SECTIONS.slice(0, 1);
  for (const className of ["across", "down"]) {
    plane.querySelector(".sheet").append(Object.assign(document.createElement("i"), { className }));
  }
  for (const section of sections) {
    const node = section === "XY" ? plane : frame.appendChild(plane.cloneNode(true));
    node.dataset.section = section;
    node.hidden = section !== "XY";
    if (section !== "XY") {
      node.querySelector("img").alt += `, ${section}`;
      node.querySelector(".ruler").remove();
    }
  }
}
const views = [...root.querySelectorAll(".view")];
const sectionOf = (view) => view.parentElement.dataset.section;
const part = (section) => (section === "XY" ? shown : shown.sections.find((one) => one.section === section));

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

function put(kind, name = kind) {
  const figure = root.querySelector(`[data-picture="${kind}"]`);
  figure.hidden = !shown[name];
  if (figure.hidden) return;
  for (const node of figure.querySelectorAll(".section")) {
    const one = part(node.dataset.section);
    node.hidden = !one || !one[name];
    if (!node.hidden) node.querySelector("img").src = pictures[one[name]];
  }
}

function show(entry) {
  shown = entry;
  for (const kind of KINDS) put(kind);
  root.querySelector(".colorbar img").src = pictures.colors;
  text("low").textContent = `−${entry.limit}`;
  text("high").textContent = `+${entry.limit}`;
  text("beyond").textContent = entry.beyond === "0" ? "" : `${entry.beyond} % of pixels are beyond the scale.`;
  for (const name of ["imageRange", "predictionRange", "truthRange"]) {
    root.querySelectorAll(`[data-text="${name}"]`).forEach((node) => { node.textContent = entry[name] || ""; });
  }
  text("picked").textContent = `${entry.title}. ${entry.codec}, ${entry.setting}: this field became ${entry.smaller} smaller` +
    (entry.psnr === "exact" ? ", every pixel exact." : `, PSNR ${entry.psnr} dB.`);
  scale();
}

function scale() {
  const times = Number(zoom.value);
  const right = part("YZ");
  for (const frame of root.querySelectorAll(".frame")) {
    frame.style.gridTemplateColumns = right ? `minmax(0, ${shown.width}fr) minmax(0, ${right.width}fr)` : "minmax(0, 1fr)";
  }
  for (const view of views) {
    const one = part(sectionOf(view));
    if (!one) continue;
    const sheet = view.firstElementChild;
    view.style.aspectRatio = `${one.width} / ${one.height}`;
    sheet.style.aspectRatio = view.style.aspectRatio;
    sheet.style.width = `${100 * times}%`;
    for (const line of sheet.querySelectorAll("i")) {
      line.hidden = !one.cross;
      if (!one.cross) continue;
      if (line.className === "across") line.style.top = `${100 * one.cross[0]}%`;
      else line.style.left = `${100 * one.cross[1]}%`;
    }
    const ruler = view.parentElement.querySelector(".ruler");
    if (!ruler) continue;
    // Beyond the frame's width a bar would lie: halve it until it fits.
    let share = 1;
    while ((shown.bar * times) / (shown.width * share) > 0.8) share *= 2;
    ruler.style.width = `${(100 * shown.bar * times) / (shown.width * share)}%`;
    ruler.textContent = share === 1 ? shown.barLabel : shown.barLabel.replace(/^[\d.]+/, (length) => Number(length) / share);
  }
}

let moving = false;
for (const view of views) {
  view.addEventListener("scroll", () => {
    if (moving) return;
    moving = true;
    for (const other of views) {
      if (other !== view && sectionOf(other) === sectionOf(view)) other.scrollTo(view.scrollLeft, view.scrollTop);
    }
    requestAnimationFrame(() => { moving = false; });
  });
}
for (const decoded of root.querySelectorAll('[data-picture="decoded"] .view img')) {
  decoded.addEventListener("pointerdown", () => put("decoded", "original"));
  for (const event of ["pointerup", "pointerleave", "pointercancel"]) decoded.addEventListener(event, () => put("decoded"));
  decoded.addEventListener("dragstart", (event) => event.preventDefault());
}

for (const select of Object.values(selects)) select.addEventListener("change", pick);
zoom.addEventListener("change", scale);
pick();
