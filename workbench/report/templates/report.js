"use strict";
(() => {
  const players = [];
  for (const audio of document.querySelectorAll("audio")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "play";
    const show = () => {
      const playing = !audio.paused && !audio.ended;
      button.classList.toggle("playing", playing);
      button.setAttribute("aria-label", (playing ? "Pause " : "Play ") + audio.dataset.name);
    };
    const progress = () => {
      const played = audio.duration > 0 ? audio.currentTime / audio.duration : 0;
      button.style.setProperty("--played", (100 * played).toFixed(1) + "%");
    };
    button.addEventListener("click", () => {
      if (!audio.paused) { audio.pause(); return; }
      for (const other of players) if (other !== audio) other.pause();
      audio.play().catch(() => {
        button.disabled = true;
        button.title = "This browser cannot play the clip";
      });
    });
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, show);
    for (const event of ["timeupdate", "ended"]) audio.addEventListener(event, progress);
    audio.removeAttribute("controls");
    audio.before(button);
    players.push(audio);
    show();
  }

  const links = new Map();
  for (const link of document.querySelectorAll(".contents a")) links.set(link.hash.slice(1), link);
  const inSight = new Set();
  let current = null;
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target.id); else inSight.delete(target.id);
    }
    const first = [...links.keys()].find((id) => inSight.has(id));
    if (!first || first === current) return;
    if (current) links.get(current).removeAttribute("aria-current");
    current = first;
    const link = links.get(first);
    link.setAttribute("aria-current", "true");
    const strip = link.closest("ol");
    strip.scrollTo({ left: link.offsetLeft - strip.clientWidth / 3 });
  }, { rootMargin: "-15% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > section")) observer.observe(section);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open]):not(.per-slice)")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
})();
