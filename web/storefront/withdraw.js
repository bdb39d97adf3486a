/** The public page of the withdrawal function: `#form` opens the form, `#order=…` that order's. */
import { el } from "./dom.js";
import { say, start } from "./shell.js";
import "./withdrawal.js";

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
    // On this page the link opens the form.
    document.querySelector("footer a").addEventListener("click", () => element.open());
    go();
  },
  { open: true },
);
