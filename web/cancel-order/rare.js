/** Rarely needed: errors, incomplete languages, why there is no button, taking a request back. */

/** An unavailable order: reported to the console, to the page as an event, and to the customer in the shop's slot. */
export function fail(host, code, order_id) {
  console.warn(`<cancel-order>: the order can't be shown (${code}). See "Handle an unavailable order" in docs/storefront.md.`, host);
  tell(host, "cancelordererror", { code, order_id });
}

function tell(host, type, detail) {
  host.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
}

/** Marks untranslated texts as English, for speech and hyphenation. `english`: those lines. */
export function mark(root, english) {
  const look = () => {
    for (const one of root.querySelectorAll("*:not(:has(*))")) {
      const lines = one.textContent.split("\n").filter(Boolean);
      if (lines.length && lines.every((line) => english.has(line))) Object.assign(one, { lang: "en", dir: "ltr" });
      else if (one.lang) for (const name of ["lang", "dir"]) one.removeAttribute(name);
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(root, { subtree: true, childList: true, characterData: true });
  look();
  return observer;
}

/** Why an order has no button; loads what the order lacks. `kit`: see more.js. */
export async function blocked(order, { call, say }, why) {
  const shipped = order.items.filter((item) => item.qty_shipped > 0).map((item) => item.item_id);
  if (["complete", "closed", "holded", "hold"].includes(order.status)) return why("INVALID_ORDER_STATUS", {});
  if (shipped.length) return why("PARTIAL_ORDER_ITEM_SHIPPED", { item_ids: shipped });
  const { blockers = [] } = (await call("GET", "/cancellation-eligibility")).body;
  // The order's own blocker is more specific than "disabled".
  const blocker = blockers.find(({ code }) => code !== "ORDER_CANCELLATION_DISABLED") ?? blockers[0];
  return blocker ? (why(blocker.code, blocker) ?? say(blocker.code)) : "";
}

/** Takes the request back: `button` was pressed, `error` shows failures. `done` gets whether it succeeded. */
export async function takeBack(host, { call, patiently, learn, say }, button, error, done, why) {
  error.textContent = "";
  button.setAttribute("aria-disabled", "true");
  button.removeAttribute("aria-label");
  button.textContent = say("taking_back");
  const { ok, code, body } = await patiently(() => call("DELETE", "/cancellation-request"));
  const focused = host.shadowRoot.activeElement === button;
  button.removeAttribute("aria-disabled");
  done(ok);
  // A refusal comes with the order as it now is: decided, or never asked.
  learn(body.order ?? host.order);
  if (button.isConnected) {
    const known = ["OFFLINE", "SIGNED_OUT", "CONCURRENT_UPDATE"].includes(code) ? code : "back_INTERNAL_ERROR";
    error.textContent = why(`back_${code}`, body) ?? why(code, body) ?? say(known);
  } else if (focused) host.shadowRoot.querySelector('[part="status"]').focus();
  if (ok) tell(host, "cancellationwithdrawn", body);
  if (code === "SIGNED_OUT") tell(host, "sessionexpired", {});
}
