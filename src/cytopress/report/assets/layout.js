// Tables that are wider than the window say so, and an address inside the closed details opens them.
const hints = [...document.querySelectorAll(".scroll")].map((scroll) => {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = "This table goes on to the right: swipe or scroll it \u2192";
  scroll.before(hint);
  return [scroll, hint];
});
function tell() {
  for (const [scroll, hint] of hints) {
    const wider = scroll.scrollWidth > scroll.clientWidth + 1;
    scroll.classList.toggle("wider", wider);
    hint.classList.toggle("on", wider);
    if (wider) scroll.tabIndex = 0;
    else scroll.removeAttribute("tabindex");
  }
}
addEventListener("resize", tell);
document.addEventListener("toggle", tell, true);
tell();

function openAt(address) {
  if (address.length < 2) return;
  const target = document.getElementById(decodeURIComponent(address.slice(1)));
  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", () => openAt(location.hash));
openAt(location.hash);

// Held, a picture is the one that it is compared with.
for (const frame of document.querySelectorAll("[data-hold]")) {
  const image = frame.querySelector("img");
  const own = image.src;
  const swap = (held) => { image.src = held ? frame.dataset.hold : own; };
  frame.addEventListener("pointerdown", () => swap(true));
  for (const event of ["pointerup", "pointerleave", "pointercancel", "blur"]) frame.addEventListener(event, () => swap(false));
  frame.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); swap(true); } });
  frame.addEventListener("keyup", () => swap(false));
  image.addEventListener("dragstart", (event) => event.preventDefault());
}
