// <cancel-order>: docs/storefront.md, cancel-order.d.ts. Small: what is rare is in more.js. The API's answers are set as text, never as HTML.

// ISO 4217; Intl rounds some of them.
const DIGITS = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
  3: "BHD IQD JOD KWD LYD OMR TND",
  4: "CLF UYW",
};

export function money(amount, currency, lang) {
  const digits = [0, 3, 4].find((count) => DIGITS[count].split(" ").includes(currency)) ?? 2;
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  const decimal = (amount < 0 ? "-" : "") + (digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text);
  try {
    return new Intl.NumberFormat(lang, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(decimal);
  } catch {
    return `${decimal} ${currency}`;
  }
}

export function beyond(refund) {
  const sum = refund?.not_invoiced;
  if (!sum) return {};
  const rows = refund.items.reduce((all, item) => all + item.amount, refund.shipping + refund.fees);
  const all = refund.amount + (refund.credited_by_shop ?? 0) + (refund.settled_by_hand ?? 0);
  return all < Math.max(0, rows) + sum ? { kept: sum } : { back: sum };
}

const PAUSES = [1, 2, 4];
const PASSING = ["NO_ANSWER", "SERVICE_UNAVAILABLE", "CONCURRENT_UPDATE"];
// May have been cancelled.
const OPEN = ["NO_ANSWER", "OFFLINE", "SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "SIGNED_OUT"];

const sheet = globalThis.CSSStyleSheet && new CSSStyleSheet();
sheet?.replaceSync(`
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
  background: transparent; cursor: pointer;
}
button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
[part="button"], [part="take-back"] {
  border-color: var(--cancel-order-field, color-mix(in srgb, currentColor 65%, transparent)); color: var(--cancel-order-text, inherit);
}
button.act { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button[part="confirm"] { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
[data-view="done"] h2::before { content: "✓ " / ""; color: var(--accent); }
button[aria-disabled="true"] { opacity: .65; cursor: default; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
dialog :focus-visible { outline-color: var(--accent); }
[tabindex="-1"]:focus { outline: none; }
p, h2, h3, dl, dd, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
[part="status"], [part="progress"] { white-space: pre-line; }
[part="status"] { color: var(--cancel-order-muted, inherit); }
dialog {
  inline-size: min(34rem, 100vw - 24px); max-block-size: calc(100dvh - 24px); padding: 0; overflow: auto;
  border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.6); background: var(--surface);
  scroll-padding-block-end: 9rem;
}
dialog::backdrop { background: rgb(15 20 17 / .55); }
.view {
  all: initial; display: grid; gap: 20px; padding: clamp(16px, 5vw, 28px); color: var(--text); color-scheme: inherit;
  font: 1rem/1.5 sans-serif; font-family: inherit; overflow-wrap: break-word; hyphens: auto;
}
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 600; }
h3, legend, label.above { font-size: 1rem; font-weight: 600; padding: 0; }
.box { background: var(--soft); border-radius: var(--radius); padding: 14px 16px; display: grid; gap: 8px; }
.view .view, .box .box { padding: 0; }
.row { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 16px; }
summary { cursor: pointer; padding-block: 10px; }
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
.actions {
  display: flex; flex-wrap: wrap; gap: 12px; justify-content: flex-end;
  position: sticky; inset-block-end: 0; padding-block: 12px; margin-block: -12px; background: var(--surface);
}
@media (max-width: 30rem) { .actions { flex-direction: column-reverse; } }
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: rise .18s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(8px); } }
}
`);

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Only more.js can show it.
const rare = (body) =>
  body.cancellable_until ||
  body.cancellation_request ||
  body.cancellation ||
  body.refund?.not_invoiced ||
  (body.items && !body.available_actions?.includes("CANCEL")) ||
  body.approval_required ||
  body.blockers?.length ||
  body.available_actions?.includes("WITHDRAW_REQUEST") ||
  body.reasons?.some((reason) => reason.comment_required);

// On plain http there is no randomUUID.
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

const OWN = {
  da: () => import("./lang/da.js"),
  de: () => import("./lang/de.js"),
  en: () => import("./lang/en.js"),
  es: () => import("./lang/es.js"),
  fi: () => import("./lang/fi.js"),
  fr: () => import("./lang/fr.js"),
  it: () => import("./lang/it.js"),
  nl: () => import("./lang/nl.js"),
  pl: () => import("./lang/pl.js"),
  sv: () => import("./lang/sv.js"),
};

const here = new Set();

class CancelOrder extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["lang", "order-id"];

  static languages = new Proxy({ ...OWN }, { set: (all, name, load) => ((all[name] = load), CancelOrder.#respeak(), true) });
  static #watch = globalThis.MutationObserver && new MutationObserver(() => CancelOrder.#respeak());

  // Only a script may set the API.
  static api = "";
  static getToken = null;

  #order = null;
  #given = "";
  #text = null;
  #language = null;
  #wanted = null;
  #more = null;
  #asking = false;
  #note = "";
  #place = el("div", { part: "place" });
  #status = el("p", { part: "status", role: "status", tabindex: "-1" });
  #unavailable = el("slot", { name: "unavailable", hidden: "" });
  #dialog = null;
  #title = null;
  #progress = null;
  #busy = false;
  // The outcome is unknown.
  #attempt = null;
  #told = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#place, this.#status, this.#unavailable);
  }

  get order() {
    return this.#order;
  }

  set order(order) {
    const given = JSON.stringify(order);
    const known = this.#order;
    const behind = given === this.#given || (known?.cancellation && order?.available_actions?.includes("CANCEL"));
    // A framework renders its old data.
    if (behind && order?.order_id === known?.order_id) return;
    this.#given = given;
    this.#order = order;
    this.#render();
  }

  connectedCallback() {
    if (Object.hasOwn(this, "order")) {
      const { order } = this;
      delete this.order;
      this.order = order;
    }
    here.add(this);
    CancelOrder.#watch.observe(document, { subtree: true, attributeFilter: ["lang"] });
    // Words first: meanwhile the site sets `getToken`.
    this.#speak().then(() => this.#order || this.refresh());
  }

  static #respeak() {
    for (const one of here) one.#speak();
  }

  disconnectedCallback() {
    here.delete(this);
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
    const { code } = (await this.#ask()) ?? {};
    // A page may name its order a moment later.
    if (!this.#id && !this.#guest) setTimeout(() => this.#id || this.#fail("NO_ORDER"), 5000);
    const noSource = !this.getToken && !CancelOrder.getToken && "no getToken";
    if (code === "SIGNED_OUT") this.#tell("sessionexpired");
    if (code && (noSource || code !== "SIGNED_OUT")) this.#fail(noSource || code);
  }

  #fail(code) {
    this.#unavailable.hidden = false;
    import("./rare.js").then(({ fail }) => fail(this, code, this.#id));
  }

  async #ask() {
    const id = this.#id;
    if (!id && !this.#guest) return null;
    if (!this.#text) await this.#speak();
    const answer = await this.#patiently(() => this.#call("GET", ""));
    if (answer.ok && id === this.#id) this.#learn(answer.body);
    return answer;
  }

  get #id() {
    return this.#order?.order_id ?? this.getAttribute("order-id");
  }

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
    const { languages } = CancelOrder;
    const load = languages[this.#lang.toLowerCase().split("-")[0]] ?? languages.en;
    this.#wanted = load;
    const language = await Promise.resolve().then(load).catch(OWN.en);
    if (load !== this.#wanted) return;
    this.#language = language;
    const whole = !this.#more && !this.#guest && Object.values(OWN).includes(load);
    if (whole || !(await this.#rest())) this.#text = language.default;
    this.#render();
  }

  async #rest(body) {
    const language = this.#language;
    try {
      const { More, words } = await import("./more.js");
      const found = await words(language);
      this.#more ??= new More(this, {
        el,
        money,
        beyond,
        say: (key, values) => this.#say(key, values),
        lang: () => this.#lang,
        call: (method, path) => this.#call(method, path),
        patiently: (request) => this.#patiently(request),
        learn: (order) => this.#learn(order),
        render: () => this.#render(),
      });
      if (language === this.#language) this.#text = this.#more.speak(found);
      await this.#more.load(body);
      return true;
    } catch {
      return false;
    }
  }

  #say(key, values = {}) {
    const text = this.#text;
    const name = [this.#asking && `asking_${key}`, this.#guest && `guest_${key}`].find((one) => text[one]) ?? key;
    const words = (text[name] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
    this.#more?.said(name, words);
    return words;
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  // Never throws.
  async #call(method, path, { key = null, body = null, ofOrder = true, fresh = false } = {}) {
    const said = (code, body = {}, wait = 0) => ({ ok: !code, code, body, wait });
    const headers = { "accept-language": this.#lang };
    if (ofOrder) {
      let token = null;
      try {
        token = await (this.getToken ?? CancelOrder.getToken)();
      } catch {}
      if (!token) return said("SIGNED_OUT");
      headers.authorization = `Bearer ${token}`;
    }
    if (key) Object.assign(headers, { "content-type": "application/json", "idempotency-key": key });
    const of = this.#guest ? "/guest/order" : `/orders/${encodeURIComponent(this.#id)}`;
    let answer;
    try {
      // document.baseURI is markup, too.
      const url = new URL(CancelOrder.api.replace(/\/+$/, "") + (ofOrder ? of : "") + path, location.origin);
      const signal = AbortSignal.timeout(35000);
      answer = await fetch(url, { method, headers, body, signal, cache: fresh ? "reload" : "default" });
    } catch {
      return said(navigator.onLine ? "NO_ANSWER" : "OFFLINE");
    }
    const parsed = await answer.json().catch(() => null);
    const { status } = answer;
    if (answer.ok) {
      // A request to the shop is never shown as a cancel.
      const shown = parsed && (!rare(parsed) || (await this.#rest(parsed)) || !(parsed.refund || parsed.approval_required || (parsed.order && !parsed.cancellation)));
      return said(shown ? "" : "NO_ANSWER", parsed ?? {});
    }
    const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
    const code =
      (status !== 401 && isProblem && parsed?.code) ||
      { 401: "SIGNED_OUT", 403: "FORBIDDEN", 404: "ORDER_NOT_FOUND" }[status] ||
      (status === 429 || status > 500 ? "SERVICE_UNAVAILABLE" : "INTERNAL_ERROR");
    if (code === "INTERNAL_ERROR" || !OPEN.includes(code)) await this.#rest();
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
    if (this.#order) this.#unavailable.hidden = true;
    const may = this.#order?.available_actions?.includes("CANCEL");
    const button = this.#place.firstChild;
    if (may) {
      const shown = button ?? el("button", { type: "button", part: "button", "aria-haspopup": "dialog", click: () => this.#open() });
      shown.textContent = this.#say("cancel_order");
      shown.setAttribute("aria-label", this.#say("cancel_order_named", { order: this.#id }));
      if (!button) this.#place.append(shown);
    } else button?.remove();
    const cancellation = this.#order?.cancellation;
    const refund = cancellation?.refund;
    let words = cancellation ? `${this.#say("canceled")} ${refund ? this.#refund(refund) : ""}`.trim() : may ? "" : this.#note;
    if (this.#more) words = this.#more.show(words);
    else if (this.#order && rare(this.#order)) this.#rest(this.#order).then((here) => here && this.#render());
    if (this.#status.textContent !== words) this.#status.textContent = words;
    if (this.#dialog?.open && this.#dialog.dataset.view === "done" && cancellation && this.#progress) {
      const now = this.#refund(refund);
      if (this.#progress.textContent !== now) this.#progress.textContent = now;
    }
  }

  #refund(refund) {
    return this.#more?.refund(refund, this.#told) ?? "";
  }

  #open() {
    if (this.#dialog?.open) return;
    this.#note = "";
    if (!this.#dialog) {
      this.#title = el("h2", { id: "title", part: "title", tabindex: "-1" });
      this.#dialog = el("dialog", { part: "dialog", "aria-labelledby": "title", close: () => this.#closed() });
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
    if (this.#attempt) this.#ask();
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
    this.#ready().catch(() => this.#refused({ code: "INTERNAL_ERROR", body: {} }, () => this.#load(), true));
  }

  async #ready() {
    const progress = (this.#progress = el("p", { role: "status", class: "muted" }, this.#say("one_moment")));
    const keep = this.#button("keep", "keep", () => this.#close());
    this.#view("loading", this.#say("ask", { order: this.#id }), progress, el("div", { class: "actions" }, keep));
    const get = (path) => this.#patiently(() => this.#call("GET", path));
    const [answer, whole] = await Promise.all([get("/cancellation-eligibility"), this.#order?.items ? null : get("")]);
    const failed = [answer, whole].find((one) => one && !one.ok);
    if (this.#progress !== progress) return;
    if (failed) return this.#refused(failed, () => this.#load(), true);
    if (whole) this.#learn(whole.body);
    const [blocker] = answer.body.blockers;
    this.#asking = answer.body.approval_required;
    const reasons = await (blocker ? this.#ask() : this.#reasons());
    if (this.#progress !== progress) return;
    if (blocker) this.#refused({ code: blocker.code, body: { ...blocker, order: this.#order } });
    else if (!reasons.ok) this.#refused(reasons, () => this.#load(), true);
    else if (!reasons.body.enabled) (await this.#rest(), this.#refused({ code: "ORDER_CANCELLATION_DISABLED", body: {} }));
    else this.#form(answer.body, reasons.body.reasons);
  }

  #reasons(fresh = false) {
    const path = `/cancellation-reasons?language=${this.#lang}&store_id=${encodeURIComponent(this.#order.store_id ?? "")}`;
    return this.#patiently(() => this.#call("GET", path, { ofOrder: false, fresh }));
  }

  #form(eligibility, reasons) {
    const { refund } = eligibility;
    this.#told = refund;
    const group = el("fieldset", { part: "reasons", role: "radiogroup", "aria-labelledby": "why", "aria-describedby": "why-error", "aria-required": "true" });
    const error = el("p", { id: "why-error", class: "error", role: "alert", part: "error" });
    const offer = (offered) =>
      group.replaceChildren(
        el("legend", { id: "why" }, this.#say("why")),
        error,
        ...offered.map(({ code, description, comment_required }) =>
          el(
            "label",
            { class: "choice", part: "reason" },
            el("input", { type: "radio", name: "reason", value: code, "data-comment": comment_required || null }),
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
      const wish = { reason, ...(comment.value.trim() && { comment: comment.value.trim() }) };
      const answer = await this.#send(wish).catch(() => ({ code: "INTERNAL_ERROR", body: {} }));
      if (answer.code === "INVALID_CANCELLATION_REASON") {
        const offered = await this.#reasons(true);
        if (offered.ok && offered.body.reasons.length) offer(offered.body.reasons);
      }
      this.#busy = false;
      progress.textContent = "";
      for (const button of [confirm, keep]) button.removeAttribute("aria-disabled");
      confirm.textContent = this.#say("confirm");
      if (answer.ok) this.#done(answer.body);
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
    const named = (item) => `${item.qty.toLocaleString(this.#lang)} × ${names.get(item.item_id) ?? item.sku}`;
    const items = refund.items.map((item) => row(named(item), item.amount));
    const folded = items.splice(items.length > 5 ? 3 : 5);
    const sums = [
      refund.shipping ? row(this.#say("shipping"), refund.shipping) : null,
      refund.fees ? row(this.#say("fees"), refund.fees) : null,
      back ? row(this.#say("not_invoiced"), back) : null,
      row(this.#say("total"), refund.amount, "row sum"),
    ];
    const list = (rows) => el("dl", { class: "box" }, ...rows);
    return el(
      "section",
      { class: "box", part: "refund", "aria-labelledby": "back" },
      el("h3", { id: "back" }, this.#say("back")),
      ...(folded.length
        ? [list(items), el("details", {}, el("summary", {}, this.#say("more_items", { number: folded.length })), list(folded)), list(sums)]
        : [list([...items, ...sums])]),
      held && el("p", {}, held),
      el("p", { class: "muted" }, this.#say("how")),
    );
  }

  // The same cancel keeps its key.
  async #send(wish) {
    const body = JSON.stringify(wish);
    if (this.#attempt?.body !== body) this.#attempt = { body, key: random() };
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

  #refused({ code, body, wait }, again = null, loading = false) {
    this.#progress = null;
    if (body.order) this.#learn(body.order);
    const signIn = code === "SIGNED_OUT";
    const key = loading && OPEN.includes(code) && !signIn && code !== "OFFLINE" ? "NOT_LOADED" : code;
    const words =
      this.#more?.why(key, body, wait) ?? this.#say(Object.hasOwn(this.#text, key) ? key : body.order ? "ORDER_TOO_LARGE" : "INTERNAL_ERROR");
    const open = again && (PASSING.includes(code) || OPEN.includes(code)) && !signIn;
    if (!open && !signIn) {
      this.#note = words;
      if (code === "ORDER_NOT_FOUND") this.#order = { order_id: this.#id, available_actions: [] };
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
      ...(this.#more?.help(code, body, open || signIn) ?? []),
      el("div", { class: "actions" }, leave, act),
    );
    this.#render();
  }
}

const known = globalThis.customElements?.get("cancel-order");
if (!known) globalThis.customElements?.define("cancel-order", CancelOrder);
const Known = known ?? CancelOrder;
export { Known as CancelOrder };
