/** The link in a mail has an order's number and a code behind "#". They are removed from the address bar before anything else. */

function take() {
  const behind = new URLSearchParams(location.hash.slice(1));
  if (!behind.has("code")) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return { order_id: behind.get("order_id") ?? "", code: behind.get("code") };
}

/** {order_id, code} of the link that opened this page, or null. */
export const linked = take();

/** Calls `open` for a link that is followed while the page is open. */
export function whenLinked(open) {
  addEventListener("hashchange", () => {
    const link = take();
    if (link) open(link);
  });
}
