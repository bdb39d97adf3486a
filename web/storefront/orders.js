/** My Orders: all of them, newest first, a page at a time. */
import { el } from "./dom.js";
import { attempt, get, orderRow, say, start } from "./shell.js";

const PAGE = 10;

await start("orders", async (main) => {
  const list = el("ul", { class: "orders" });
  const shown = el("p", { class: "muted", role: "status" });
  const more = el("button", { type: "button", hidden: true, click: () => attempt(next) }, say("more"));
  let cursor = null;
  const next = async () => {
    more.hidden = true;
    const rows = [];
    // A page may be short, or even empty, and not be the last.
    do {
      const page = await get(`/orders?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      cursor = page.next_cursor;
      rows.push(...page.orders.map((order) => orderRow(order, "h2")));
    } while (cursor && !rows.length);
    const first = !list.children.length;
    list.append(...rows);
    more.hidden = !cursor;
    const number = list.children.length;
    shown.textContent = number ? say(cursor ? "orders_so_far" : "orders_all", { number }) : say("no_orders");
    // The button has moved down: move the focus to the first order that was added.
    if (!first) rows[0]?.querySelector("a").focus();
  };
  main.append(el("h1", {}, say("orders")), list, shown, more);
  await attempt(next);
});
