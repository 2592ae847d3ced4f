// What every plot shares: its data, the theme's colors, numbers as text, and which codecs are off.
const data = JSON.parse(document.getElementById("plot-data").textContent);
const styles = new Map(data.codecs.map((codec) => [codec.label, codec]));
const hidden = new Set();
let rate = "ratio";
const figures = [];

// Paper is white, whatever the screen is.
const dark = () => window.matchMedia("(prefers-color-scheme: dark)").matches && !window.matchMedia("print").matches;
const paint = (style) => (dark() ? style.dark : style.color);
let theme = {};
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  theme = Object.fromEntries(["ink", "soft", "page", "grid", "band", "mark", "frame"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
readTheme();
const font = () => ({ family: getComputedStyle(document.body).fontFamily, size: 13, color: theme.ink });

const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const short = (value, digits = 4) =>
  value === null || value === undefined
    ? "–"
    : Number(value).toPrecision(digits).replace(/^-/, "−");
const signed = (value) => (value > 0 ? "+" : "") + short(value, 3);
const range = (ends, write) => (ends ? ` (${write(ends[0])} to ${write(ends[1])})` : " (no interval)");
