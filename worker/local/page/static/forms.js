// One box that ticks all: [data-ticks="name"] for the boxes of that name in the same form.
(() => {
  "use strict";
  const boxesOf = (all) => [...all.form.querySelectorAll(`input[type="checkbox"][name="${all.dataset.ticks}"]`)];
  for (const all of document.querySelectorAll("[data-ticks]")) {
    const look = () => {
      const boxes = boxesOf(all);
      const ticked = boxes.filter((box) => box.checked).length;
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    all.addEventListener("change", () => { for (const box of boxesOf(all)) box.checked = all.checked; });
    all.form.addEventListener("change", (event) => { if (event.target !== all) look(); });
    look();
  }
})();
