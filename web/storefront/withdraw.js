/** The withdrawal function on a page of its own, for anyone: `#form` begins with the form, `#order=…` with that order's. */
import { el } from "./dom.js";
import { say, start } from "./shell.js";

await start(
  "withdrawal",
  (main) => {
    const element = el("withdraw-contract");
    main.append(el("div", { class: "head" }, el("h1", {}, say("withdrawal")), el("p", { class: "muted" }, say("withdrawal_why"))), element);
    const go = () => {
      const order = new URLSearchParams(location.hash.slice(1)).get("order");
      if (order) element.setAttribute("order-id", order);
      else element.removeAttribute("order-id");
      if (location.hash) element.open();
    };
    addEventListener("hashchange", go);
    // Pressed again, the link leads to where one is.
    document.querySelector("footer a").addEventListener("click", () => element.open());
    go();
  },
  { open: true },
);
