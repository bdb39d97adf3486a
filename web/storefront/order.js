/** One order of the customer's. */
import { el } from "./dom.js";
import { showOrder } from "./order-view.js";
import { get, say, start } from "./shell.js";

const id = new URLSearchParams(location.search).get("id") ?? "";

await start("order", async (main) => {
  const order = await get(`/orders/${encodeURIComponent(id)}`);
  main.append(el("p", { class: "back" }, el("a", { href: "orders.html" }, say("back"))), ...showOrder(order));
});
