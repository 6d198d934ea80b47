
// Search and copy. Without it the page says the same.
(() => {
  const articles = [...document.querySelectorAll("article")];
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.getAttribute("href").slice(1), a.parentElement]));
  const texts = new Map(articles.map((each) => [each, each.textContent.toLowerCase()]));
  const box = document.getElementById("the-search");
  const found = document.getElementById("how-many");
  const none = document.getElementById("none-found");

  const search = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of articles) {
      const fits = words.every((word) => texts.get(each).includes(word));
      each.hidden = !fits;
      links.get(each.id).hidden = !fits;
      count += fits ? 1 : 0;
    }
    found.textContent = words.length ? `${count} of ${articles.length}` : "";
    none.hidden = count > 0 || !articles.length;
  };
  const all = () => { box.value = ""; search(); };
  box.addEventListener("input", search);
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") all(); });
  none.querySelector("button").addEventListener("click", () => { all(); box.focus(); });
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.hidden) { all(); target.scrollIntoView(); }
  });
  box.closest("p").hidden = false;

  for (const block of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    const text = block.querySelector("pre");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${text.getAttribute("aria-label")}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }
})();
