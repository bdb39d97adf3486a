/**
 * The refund, a line for each part. Without a `refund`, `told` is the eligibility's. `kit`: see more.js.
 * A provider's refund is on its way through banks; `offline` payments the shop transfers itself.
 */
export function lines(kit, refund, told) {
  const { say, money, beyond, lang } = kit;
  const of = refund ?? told;
  const lines = [];
  const add = (key, sum) => lines.push(say(key, { amount: sum && money(sum, of.currency, lang()) }));
  const legs = (refund?.payments ?? []).filter((leg) => leg.action === "refund");
  if (refund?.amount) {
    const offline = legs.filter((leg) => leg.provider === "offline");
    // The legs' sum, unless they are all.
    const sum = offline.length < legs.length ? offline.reduce((all, leg) => all + leg.amount, 0) : refund.amount;
    const byShop = refund.status === "succeeded" && offline.length ? sum : 0;
    if (refund.amount > byShop) add(`refund_${refund.status}`, refund.amount - byShop);
    if (byShop) add("refund_offline", byShop);
  } else if (refund && (refund.status === "failed" || refund.payments.some((leg) => leg.action === "void"))) add(`release_${refund.status}`);
  for (const key of ["credited_by_shop", "settled_by_hand"]) if (of?.[key]) add(key, of[key]);
  const { kept } = beyond(of);
  if (kept) add("kept", kept);
  return lines.join("\n") || say("no_refund");
}
