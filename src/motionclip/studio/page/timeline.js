// Moves the playhead by the ruler, and drags blocks and their edges; tells (block, start, end), the playhead being -1.
// The studio draws the timeline anew while time runs, so what is dragged is a copy that lies over it.
const EDGE = 8, STILL = 4; // pixels: of a block that are its edge, and that a mouse moves in a click
window.timelineListeners?.abort(); // of the last time that this ran
const { signal } = (window.timelineListeners = new AbortController());
const on = (kind, heard) => window.addEventListener(kind, heard, { capture: true, signal });
let held = null;

const seconds = (pixels) => (held.seconds * pixels) / held.width;
const scrub = (x) => tell(-1, Math.min(Math.max(seconds(x - held.left), 0), held.seconds), 0);

const copyOf = (block, box) => {
  const copy = block.cloneNode(true);
  copy.style.cssText += `position:fixed;right:auto;bottom:auto;top:${box.top}px;height:${box.height}px;z-index:1000;
    opacity:0.85;outline:2px solid #fff;box-shadow:0 2px 8px #0006;pointer-events:none`;
  return document.body.appendChild(copy);
};

const grip = (block, box, x) => {
  if (x - box.left < EDGE) return { start: 1, end: 0 };
  return box.right - x < EDGE ? { start: 0, end: 1 } : { start: 1, end: 1 };
};

// where the edges of the block are, pixels
const edges = (x) => {
  const gone = Math.abs(x - held.x) < STILL ? 0 : x - held.x;
  const [left, right] = [held.box.left + held.grip.start * gone, held.box.right + held.grip.end * gone];
  return held.grip.start ? [Math.min(left, right - 2 * EDGE), right] : [left, Math.max(right, left + 2 * EDGE)];
};

const show = (x) => {
  const [left, right] = edges(x);
  held.copy.style.left = `${left}px`;
  held.copy.style.width = `${right - left}px`;
  held.copy.textContent = `${seconds(left - held.left).toFixed(2)} to ${seconds(right - held.left).toFixed(2)} s`;
};

const drop = () => {
  held?.copy?.remove();
  held = null;
};

on("pointerdown", (event) => {
  const track = event.target.closest?.("[data-seconds]");
  const area = track?.getBoundingClientRect();
  if (!track || event.button || event.clientX < area.left - EDGE) return;
  event.preventDefault();
  document.activeElement?.blur(); // keys are the page's again
  held = { left: area.left, width: area.width, seconds: Number(track.dataset.seconds), x: event.clientX };
  const block = event.target.closest("[data-part]");
  if (!block) return scrub(event.clientX);
  const box = block.getBoundingClientRect();
  Object.assign(held, { part: Number(block.dataset.part), box, grip: grip(block, box, event.clientX) });
});

on("pointermove", (event) => {
  if (!held) return;
  if (held.part === undefined) return scrub(event.clientX);
  if (!held.copy && Math.abs(event.clientX - held.x) < STILL) return;
  if (!held.copy) {
    held.copy = copyOf(document.querySelector(`[data-part="${held.part}"]`), held.box);
  }
  show(event.clientX);
});

on("pointerup", (event) => {
  if (held?.copy) {
    const [left, right] = edges(event.clientX);
    tell(held.part, seconds(left - held.left), seconds(right - held.left));
  } else if (held) {
    scrub(event.clientX);
  }
  drop();
});

on("pointercancel", drop);
on("keydown", (event) => event.key === "Escape" && drop());
