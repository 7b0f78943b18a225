/* The example shop's own part: a cart, and telling Omnibasket of it. Everything else is omnibasket.js. */
(() => {
  "use strict";

  const CART = "shop.cart";
  const read = () => JSON.parse(sessionStorage.getItem(CART) || "[]");
  const write = (cart) => sessionStorage.setItem(CART, JSON.stringify(cart));
  const page = document.body.dataset;

  function put(item, quantity) {
    const cart = read();
    const line = cart.find((other) => other.item_id === item.item_id);
    if (line) line.quantity += quantity;
    else cart.push({ ...item, quantity });
    write(cart);
    window.omnibasket.add({ item_id: item.item_id, quantity });
  }

  function take(item_id) {
    const cart = read();
    const line = cart.find((other) => other.item_id === item_id);
    if (!line) return;
    write(cart.filter((other) => other !== line));
    window.omnibasket.remove({ item_id, quantity: line.quantity });
  }

  const say = (text) => {
    document.getElementById("said").textContent = text;
  };

  function count() {
    const pieces = read().reduce((sum, line) => sum + line.quantity, 0);
    document.getElementById("cart-count").textContent = pieces;
  }

  function money(amount_minor, currency) {
    const form = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
    return form.format(amount_minor / 10 ** form.resolvedOptions().maximumFractionDigits);
  }

  function total(cart) {
    const priced = cart.filter((line) => line.currency);
    if (!priced.length) return "";
    const sum = priced.reduce((all, line) => all + line.amount_minor * line.quantity, 0);
    return `Total ${money(sum, priced[0].currency)}`;
  }

  function drawCart() {
    const cart = read();
    const rows = document.getElementById("cart");
    rows.replaceChildren(...cart.map((line) => {
      const row = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/shop/items/${encodeURIComponent(line.item_id)}`;
      link.textContent = line.title;
      const button = document.createElement("button");
      button.textContent = "Remove";
      button.setAttribute("aria-label", `Remove ${line.title}`);
      button.addEventListener("click", () => {
        take(line.item_id);
        count();
        drawCart();
      });
      const pieces = document.createElement("span");
      pieces.textContent = `${line.quantity} ×`;
      row.append(pieces, link, button);
      return row;
    }));
    document.getElementById("total").textContent = total(cart);
    document.getElementById("pay").hidden = !cart.length;
    document.getElementById("empty").hidden = cart.length > 0;
    const place = document.querySelector("[data-omnibasket=web_cart]");
    place.dataset.cart = cart.map((line) => line.item_id).join(",");
    window.omnibasket.draw(place);
  }

  function start() {
    count();
    if (page.item) {
      const item = JSON.parse(page.item);
      if (item.currency) {
        document.getElementById("price").textContent = money(item.amount_minor, item.currency);
      }
      window.omnibasket.view(item.item_id);
      document.getElementById("add").addEventListener("click", () => {
        put(item, 1);
        count();
        say(`${item.title} is in your cart.`);
      });
    }
    if (document.getElementById("cart")) {
      drawCart();
      document.getElementById("pay").addEventListener("click", () => {
        const bought = read().map(({ item_id, quantity }) => ({ item_id, quantity }));
        window.omnibasket.purchase(`shop-${crypto.getRandomValues(new Uint32Array(2)).join("")}`, bought);
        write([]);
        count();
        drawCart();
        say("Thank you. Your order is on its way.");
      });
    }
  }

  if (window.omnibasket) start();
  else document.addEventListener("omnibasket:ready", start, { once: true });
})();
