/* What was scanned, as the service takes it. */

/** Letters and digits of an offer's code, however it is grouped or typed. */
const CODE = /^[0-9A-TV-Z]{4}([\s-]?[0-9A-TV-Z]{4}){3}$/i;

/** Whether a scanned text is an offer's code and no product's number. */
export const isCode = (text) => CODE.test(text.trim()) && !/^\d+$/.test(text.trim());

/** `4711*2,4712` → products and quantities. */
export const itemsOf = (text) => text.split(",").filter(Boolean).map((one) => {
  const [, id, quantity] = one.match(/^(.*?)(?:\*(\d+))?$/);
  return [id, Number(quantity || 1)];
});

/** The order of a redemption. Without scanned products none are sent: then only the code counts. */
export function orderOf(field, products) {
  const items = [...products].map(([itemId, { quantity }]) => ({ item_id: itemId, quantity }));
  return {
    transaction_id: field.receipt.value.trim(),
    channel: "pos",
    location_id: field.location.value,
    till_id: field.till.value.trim(),
    ...(items.length ? { items } : {}),
  };
}
