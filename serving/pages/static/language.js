/* Changing the language keeps the place on the page: it is in the address after the #. */

const form = document.getElementById("language");
form?.addEventListener("submit", () => {
  form.action = `${location.pathname}${location.hash}`;
});
