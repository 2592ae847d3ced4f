// The slider of the margin: it answers as `recommend` does, from the smallest margin of each setting.
const answers = JSON.parse(document.getElementById("answer-data").textContent);
// Settings whose bytes differ by a smaller share count as equal: then the faster codec is taken.
const TIE = 0.03;

const number = (value) => String(Number(value.toPrecision(3)));
const smaller = (ratio) => `${ratio < 9.95 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en-US")}x`;
const isInside = (setting, margin) => setting.bound !== null && setting.bound <= margin;

function choose(table, margin) {
  const least = table.lossless ? table.lossless.ratio : 1;
  const inside = table.codecs
    .flatMap((codec) => codec.settings.map((setting) => ({ ...setting, label: codec.label })))
    .filter((setting) => isInside(setting, margin) && setting.ratio > least)
    .sort((one, other) => other.ratio - one.ratio);
  if (!inside.length || inside[0].speed === null) return inside[0] || null;
  const tied = inside.filter((setting) => setting.ratio * (1 + TIE) >= inside[0].ratio);
  return tied.reduce((best, setting) => ((setting.speed || 0) > (best.speed || 0) ? setting : best));
}

// The line that the page begins with, for a setting at a margin: with digits enough to tell them apart.
function heroText(hero, chosen, margin) {
  if (!chosen) return hero.none;
  const { text, figures } = hero.settings[chosen.spec];
  if (!figures) return text;
  const given = Number(margin.toPrecision(4)) === margin;
  const at = figures.slice(0, -1).findIndex(([value], place) => value <= (given ? margin : Number(margin.toPrecision(place + 2))));
  return `${text}${figures.at(at)[1]}.`;
}

// What the page says at its own margin gives way to the line of another one.
function teller(block, { table, hero, margin: begin, begin: beginText }) {
  const line = block.querySelector(".hero");
  const moved = block.querySelector(".moved");
  const told = line.textContent;
  const { shown, chosen: recorded } = block.dataset;

  return (margin, written, chosen) => {
    const here = margin === begin;
    line.textContent = here ? told : heroText(hero, chosen, margin);
    block.querySelector(".recorded").hidden = !here;
    moved.hidden = here;
    const setting = chosen ? `${chosen.label}, ${chosen.setting}, at` : "At";
    const made = recorded === undefined ? "" : ` The page was made for ${beginText}, and so were its tables.`;
    moved.textContent = `${setting} a margin of ${written}, as chosen below.${made} The same in full: `;
    const command = `cytopress recommend DIR --task ${table.task} --metric ${table.metric} --margin ${margin}`;
    moved.append(Object.assign(document.createElement("code"), { textContent: command }));
    const other = !here && (!recorded || !chosen || chosen.spec !== shown);
    for (const part of block.querySelectorAll(".other")) part.hidden = !other;
    for (const part of block.querySelectorAll(".same")) part.hidden = other;
  };
}

function slider(node) {
  const answer = answers[Number(node.dataset.answer)];
  const { table, range: [low, high], largest, margin: begin, begin: beginText, share } = answer;
  const tell = teller(node.closest(".answer"), answer);
  const rows = [...document.querySelectorAll(`.bars[data-answer="${node.dataset.answer}"] .bar-row`)];
  // What the page says at its own margin holds more: how many more fields would do.
  const told = new Map(rows.map((row) => [row, row.querySelector(".bar-text").innerHTML]));
  const [slide, exact] = node.querySelectorAll("input");
  const output = node.querySelector("output");
  const steps = Number(slide.max);
  const refused = table.refused_from;
  const marginAt = (step) => Number((low * (high / low) ** (step / steps)).toPrecision(3));
  const stepAt = (margin) => Math.round((steps * Math.log(margin / low)) / Math.log(high / low));
  // Shares are written in percent, as everywhere on the page; the margin of the page as it stands there.
  const written = (margin) => (margin === begin ? beginText : share ? `${number(100 * margin)} %` : number(margin));
  const length = (ratio) => (100 * Math.log(Math.max(ratio, 1))) / Math.log(largest);

  function fill(row, codec, margin, chosen) {
    const furthest = codec.settings.filter((setting) => isInside(setting, margin)).at(-1);
    const words = row.querySelector(".bar-text");
    const verdict = codec.settings[0].low !== null && codec.settings[0].low > margin ? "outside the margin" : "not shown";
    row.classList.toggle("winner", Boolean(chosen) && chosen.label === codec.label);
    row.querySelector(".inside").style.width = `${furthest ? length(furthest.ratio) : 0}%`;
    if (margin === begin) {
      words.innerHTML = told.get(row);
      return;
    }
    words.textContent = furthest ? "inside the margin up to " : verdict;
    if (furthest) words.append(Object.assign(document.createElement("b"), { textContent: smaller(furthest.ratio) }));
  }

  function show(margin) {
    const chosen = choose(table, margin);
    for (const row of rows) fill(row, table.codecs.find((codec) => codec.label === row.dataset.codec), margin, chosen);
    const lossless = table.lossless ? `; ${table.lossless.spec} makes files ${smaller(table.lossless.ratio)} smaller and keeps every pixel` : "";
    output.textContent = chosen
      ? `Margin ${written(margin)}: ${smaller(chosen.ratio)} smaller with ${chosen.label}, ${chosen.setting}.`
      : `Margin ${written(margin)}: nothing smaller than lossless is shown inside${lossless}.`;
    output.dataset.spec = chosen ? chosen.spec : "";
    tell(margin, written(margin), chosen);
    slide.value = String(stepAt(margin));
    slide.setAttribute("aria-valuetext", written(margin));
  }

  slide.addEventListener("input", () => {
    const margin = Math.min(marginAt(Number(slide.value)), high);
    exact.value = share ? written(margin) : number(margin);
    show(margin);
  });
  exact.addEventListener("change", () => {
    const percent = exact.value.includes("%");
    const given = Number(exact.value.replace("%", "").replace(",", ".").trim());
    const margin = percent ? (given / 100) * table.percent_scale : given;
    if (margin > 0 && (refused === null || margin < refused)) {
      show(margin);
      return;
    }
    output.textContent = `A margin is a number above 0${refused === null ? "" : ` and below ${written(refused)}`}.`;
    output.dataset.spec = "";
  });
  const reset = () => {
    exact.value = share ? beginText : number(begin);
    show(begin);
  };
  node.querySelector("button").addEventListener("click", reset);
  node.hidden = false;
  reset();
}
document.querySelectorAll(".slider").forEach(slider);
