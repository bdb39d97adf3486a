/** The view of an order: its items, amounts, history and cancellation. */
import { beyond } from "./cancel-order/cancel-order.js";
import { el } from "./dom.js";
import { badge, cancelOrder, day, entitle, peek, price, quantity, say, when, word } from "./shell.js";

/** The product's own entries in an order's history, and their texts; the shop's entries are shown unchanged. */
const WRITTEN = [
  [/^Cancelled by the customer: ([^]*)$/, "canceled"],
  [/^Cancellation requested: ([^]*)$/, "asked"],
  [/^Cancellation request taken back by the customer$/, "withdrawn"],
  [/^Cancellation request declined by the shop$/, "declined"],
  [/^Cancellation request declined by the shop: ([^]*)$/, "declined_note"],
  [/^Cancellation request can't be carried out any more/, "lapsed"],
  [/^Refund completed\.$/, "refunded"],
  [/^The refund could not be completed; the shop has been told\.$/, "failed"],
  [/^Statement of withdrawal received$/, "withdrawal"],
  [/^The order system wrote over the cancellation; it has been put back\.$/, "restored"],
  [/^The order system wrote over the cancellation request; it has been put back\.$/, "request_restored"],
];

/** Seconds after a withdrawal at which the order is loaded again. */
const LOOKS = [2, 6, 20];

/** The parts of its page, kept up to date; `guest`: whether the viewer is a guest. */
export function showOrder(order, { guest = false } = {}) {
  const name = say("order_number", { order: order.order_id });
  const under = el("p", { class: "under" });
  const rest = el("div", { class: "columns" });
  const withdrawal = withdrawalOf(order);
  const show = (now) => {
    withdrawal.show(now);
    under.replaceChildren(badge(now.status), el("span", { class: "muted" }, say("placed"), " ", when(now.placed_at)));
    rest.replaceChildren(
      el("div", { class: "wide" }, now.cancellation ? cancellation(now) : now.cancellation_request ? request(now.cancellation_request) : "", items(now)),
      now.history.length ? history(now) : "",
    );
  };
  entitle(name);
  show(order);
  const cancel = cancelOrder(order, show, { guest });
  const look = async () => {
    const now = await peek(`/orders/${encodeURIComponent(order.order_id)}`);
    if (!now) return;
    cancel.order = now;
    show(now);
  };
  withdrawal.place.addEventListener("withdrawalreceived", () => LOOKS.forEach((seconds) => setTimeout(look, seconds * 1000)));
  return [el("div", { class: "head" }, el("h1", { tabindex: "-1" }, name), under), cancel, withdrawal.place, rest];
}

/** The withdrawal function if the order offers it, and the statements received. Once open it stays open. */
function withdrawalOf({ order_id }) {
  const element = el("withdraw-contract", { "order-id": order_id });
  const until = el("p", { class: "muted" });
  const received = el("p", { class: "muted" });
  const place = el("div", { class: "withdrawal" }, element, until, received);
  return {
    place,
    show({ available_actions, withdrawal }) {
      const offered = available_actions.includes("WITHDRAW");
      // If it cannot be loaded, the footer of each page leads to it.
      if (offered) import("./withdrawal.js").catch(() => {});
      element.hidden = !offered && (element.step ?? "button") === "button";
      const date = offered && withdrawal?.until;
      until.textContent = date ? say("withdraw_until", { date: day(date) }) : "";
      received.textContent = withdrawal?.withdrawal_id ? say("withdrawn", { id: withdrawal.withdrawal_id }) : "";
      place.hidden = element.hidden && !received.textContent;
    },
  };
}

function card(key, ...content) {
  return el("section", { class: "card", "aria-labelledby": key }, el("h2", { id: key }, say(key)), ...content);
}

/** Rows of a name and a value; null rows are left out. */
function pairs(...rows) {
  return el(
    "dl",
    { class: "pairs" },
    ...rows.filter(Boolean).map(([name, value, kind = ""]) => el("div", { class: kind }, el("dt", {}, name), el("dd", {}, value))),
  );
}

function items(order) {
  const { currency, shipping, fees } = order;
  const refund = order.cancellation?.refund;
  // Rows have the refunded part of the invoiced amount. What was paid beyond that may be refunded as well.
  const more = refund?.status === "succeeded" ? (beyond(refund).back ?? 0) : 0;
  const refunded = [...order.items, ...fees, ...(shipping ? [shipping] : [])].reduce((sum, row) => sum + row.amount_refunded, more);
  return card(
    "items",
    el("ul", { class: "items" }, ...order.items.map((item) => itemRow(item, currency))),
    pairs(
      (shipping || fees.length > 0) && [say("subtotal"), price(order.items.reduce((sum, item) => sum + item.amount, 0), currency)],
      shipping && [say("shipping"), price(shipping.amount, currency)],
      ...fees.map((fee) => [fee.name, price(fee.amount, currency)]),
      [say("total"), price(order.total, currency), "sum"],
      refunded > 0 && [say("refunded"), price(refunded, currency), "refunded"],
    ),
  );
}

function itemRow(item, currency) {
  const notes = ["shipped", "canceled", "refunded"]
    .filter((what) => item[`qty_${what}`] > 0)
    .map((what) => say(`qty_${what}`, { number: quantity(item[`qty_${what}`]), of: quantity(item.qty_ordered) }));
  return el(
    "li",
    {},
    el(
      "div",
      {},
      el("strong", {}, item.name),
      el("p", { class: "muted" }, `${say("quantity", { number: quantity(item.qty_ordered) })} · ${item.sku}`),
      notes.length ? el("p", { class: "note" }, notes.join(" · ")) : null,
    ),
    el("span", { class: "price" }, price(item.amount, currency)),
  );
}

function cancellation(order) {
  const { reason, comment, requested_at, refund } = order.cancellation;
  const asked = order.cancellation_request;
  const sums = { credited_by_shop: refund?.credited_by_shop, settled_by_hand: refund?.settled_by_hand, kept: beyond(refund).kept };
  return card(
    "cancellation",
    pairs(
      [say("canceled_at"), when(requested_at, { dateStyle: "long", timeStyle: "short" })],
      [say("reason"), reason.description],
      comment && [say("comment"), comment],
      asked?.status === "approved" && asked.note && [say("request_note"), asked.note, "said"],
      refund && refund.amount > 0 && [say("refund"), el("span", {}, `${price(refund.amount, refund.currency)} · ${state(refund)}`)],
      ...Object.keys(sums).map((key) => sums[key] > 0 && [say(key), price(sums[key], refund.currency)]),
      ...(refund?.payments.length > 1 || (refund && !refund.amount)
        ? refund.payments.map((leg) => [
            word("provider", leg.provider),
            `${price(leg.amount, refund.currency)} · ${state({ status: leg.status, payments: [leg] })}`,
          ])
        : []),
    ),
  );
}

/** The refunds of payments. A provider's refund is on its way; `offline` ones the shop transfers itself. */
function state({ status, payments }) {
  const way = wayOf(payments);
  return say(status === "succeeded" || way === "void" ? `leg_${way}_${status}` : `leg_refund_${status}`);
}

/** `void` if only authorizations were released, `offline` if the shop transfers everything, else `refund`. */
function wayOf(payments) {
  const refunds = payments.filter((leg) => leg.action === "refund");
  if (!refunds.length) return payments.length ? "void" : "refund";
  return refunds.every((leg) => leg.provider === "offline") ? "offline" : "refund";
}

/** The customer's request to the shop, unless it has led to a cancellation. */
function request({ status, reason, comment, requested_at, decided_at, note }) {
  const style = { dateStyle: "long", timeStyle: "short" };
  return card(
    "request",
    pairs(
      [say("requested_at"), when(requested_at, style)],
      [say("reason"), reason.description],
      comment && [say("comment"), comment],
      [say("request_state"), word("request", status)],
      decided_at && [say("decided_at"), when(decided_at, style)],
      note && [say("request_note"), note, "said"],
    ),
  );
}

/** An entry of the history, in the page's language. */
function told(order, comment) {
  for (const [pattern, key] of WRITTEN) {
    const found = pattern.exec(comment ?? "");
    const way = key === "refunded" ? `refunded_${wayOf(order.cancellation?.refund?.payments ?? [])}` : key;
    if (found) return say(`history_${way}`, { words: found[1] });
  }
  return comment;
}

function history(order) {
  return card(
    "history",
    el(
      "ol",
      { class: "history" },
      ...order.history.map((entry) =>
        el("li", {}, el("p", {}, told(order, entry.comment)), el("p", { class: "muted" }, when(entry.at, { dateStyle: "medium", timeStyle: "short" }))),
      ),
    ),
  );
}
