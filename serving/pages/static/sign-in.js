/* Signing in leads back to where one was: the place is in the address after the #. */

const form = document.querySelector("form");
form.addEventListener("submit", () => {
  form.action = `/dashboard/session${location.hash}`;
});
form.dataset.ready = "";

/* A link in a mail or on another site brings no cookie along (SameSite=Strict), so whoever is signed
   in would be asked for the key. Asked from here the cookie comes along: once more, then. */
const TRIED = "omnibasket.tried";
const tried = Date.now() - Number(sessionStorage.getItem(TRIED)) < 5_000;
if (!tried && !document.getElementById("trouble")) {
  sessionStorage.setItem(TRIED, String(Date.now()));
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if ((await answer.text()).includes('name="csrf-token"')) location.reload();
}
