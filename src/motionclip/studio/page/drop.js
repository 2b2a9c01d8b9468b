// viser knows no dropped files: one that is dropped anywhere goes to the button of the tab File, whose change viser hears.
window.ondragover = (event) => event.preventDefault();
window.ondrop = (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  const held = new DataTransfer(); // the event's own is emptied when it has been told
  held.items.add(event.dataTransfer.files[0]);
  [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent === "File").click();
  const hand = () => {
    const input = document.querySelector("input[type=file][accept*='.takes']");
    if (!input) return setTimeout(hand, 50);
    input.files = held.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  hand();
};
