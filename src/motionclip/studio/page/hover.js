// Tells where over the scene the mouse rests, as shares of its width and height, and -1, -1 where it is elsewhere.
const RESTS = 120; // milliseconds
window.hoverListeners?.abort(); // of the last time that this ran
const { signal } = (window.hoverListeners = new AbortController());
let timer, told_last = "";
window.addEventListener("pointermove", (event) => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const over = event.target.tagName === "CANVAS" && !event.buttons;
    const box = over && event.target.getBoundingClientRect();
    const place = over ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [-1, -1];
    if (String(place) !== told_last) tell(...place);
    told_last = String(place);
  }, RESTS);
}, { capture: true, signal });
