/** My Account: the customer, and their latest orders. */
import { el } from "./dom.js";
import { attempt, get, orderRow, say, start } from "./shell.js";

const RECENT = 4;

await start("account", async (main, name) => {
  const list = el("ul", { class: "orders" });
  const section = el("section", { "aria-labelledby": "recent", "aria-busy": "true" }, el("h2", { id: "recent" }, say("recent")), list);
  main.append(el("h1", {}, name ? say("hello", { name }) : say("account")), section);
  await attempt(async () => {
    const { orders } = await get(`/orders?limit=${RECENT}`);
    section.removeAttribute("aria-busy");
    list.append(...orders.map((order) => orderRow(order, "h3")));
    section.append(
      orders.length ? el("p", {}, el("a", { class: "more", href: "orders.html" }, say("all_orders"))) : el("p", { class: "muted" }, say("no_orders")),
    );
  }, section);
});
