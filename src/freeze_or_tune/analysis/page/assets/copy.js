"use strict";
/* A button copies the command beside it, and selects it where the browser forbids that. */
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const command = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(command);
    await navigator.clipboard?.writeText(command.textContent).catch(() => {});
    button.textContent = "Copied";
  });
}
