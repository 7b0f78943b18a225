/* Signing in leads back to where one was: the place is in the address after the #. */
const form = document.querySelector("form");
form.addEventListener("submit", () => {
  form.action = `/dashboard/session${location.hash}`;
});
