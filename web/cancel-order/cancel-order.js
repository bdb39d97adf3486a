/** <cancel-order>: see docs/storefront.md. What the API answers is set as text, never as HTML. */

/** ISO 4217: currencies whose minor unit is not a hundredth. Intl rounds some by custom. */
const DIGITS = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

/** Of minor units: money(4080, "EUR", "en") is €40.80. */
export function money(amount, currency, lang) {
  const digits = [0, 3, 4].find((count) => DIGITS[count].split(" ").includes(currency)) ?? 2;
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  // As a string: nothing is ever divided.
  const decimal = (amount < 0 ? "-" : "") + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text);
  try {
    return new Intl.NumberFormat(lang, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(decimal);
  } catch {
    // Not one that Intl takes.
    return `${decimal} ${currency}`;
  }
}

/** Paid and not invoiced: `back`, a part of the amount, or `kept` by the shop. */
export function beyond(refund) {
  const sum = refund?.not_invoiced;
  if (!sum) return {};
  const rows = refund.items.reduce((all, item) => all + item.amount, refund.shipping + refund.fees);
  const all = refund.amount + (refund.credited_by_shop ?? 0) + (refund.settled_by_hand ?? 0);
  return all < Math.max(0, rows) + sum ? { kept: sum } : { back: sum };
}

/** Seconds before each repeat. */
const PAUSES = [1, 2, 4];
/** Refusals that pass: repeated, then offered again. */
const PASSING = ["NO_ANSWER", "SERVICE_UNAVAILABLE", "CONCURRENT_UPDATE"];
/** Refusals that leave open whether it was cancelled. */
const OPEN = ["NO_ANSWER", "OFFLINE", "SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "SIGNED_OUT"];

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  --text: var(--cancel-order-text, light-dark(#1f2421, #eceee9));
  --muted: var(--cancel-order-muted, light-dark(#5a625d, #a9b1ab));
  --surface: var(--cancel-order-surface, light-dark(#fff, #1d211f));
  --line: var(--cancel-order-line, light-dark(#d5d9d4, #3b423e));
  --field: var(--cancel-order-field, light-dark(#7b837e, #7f8883));
  --soft: var(--cancel-order-soft, light-dark(#f4f5f1, #262b28));
  --danger: var(--cancel-order-danger, light-dark(#a8321f, #ff9d8a));
  --on-danger: var(--cancel-order-on-danger, light-dark(#fff, #2b0a04));
  --accent: var(--cancel-order-accent, light-dark(#1f5f4a, #8fd3b6));
  --on-accent: var(--cancel-order-on-accent, light-dark(#fff, #0b2219));
  --radius: var(--cancel-order-radius, 10px);
  display: inline-block;
  max-inline-size: 100%;
}
* { box-sizing: border-box; }
button, textarea { font: inherit; color: inherit; }
button {
  min-block-size: 44px; padding: 8px 18px; border: 1px solid var(--field); border-radius: var(--radius);
  background: transparent; color: var(--text); cursor: pointer;
}
button:hover { background: var(--soft); }
button.act { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button[part="confirm"] { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
[data-view="done"] h2::before { content: "✓ " / ""; color: var(--accent); }
button[aria-disabled="true"] { opacity: .65; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[tabindex="-1"]:focus { outline: none; }
p, h2, h3, dl, dd, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
[part="status"], [part="progress"] { white-space: pre-line; }
[part="status"] { color: var(--muted); }
dialog {
  inline-size: min(34rem, 100vw - 24px); max-block-size: calc(100dvh - 24px); padding: 0; overflow: auto;
  border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.6); background: var(--surface); color: var(--text);
  overflow-wrap: anywhere; text-align: start; font-size: 1rem; line-height: 1.5;
}
dialog::backdrop { background: rgb(15 20 17 / .55); }
.view { display: grid; gap: 20px; padding: clamp(16px, 5vw, 28px); }
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 600; }
h3, legend, label.above { font-size: 1rem; font-weight: 600; padding: 0; }
.box { background: var(--soft); border-radius: var(--radius); padding: 14px 16px; display: grid; gap: 8px; }
.view .view, .box .box { padding: 0; }
.row { display: flex; justify-content: space-between; gap: 16px; }
.row dd { white-space: nowrap; font-variant-numeric: tabular-nums; }
.sum { border-block-start: 1px solid var(--line); padding-block-start: 8px; font-weight: 600; }
.muted { color: var(--muted); font-size: .925rem; }
.choice { display: flex; align-items: center; gap: 12px; min-block-size: 44px; cursor: pointer; }
.choice + .choice { border-block-start: 1px solid var(--line); }
input { inline-size: 20px; block-size: 20px; margin: 0; flex: none; accent-color: var(--accent); }
textarea {
  display: block; inline-size: 100%; min-block-size: 4rem; margin-block: 6px; padding: 10px 12px; resize: vertical;
  border: 1px solid var(--field); border-radius: var(--radius); background: transparent;
}
.error { color: var(--danger); font-weight: 600; margin-block-start: 6px; }
.error:empty, [role="status"]:empty { display: none; }
.actions { display: flex; flex-wrap: wrap; gap: 12px; justify-content: flex-end; }
@media (max-width: 30rem) { .actions { flex-direction: column-reverse; } }
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: rise .18s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(8px); } }
}
`);

/** Functions are listeners, strings become text. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Whether an order or an answer has something that only more.js can show. */
const rare = (body) =>
  body.cancellable_until ||
  body.cancellation_request ||
  body.approval_required ||
  body.blockers?.length ||
  body.available_actions?.includes("WITHDRAW_REQUEST") ||
  body.reasons?.some((reason) => reason.comment_required);

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export class CancelOrder extends HTMLElement {
  static observedAttributes = ["lang", "order-id"];

  /** A site adds its own. */
  static languages = { en: () => import("./lang/en.js"), sv: () => import("./lang/sv.js") };

  /** The only API that gets a token: no markup names another. "": the page's origin. */
  static api = "";
  static getToken = null;

  #order = null;
  #text = null;
  /** The module of the language. */
  #language = null;
  /** What more.js has made for this element, once it is needed. */
  #more = null;
  /** The cancel will be a request to the shop. */
  #asking = false;
  #note = "";
  #place = el("div", { part: "place" });
  #status = el("p", { part: "status", role: "status", tabindex: "-1" });
  #dialog = null;
  #title = null;
  #progress = null;
  #busy = false;
  /** The cancel whose outcome is not known: {body, key}. */
  #attempt = null;
  /** The refund as eligibility told it. */
  #told = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#place, this.#status);
  }

  get order() {
    return this.#order;
  }

  set order(order) {
    this.#order = order;
    this.#render();
  }

  connectedCallback() {
    if (Object.hasOwn(this, "order")) {
      // Set before this module was there.
      const { order } = this;
      delete this.order;
      this.order = order;
    }
    // Words first: meanwhile the site sets `getToken`.
    this.#speak().then(() => this.#order || this.refresh());
  }

  disconnectedCallback() {
    this.#more?.follow();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return;
    if (name === "lang") this.#speak();
    else if (this.#text) {
      this.#order = null;
      this.#note = "";
      this.refresh();
    }
  }

  async refresh() {
    if ((await this.#ask())?.code === "SIGNED_OUT") this.#tell("sessionexpired");
  }

  async #ask() {
    const id = this.#id;
    if (!id && !this.#guest) return null;
    const answer = await this.#patiently(() => this.#call("GET", ""));
    if (answer.ok && id === this.#id) this.#learn(answer.body);
    return answer;
  }

  get #id() {
    return this.#order?.order_id ?? this.getAttribute("order-id");
  }

  /** A guest’s token names the order. */
  get #guest() {
    return this.hasAttribute("guest");
  }

  get #lang() {
    const near = this.closest("[lang]")?.getAttribute("lang");
    try {
      return Intl.getCanonicalLocales(near || document.documentElement.lang)[0];
    } catch {
      return navigator.language;
    }
  }

  async #speak() {
    const wanted = this.#lang.toLowerCase().split("-")[0];
    const load = CancelOrder.languages[wanted] ?? CancelOrder.languages.en;
    this.#language = await load();
    this.#text = this.#language.default;
    if (this.#more) await this.#rest();
    this.#render();
  }

  /** Brings more.js with its words. False where it can't be had. */
  async #rest() {
    const language = this.#language;
    try {
      const { More, words } = await import("./more.js");
      const found = await words(language);
      if (language === this.#language) this.#text = { ...found, ...language.default };
      this.#more ??= new More(this, {
        el,
        say: (key, values) => this.#say(key, values),
        lang: () => this.#lang,
        call: (method, path) => this.#call(method, path),
        patiently: (request) => this.#patiently(request),
        learn: (order) => this.#learn(order),
      });
      return true;
    } catch {
      return false;
    }
  }

  #say(key, values = {}) {
    const text = this.#text;
    const words = (this.#asking && text[`asking_${key}`]) || (this.#guest && text[`guest_${key}`]) || text[key];
    return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** One request. `code` is the problem's, or a word of ours; never throws. */
  async #call(method, path, { key = null, body = null, ofOrder = true, fresh = false } = {}) {
    const said = (code, body = {}, wait = 0) => ({ ok: !code, code, body, wait });
    const headers = { "accept-language": this.#lang };
    if (ofOrder) {
      let token = null;
      try {
        token = await (this.getToken ?? CancelOrder.getToken)();
      } catch {
        // No token.
      }
      if (!token) return said("SIGNED_OUT");
      headers.authorization = `Bearer ${token}`;
    }
    if (key) Object.assign(headers, { "content-type": "application/json", "idempotency-key": key });
    const of = this.#guest ? "/guest/order" : `/orders/${encodeURIComponent(this.#id)}`;
    let answer;
    try {
      // Not by document.baseURI: that is markup, too.
      const url = new URL(CancelOrder.api.replace(/\/+$/, "") + (ofOrder ? of : "") + path, location.origin);
      const signal = AbortSignal.timeout(35000);
      answer = await fetch(url, { method, headers, body, signal, cache: fresh ? "reload" : "default" });
    } catch {
      return said(navigator.onLine ? "NO_ANSWER" : "OFFLINE");
    }
    // Null: cut off, or a proxy's page.
    const parsed = await answer.json().catch(() => null);
    const { status } = answer;
    if (answer.ok) {
      // A request to the shop is never shown as a cancel.
      const shown = parsed && (!rare(parsed) || (await this.#rest()) || !(parsed.approval_required || parsed.order));
      return said(shown ? "" : "NO_ANSWER", parsed ?? {});
    }
    const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
    const code =
      (status !== 401 && isProblem && parsed?.code) ||
      { 401: "SIGNED_OUT", 403: "FORBIDDEN", 404: "ORDER_NOT_FOUND" }[status] ||
      (status === 429 || status > 500 ? "SERVICE_UNAVAILABLE" : "INTERNAL_ERROR");
    if (!Object.hasOwn(this.#text, code)) await this.#rest();
    return said(code, parsed ?? {}, Number(answer.headers.get("retry-after")) || 0);
  }

  async #patiently(request) {
    for (const pause of PAUSES) {
      const answer = await request();
      if (!PASSING.includes(answer.code)) return answer;
      if (this.#progress) this.#progress.textContent = this.#say("still_trying");
      await sleep(Math.min(Math.max(pause, answer.wait), 10));
    }
    return request();
  }

  #learn(order) {
    const changed = JSON.stringify(order) !== JSON.stringify(this.#order);
    this.#order = order;
    if (order.cancellation) this.#attempt = null;
    if (changed) this.#tell("orderchanged", { order });
    this.#render();
  }

  #render() {
    if (!this.#text || !this.isConnected) return;
    const may = this.#order?.available_actions?.includes("CANCEL");
    const button = this.#place.firstChild;
    if (may) {
      const shown = button ?? el("button", { type: "button", part: "button", "aria-haspopup": "dialog", click: () => this.#open() });
      shown.textContent = this.#say("cancel_order");
      // Begins with the words on it, for speech input.
      shown.setAttribute("aria-label", this.#say("cancel_order_named", { order: this.#id }));
      if (!button) this.#place.append(shown);
    } else button?.remove();
    const cancellation = this.#order?.cancellation;
    const refund = cancellation?.refund;
    let words = cancellation ? `${this.#say("canceled")} ${refund ? this.#refund(refund) : ""}`.trim() : may ? "" : this.#note;
    if (this.#more) words = this.#more.show(words);
    else if (this.#order && (rare(this.#order) || refund?.status === "pending")) this.#rest().then((here) => here && this.#render());
    if (this.#status.textContent !== words) this.#status.textContent = words;
    if (this.#dialog?.open && this.#dialog.dataset.view === "done" && cancellation && this.#progress) {
      const now = this.#refund(refund);
      if (this.#progress.textContent !== now) this.#progress.textContent = now;
    }
  }

  #refund(refund) {
    // Where there is none, eligibility told what was paid.
    const of = refund ?? this.#told;
    const lines = [];
    const add = (key, sum) => lines.push(this.#say(key, { amount: sum && money(sum, of.currency, this.#lang) }));
    if (refund?.amount) add(`refund_${refund.status}`, refund.amount);
    else if (refund && (refund.status === "failed" || refund.payments.some((leg) => leg.action === "void"))) add(`release_${refund.status}`);
    for (const key of ["credited_by_shop", "settled_by_hand"]) if (of?.[key]) add(key, of[key]);
    const { kept } = beyond(of);
    if (kept) add("kept", kept);
    return lines.join("\n") || this.#say("no_refund");
  }

  #open() {
    if (this.#dialog?.open) return;
    this.#note = "";
    if (!this.#dialog) {
      this.#title = el("h2", { id: "title", part: "title", tabindex: "-1" });
      this.#dialog = el("dialog", { part: "dialog", "aria-labelledby": "title", close: () => this.#closed() });
      // It stays while a cancel is on its way.
      const stay = (event) => this.#busy && (event.key ?? "Escape") === "Escape" && event.preventDefault();
      for (const type of ["cancel", "keydown"]) this.#dialog.addEventListener(type, stay);
      this.shadowRoot.append(this.#dialog);
    }
    this.#load();
    this.#dialog.showModal();
    this.#title.focus();
  }

  #closed() {
    // The browser tells a moment later: it may be open again.
    if (this.#dialog.open) return;
    this.#progress = null;
    this.#asking = false;
    this.#dialog.replaceChildren();
    // The order tells what became of it.
    if (this.#attempt) this.#ask();
    // To the button it goes by itself.
    if (!this.#place.firstChild) this.#status.focus();
  }

  #close() {
    if (!this.#busy) this.#dialog.close();
  }

  #view(name, title, ...content) {
    this.#title.textContent = title;
    this.#dialog.dataset.view = name;
    this.#dialog.replaceChildren(el("div", { class: "view" }, this.#title, ...content));
    if (this.#dialog.open) {
      this.#dialog.scrollTop = 0;
      this.#title.focus();
    }
  }

  #button(part, key, click, kind = null) {
    return el("button", { type: "button", class: kind, part, click }, this.#say(key));
  }

  #load() {
    // What can't be shown leaves nobody waiting.
    this.#ready().catch(() => this.#refused({ code: "INTERNAL_ERROR", body: {} }, () => this.#load()));
  }

  async #ready() {
    const progress = (this.#progress = el("p", { role: "status", class: "muted" }, this.#say("one_moment")));
    const keep = this.#button("keep", "keep", () => this.#close());
    this.#view("loading", this.#say("ask", { order: this.#id }), progress, el("div", { class: "actions" }, keep));
    const get = (path) => this.#patiently(() => this.#call("GET", path));
    // An order of a list has no items.
    const [answer, whole] = await Promise.all([get("/cancellation-eligibility"), this.#order?.items ? null : get("")]);
    const failed = [answer, whole].find((one) => one && !one.ok);
    if (this.#progress !== progress) return;
    if (failed) {
      this.#refused(failed, () => this.#load());
      return;
    }
    if (whole) this.#learn(whole.body);
    const [blocker] = answer.body.blockers;
    this.#asking = answer.body.approval_required;
    const reasons = await (blocker ? this.#ask() : this.#reasons());
    if (this.#progress !== progress) return;
    if (blocker) this.#refused({ code: blocker.code, body: { ...blocker, order: this.#order } });
    else if (!reasons.ok) this.#refused(reasons, () => this.#load());
    else if (!reasons.body.enabled) this.#refused({ code: "ORDER_CANCELLATION_DISABLED", body: {} });
    else this.#form(answer.body, reasons.body.reasons);
  }

  #reasons(fresh = false) {
    const path = `/cancellation-reasons?language=${this.#lang}&store_id=${encodeURIComponent(this.#order.store_id ?? "")}`;
    return this.#patiently(() => this.#call("GET", path, { ofOrder: false, fresh }));
  }

  #form(eligibility, reasons) {
    const { refund } = eligibility;
    this.#told = refund;
    const group = el("fieldset", {
      part: "reasons", role: "radiogroup", "aria-required": "true", "aria-labelledby": "why", "aria-describedby": "why-error",
    }); // prettier-ignore
    const error = el("p", { id: "why-error", class: "error", role: "alert", part: "error" });
    const offer = (offered) =>
      group.replaceChildren(
        el("legend", { id: "why" }, this.#say("why")),
        error,
        ...offered.map(({ code, description, comment_required }) =>
          el(
            "label",
            { class: "choice", part: "reason" },
            el("input", { type: "radio", name: "reason", value: code, "data-comment": comment_required }),
            description,
          ),
        ),
      );
    offer(reasons);
    group.addEventListener("change", () => {
      error.textContent = "";
      group.removeAttribute("aria-invalid");
    });
    const comment = el("textarea", { id: "comment", part: "comment", maxlength: "500", "aria-describedby": "comment-hint" });
    const confirm = el("button", { type: "submit", class: "act", part: "confirm" }, this.#say("confirm"));
    const keep = this.#button("keep", "keep", () => this.#close());
    const progress = el("p", { role: "status", class: "muted" });
    const submit = async (event) => {
      event.preventDefault();
      if (this.#busy) return;
      const reason = group.querySelector("input:checked")?.value;
      if (!reason) {
        error.textContent = this.#say("choose");
        group.setAttribute("aria-invalid", "true");
        group.querySelector("input").focus();
        return;
      }
      this.#busy = true;
      progress.textContent = this.#say("one_moment");
      for (const button of [confirm, keep]) button.setAttribute("aria-disabled", "true");
      confirm.textContent = this.#say("canceling");
      const answer = await this.#send({ reason, ...(comment.value.trim() && { comment: comment.value.trim() }) });
      if (answer.code === "INVALID_CANCELLATION_REASON") {
        const offered = await this.#reasons(true);
        if (offered.ok && offered.body.reasons.length) offer(offered.body.reasons);
      }
      this.#busy = false;
      progress.textContent = "";
      for (const button of [confirm, keep]) button.removeAttribute("aria-disabled");
      confirm.textContent = this.#say("confirm");
      if (answer.ok) this.#done(answer.body);
      // A new try finds the form as it was.
      else if (!this.#more?.complain(form, answer.code)) this.#refused(answer, () => (show(), form.requestSubmit()));
    };
    const form = el(
      "form",
      { class: "view", novalidate: "", submit },
      this.#owed(refund),
      group,
      el(
        "div",
        {},
        el("label", { for: "comment", class: "above" }, this.#say("comment")),
        comment,
        el("p", { id: "comment-hint", class: "muted" }, this.#say("comment_hint")),
      ),
      progress,
      el("div", { class: "actions" }, keep, confirm),
    );
    this.#more?.terms(form, eligibility);
    const show = () => {
      this.#view("form", this.#say("ask", { order: this.#id }), form);
      this.#progress = progress;
    };
    show();
  }

  #owed(refund) {
    const { back, kept } = beyond(refund);
    const held = kept ? this.#say("kept", { amount: money(kept, refund.currency, this.#lang) }) : null;
    if (!refund?.amount) {
      return el("p", { class: "box", part: "refund" }, held ?? this.#say(refund ? "release_owed" : "nothing_owed"));
    }
    const names = new Map((this.#order.items ?? []).map((item) => [item.item_id, item.name]));
    const row = (what, amount, kind = "row") =>
      el("div", { class: kind }, el("dt", {}, what), el("dd", {}, money(amount, refund.currency, this.#lang)));
    return el(
      "section",
      { class: "box", part: "refund", "aria-labelledby": "back" },
      el("h3", { id: "back" }, this.#say("back")),
      el(
        "dl",
        { class: "box" },
        ...refund.items.map((item) => row(`${item.qty.toLocaleString(this.#lang)} × ${names.get(item.item_id) ?? item.sku}`, item.amount)),
        refund.shipping ? row(this.#say("shipping"), refund.shipping) : null,
        refund.fees ? row(this.#say("fees"), refund.fees) : null,
        back ? row(this.#say("not_invoiced"), back) : null,
        row(this.#say("total"), refund.amount, "row sum"),
      ),
      held && el("p", {}, held),
      el("p", { class: "muted" }, this.#say("how")),
    );
  }

  /** The same wish keeps its key, so the order is cancelled once. */
  async #send(wish) {
    const body = JSON.stringify(wish);
    if (this.#attempt?.body !== body) this.#attempt = { body, key: crypto.randomUUID() };
    const { key } = this.#attempt;
    const answer = await this.#patiently(() => this.#call("POST", "/cancellation", { key, body }));
    if (!OPEN.includes(answer.code)) this.#attempt = null;
    return answer;
  }

  #done({ order, cancellation = order.cancellation, cancellation_request }) {
    this.#asking = !cancellation;
    const now = cancellation ? this.#refund(cancellation.refund) : this.#more.became(cancellation_request);
    this.#progress = el("p", { part: "progress", role: "status" }, now);
    this.#view(
      "done",
      this.#say("done", { order: order.order_id }),
      this.#progress,
      el("div", { class: "actions" }, this.#button("close", "close", () => this.#close())),
    );
    this.#learn(order);
    this.#tell(cancellation ? "ordercancelled" : "cancellationrequested", { order, cancellation, cancellation_request });
  }

  #refused({ code, body, wait }, again = null) {
    this.#progress = null;
    if (body.order) this.#learn(body.order);
    const words =
      this.#more?.why(code, body, wait) ?? this.#say(Object.hasOwn(this.#text, code) ? code : body.order ? "ORDER_TOO_LARGE" : "INTERNAL_ERROR");
    const signIn = code === "SIGNED_OUT";
    const open = again && (PASSING.includes(code) || OPEN.includes(code)) && !signIn;
    if (!open && !signIn) {
      this.#note = words;
      if (code === "ORDER_NOT_FOUND") this.#order = { order_id: this.#id, available_actions: [] };
      // The order of a refusal is the newest there is.
      else if (!body.order) this.#ask();
    }
    const leave = this.#button("close", "close", () => this.#close());
    const act = open
      ? this.#button("again", "try_again", again, "act")
      : signIn
        ? this.#button("sign-in", "sign_in", () => (this.#close(), this.#tell("sessionexpired")), "act")
        : null;
    this.#view(
      "refused",
      this.#say(open || signIn ? "not_yet" : "refused"),
      el("p", { part: "message", role: "alert", "data-code": code }, words),
      body.request_id && code === "INTERNAL_ERROR"
        ? el("p", { class: "muted" }, this.#say("reference", { id: body.request_id }))
        : null,
      el("div", { class: "actions" }, leave, act),
    );
    this.#render();
  }
}

customElements.define("cancel-order", CancelOrder);
