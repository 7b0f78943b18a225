/* What the parts of a customer are called. */

import { t } from "./messages.js";

/** Types of identifiers that most workspaces have; others keep their own name. */
export const KIND_NAMES = {
  loyalty_card: t("Loyalty card"), email: t("E-mail"), phone: t("Phone"), customer_number: t("Customer number"),
  payment_token: t("Payment token"), device: t("Device"), account: t("Account"),
};

export const PURPOSES = {
  marketing: t("Messages"), personalisation: t("Personal recommendations"), profiling: t("Learning from the history"),
};

export const OFFER_STATES = {
  standing: t("valid"), redeemed: t("redeemed"), expired: t("expired"), withdrawn: t("withdrawn"),
};

export const MESSAGE_STATES = {
  reserved: t("planned"), sent: t("sent"), failed: t("failed"), displaced: t("gave way to another"),
};

export const EVIDENCE = {
  same_order: t("in one order"), registration: t("in one registration"), login: t("in one visit"),
};

export const LOOK_KINDS = { view: t("looked at"), cart: t("put into the cart") };
