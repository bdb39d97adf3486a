/** <withdraw-contract>: see docs/storefront.md. What was typed and what the API answers is set as text, never as HTML. */

/** Languages of the EU; some have only the legal terms, and the rest in English. */
const LANGUAGES = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv";
/** Seconds before each retry. */
const PAUSES = [1, 2, 4, 0];
/** Temporary failures: retried automatically. */
const PASSING = new Set(["NO_ANSWER", "SERVICE_UNAVAILABLE"]);
/** The sign-in does not help with this order: the same statement can be made without it. */
const WITHOUT_ACCOUNT = new Set(["SIGNED_OUT", "FORBIDDEN", "ORDER_NOT_FOUND"]);
/** Characters at most. */
const LIMITS = { name: 200, email: 254, order: 255, items: 200, message: 2000 };
const ADDRESS = /^[^\s@,<>()[\]{}\p{Cc}]+@[^\s@,<>()[\]{}\p{Cc}]+$/u;

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  --text: var(--withdraw-contract-text, light-dark(#1f2421, #eceee9));
  --muted: var(--withdraw-contract-muted, light-dark(#5a625d, #a9b1ab));
  --surface: var(--withdraw-contract-surface, light-dark(#fff, #1d211f));
  --line: var(--withdraw-contract-line, light-dark(#d5d9d4, #3b423e));
  --field: var(--withdraw-contract-field, light-dark(#7b837e, #7f8883));
  --soft: var(--withdraw-contract-soft, light-dark(#f4f5f1, #262b28));
  --danger: var(--withdraw-contract-danger, light-dark(#a8321f, #ff9d8a));
  --accent: var(--withdraw-contract-accent, light-dark(#1f5f4a, #8fd3b6));
  --on-accent: var(--withdraw-contract-on-accent, light-dark(#fff, #0b2219));
  --radius: var(--withdraw-contract-radius, 10px);
  display: block;
}
* { box-sizing: border-box; }
button, input, textarea {
  font: inherit; color: inherit; min-block-size: 44px; max-inline-size: 100%; padding: 8px 16px;
  border: 1px solid var(--field); border-radius: var(--radius); background: transparent;
}
button { color: var(--text); cursor: pointer; }
button.act { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
[aria-disabled="true"] { opacity: .65; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[tabindex]:focus { outline: none; }
p, h2, dl, dd, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
.view, form, .rows, .box, dl { display: grid; gap: 20px; }
.view {
  padding: clamp(16px, 5vw, 28px); max-inline-size: 40rem; overflow-wrap: anywhere; text-align: start; font-size: 1rem; line-height: 1.5;
  border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.4); background: var(--surface); color: var(--text);
}
h2 { font-size: 1.3rem; line-height: 1.3; }
.done h2::before { content: "✓ " / ""; color: var(--accent); }
legend, .above { display: block; font-weight: 600; padding: 0; }
.muted, dt { color: var(--muted); font-size: .925rem; font-weight: 400; }
label input, .field input, textarea { inline-size: 100%; display: block; margin-block-start: 4px; }
textarea { min-block-size: 5rem; resize: vertical; }
[aria-invalid="true"] { border: 2px solid var(--danger); }
.error { color: var(--danger); font-weight: 600; margin-block-start: 4px; }
.error:empty { margin: 0; }
[role]:empty { position: absolute; }
.choice { display: flex; align-items: center; gap: 12px; min-block-size: 44px; cursor: pointer; }
.choice input { inline-size: 20px; min-block-size: 20px; margin: 0; flex: none; accent-color: var(--accent); }
.rows, .box, dl { gap: 12px; }
.row, .actions { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; }
.row label { flex: 1 1 9rem; }
.row .qty { flex: 0 1 7rem; }
.box { background: var(--soft); border-radius: var(--radius); padding: 14px 16px; }
dd { white-space: pre-line; }
.actions { justify-content: end; }
@media (max-width: 30rem) { .actions { flex-direction: column-reverse; align-items: stretch; } }
@media (prefers-reduced-motion: no-preference) {
  .view { animation: rise .18s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(8px); } }
}
`);

/** Functions are listeners, strings become text. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value != null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(Boolean));
  return made;
}

const press = (part, words, click, more) => el("button", { type: "button", part, click, ...more }, words);
const pairs = (rows) => el("dl", {}, ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
const base = (lang) => lang.toLowerCase().split("-")[0];
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Checkboxes, one for each item of an order, with unique names; else a row to type in. */
function rowsOf(order) {
  // A negative amount is a discount.
  const items = (order?.items ?? []).filter((item) => !(item.amount < 0));
  const own = (item, key) => item[key]?.length <= LIMITS.items && items.every((one) => one === item || one[key] !== item[key]);
  const row = (item) => ({
    shown: item.name,
    item: item[["name", "sku"].find((key) => own(item, key)) ?? "item_id"],
    qty: String(item.qty_ordered),
  });
  return items.length ? items.map(row) : [{ item: "", qty: "" }];
}

export class WithdrawContract extends HTMLElement {
  static observedAttributes = ["lang", "order-id"];

  /** A site adds its own: `WithdrawContract.languages.cs = () => import("./cs.js")`. */
  static languages = Object.fromEntries(
    LANGUAGES.split(" ").map((lang) => [lang, () => import(`./lang/${lang}.js`)]),
  );

  /** The API's URL, if a script sets it: markup is then ignored. */
  static api = null;

  /** For elements without their own. */
  static getToken = null;

  #text = null;
  /** The language of the legal terms. */
  #language = "en";
  #step = "button";
  /** Whether it is sent as the signed-in customer's, about the order of `order-id`. */
  #mine = false;
  /** Fields that the order turned out not to know. */
  #needs = new Set();
  /** As it was typed. */
  #draft = { name: "", email: "", order: "", message: "", part: false, rows: null };
  #wrong = [];
  #note = "";
  #received = null;
  #busy = false;
  /** A statement keeps its Idempotency-Key: it is received once, however often it is sent. */
  #keys = new Map();
  #place = el("div", { part: "place" });
  #status = el("p", { part: "status", role: "status", class: "muted" });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#place);
  }

  /** `button`, `form`, `review` or `receipt`. */
  get step() {
    return this.#step;
  }

  connectedCallback() {
    this.#speak();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return;
    if (name === "order-id") {
      Object.assign(this.#draft, { order: "", rows: null });
      this.#step = "button";
    }
    this.#speak();
  }

  /** The action of the button. After a receipt: the form for another statement. */
  async open() {
    if (this.#busy || this.#step === "review") return;
    const draft = this.#draft;
    if (this.#step !== "form") {
      this.#busy = true;
      await this.#speak();
      this.#status.textContent = this.#say("one_moment");
      if (this.#step === "receipt") Object.assign(draft, { order: "", message: "", part: false, rows: null });
      draft.order = this.#id ?? draft.order;
      this.#mine = Boolean(this.#id && (await this.#token()));
      // Only needed for the items' names, so with a short timeout.
      const order = this.#mine && !draft.rows ? await this.#call("GET", "", { patience: 4 }) : {};
      if (WITHOUT_ACCOUNT.has(order.code)) this.#mine = false;
      draft.rows ??= rowsOf(order.ok && order.body);
      this.#busy = false;
    }
    this.#show("form");
  }

  get #id() {
    return this.getAttribute("order-id");
  }

  get #lang() {
    const near = this.closest("[lang]")?.getAttribute("lang");
    try {
      return new Intl.Locale(near || document.documentElement.lang).baseName;
    } catch {
      return navigator.language;
    }
  }

  /** Not relative to document.baseURI: that is markup, too. */
  get #api() {
    return new URL(WithdrawContract.api ?? this.getAttribute("api") ?? "", location.origin).href.replace(/\/+$/, "");
  }

  async #speak() {
    const known = Object.hasOwn(WithdrawContract.languages, base(this.#lang)) ? base(this.#lang) : "en";
    this.#text = (await WithdrawContract.languages[known]()).default;
    this.#language = known;
    if (!this.#busy) this.#show(this.#step, false);
  }

  /** The language of all other texts. */
  get #spoken() {
    return this.#text.texts ?? this.#language;
  }

  #say(key, values = {}) {
    return this.#text[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  // ------------------------------------------------------------------ calls to the API

  /** Null if nobody is signed in, and if only markup names another host as the API: it gets no token. */
  async #token() {
    try {
      if (WithdrawContract.api === null && new URL(this.#api).origin !== location.origin) return null;
      return (await (this.getToken ?? WithdrawContract.getToken)()) || null;
    } catch {
      return null;
    }
  }

  /** One request: `path` of the customer's order, or of anyone's. `code` is the problem's, or one of ours. */
  async #call(method, path, { key = null, body = null, patience = 35 } = {}) {
    const said = (code, body = {}, wait = 0) => ({ ok: !code, code, body, wait });
    const headers = key ? { "content-type": "application/json", "idempotency-key": key } : {};
    const token = this.#mine && (await this.#token());
    if (this.#mine && !token) return said("SIGNED_OUT");
    if (token) headers.authorization = `Bearer ${token}`;
    const whole = this.#mine ? `/orders/${encodeURIComponent(this.#id)}${path}` : path;
    let answer;
    try {
      answer = await fetch(this.#api + whole, { method, headers, body, signal: AbortSignal.timeout(patience * 1000) });
    } catch {
      return said(navigator.onLine ? "NO_ANSWER" : "OFFLINE");
    }
    // Null: truncated, or a proxy's page.
    const parsed = await answer.json().catch(() => null);
    const { status } = answer;
    if (answer.ok) return said(parsed ? "" : "NO_ANSWER", parsed ?? {});
    const code =
      parsed?.code ||
      (this.#mine && { 401: "SIGNED_OUT", 403: "FORBIDDEN", 404: "ORDER_NOT_FOUND" }[status]) ||
      (status === 429 || status > 500 ? "SERVICE_UNAVAILABLE" : "INTERNAL_ERROR");
    return said(code, parsed ?? {}, Number(answer.headers.get("retry-after")) || 0);
  }

  /** The body that is sent, and shown before it is sent. */
  get #statement() {
    const { part, rows, ...draft } = this.#draft;
    const [name, email, order, message] = ["name", "email", "order", "message"].map((key) => draft[key].trim());
    const items = rows
      .filter((row) => row.shown === undefined || row.ticked)
      .map((row) => ({ item: row.item.trim(), qty: row.qty.trim().replace(",", ".") }))
      .filter(({ item, qty }) => item || qty)
      .map(({ item, qty }) => (qty ? { item, qty: Number(qty) } : { item }));
    const said = this.#mine
      ? { name: this.#needs.has("name") && name, email, items: part && items, message }
      : { name, email, order, items: part && items, message, store_id: this.getAttribute("store-id"), language: this.#lang };
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value));
  }

  /** The invalid fields. */
  get #faults() {
    const said = this.#statement;
    const must = this.#mine ? [...this.#needs] : ["name", "email", "order"];
    const fair = ({ item, qty = 1 }) => item && item.length <= LIMITS.items && qty > 0 && qty < Infinity;
    const fits = {
      email: () => said.email.length <= LIMITS.email && ADDRESS.test(said.email),
      items: () => said.items.length && said.items.every(fair),
    };
    return Object.keys(LIMITS).filter((key) => (said[key] ? !(fits[key] ?? (() => said[key].length <= LIMITS[key]))() : must.includes(key)));
  }

  #next() {
    this.#note = "";
    this.#wrong = this.#faults;
    this.#show(this.#wrong.length ? "form" : "review");
  }

  async #send() {
    if (this.#busy) return;
    const body = JSON.stringify(this.#statement);
    const path = this.#mine ? "/withdrawal" : "/withdrawals";
    const key = this.#keys.get(path + body) ?? crypto.randomUUID();
    this.#keys.set(path + body, key);
    this.#wait(true);
    let answer;
    for (const pause of PAUSES) {
      answer = await this.#call("POST", path, { key, body });
      if (!pause || !PASSING.has(answer.code)) break;
      this.#status.textContent = this.#say("still_trying");
      await sleep(Math.min(Math.max(pause, answer.wait), 10));
    }
    this.#wait(false);
    if (answer.ok) {
      this.#received = answer.body;
      this.#show("receipt");
      this.#tell("withdrawalreceived", answer.body);
    } else {
      if (answer.code === "IDEMPOTENCY_KEY_REUSED") this.#keys.delete(path + body);
      this.#refused(answer);
      this.#tell("withdrawalrefused", { code: answer.code });
    }
  }

  #wait(busy) {
    this.#busy = busy;
    this.#status.textContent = busy ? this.#say("one_moment") : "";
    this.#message();
    for (const button of this.#place.querySelectorAll("button")) button.setAttribute("aria-disabled", busy);
  }

  #message(...content) {
    this.#place.querySelector('[part="message"]').replaceChildren(...content);
  }

  /** The input is kept, whatever was wrong. */
  #refused({ code, body }) {
    const named = (body.errors ?? []).map(({ pointer }) => /^#?\/([a-z]+)/.exec(pointer)?.[1]);
    this.#wrong = Object.keys(LIMITS).filter((key) => named.includes(key));
    if (this.#mine && WITHOUT_ACCOUNT.has(code)) {
      this.#mine = false;
      // Ticked items become editable rows.
      const rows = this.#draft.rows.filter((row) => row.shown === undefined || row.ticked);
      this.#draft.rows = rows.length ? rows.map(({ item, qty }) => ({ item, qty })) : rowsOf();
      this.#note = this.#say("without_account");
      this.#show("form");
    } else if (this.#wrong.length) {
      this.#needs = new Set([...this.#needs, ...this.#wrong.filter((key) => key === "name" || key === "email")]);
      this.#show("form");
    } else {
      const known = Object.hasOwn(this.#text, code) ? code : "INTERNAL_ERROR";
      this.#message(
        el("p", { class: "error", "data-code": code }, this.#say(known)),
        known === "INTERNAL_ERROR" && body.request_id ? el("p", { class: "muted" }, this.#say("reference", { id: body.request_id })) : "",
      );
    }
  }

  // ------------------------------------------------------------------ rendering

  /** Shows a step; `move`: the focus moves to its heading, or to the first invalid field. */
  #show(step, move = true) {
    this.#step = step;
    this.#status.textContent = "";
    this.#place.lang = this.#spoken;
    this.#place.replaceChildren(...{ button: () => this.#button(), form: () => this.#form(), review: () => this.#review(), receipt: () => this.#receipt() }[step]());
    const find = (what) => this.#place.querySelector(what);
    if (move) (find('[aria-invalid="true"]') ?? find("h2, button")).focus();
  }

  #view(title, ...content) {
    const heading = el("h2", { id: "title", part: "title", tabindex: "-1" }, this.#say(title));
    return [el("section", { part: "view", class: `view ${title}`, "aria-labelledby": "title" }, heading, ...content)];
  }

  #back(step) {
    return press("back", this.#say("back"), () => this.#busy || this.#show(step));
  }

  #button() {
    // Begins with the words on it, for speech input.
    const named = this.#id && `${this.#say("withdraw")}: ${this.#id}`;
    return [press("button", this.#say("withdraw"), () => this.open(), { lang: this.#language, "aria-label": named }), this.#status];
  }

  #form() {
    const say = (key, values) => this.#say(key, values);
    const submit = (event) => {
      event.preventDefault();
      this.#next();
    };
    const mine = this.#mine;
    const other = mine && !this.#needs.has("email");
    const address = { inputmode: "email", autocomplete: "email", autocapitalize: "none", spellcheck: "false" };
    const form = el(
      "form",
      { novalidate: true, submit },
      (!mine || this.#needs.has("name")) && this.#field("name", { autocomplete: "name" }),
      this.#field("email", address, { label: other ? "other_email" : "email", hint: other ? "other_email_hint" : "email_hint", optional: other }),
      !mine && this.#field("order", { autocomplete: "off" }, { hint: "order_hint" }),
      this.#scope(),
      this.#field("message", {}, { optional: true, tag: "textarea" }),
      this.#status,
      el("div", { class: "actions" }, this.#back("button"), el("button", { class: "act", part: "continue" }, say("continue"))),
    );
    return this.#view(
      "title",
      this.#note && el("p", { role: "alert", class: "box", part: "note" }, this.#note),
      mine && el("p", { part: "order" }, say("of_order", { order: this.#id })),
      el("p", { class: "muted" }, say("intro")),
      form,
    );
  }

  get #optional() {
    return el("span", { class: "muted" }, ` ${this.#say("optional")}`);
  }

  #complaint(key) {
    return el("p", { id: `${key}-error`, class: "error", part: "error" }, this.#wrong.includes(key) ? this.#say(`bad_${key}`) : "");
  }

  #field(key, attributes, { label = key, hint = null, optional = false, tag = "input" } = {}) {
    const error = this.#complaint(key);
    const input = el(tag, {
      id: key,
      part: key,
      maxlength: LIMITS[key],
      required: !optional,
      "aria-invalid": this.#wrong.includes(key) && "true",
      "aria-describedby": `${key}-hint ${key}-error`,
      input: () => {
        this.#draft[key] = input.value;
        error.textContent = "";
        input.removeAttribute("aria-invalid");
      },
      ...attributes,
    });
    input.value = this.#draft[key];
    return el(
      "div",
      { class: "field" },
      el("label", { for: key, class: "above" }, this.#say(label), optional && this.#optional),
      el("p", { id: `${key}-hint`, class: "muted" }, hint ? this.#say(hint) : ""),
      input,
      error,
    );
  }

  /** The whole order, or a part: checkboxes for its items if they are known, else free text. */
  #scope() {
    const draft = this.#draft;
    const error = this.#complaint("items");
    const place = el("div", { class: "rows" });
    const mended = () => {
      error.textContent = "";
      for (const one of place.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    };
    const input = (row, key, attributes) => {
      const made = el("input", { part: key, autocomplete: "off", ...attributes, input: () => ((row[key] = made.value), mended()) });
      made.value = row[key];
      return made;
    };
    const fill = (focus) => {
      const { rows, part } = draft;
      const items = rows.map((row, index) => {
        const invalid = { "aria-invalid": this.#wrong.includes("items") && "true", "aria-describedby": "items-error" };
        const known = row.shown !== undefined;
        const tick = el("input", { type: "checkbox", part: "item", checked: row.ticked, ...invalid, change: () => ((row.ticked = tick.checked), mended()) });
        const remove = () => {
          rows.splice(index, 1);
          fill(Math.max(0, index - 1));
        };
        return el(
          "div",
          { class: "row" },
          known
            ? el("label", { class: "choice" }, tick, row.shown)
            : el("label", {}, this.#say("item"), input(row, "item", { maxlength: LIMITS.items, ...invalid })),
          (!known || row.qty !== "1") && el("label", { class: "qty" }, this.#say("qty"), input(row, "qty", { maxlength: 12, inputmode: "decimal" })),
          !known && rows.length > 1 && press("remove", "×", remove, { "aria-label": `${this.#say("remove")}: ${index + 1}` }),
        );
      });
      const add = () => fill(rows.push({ item: "", qty: "" }) - 1);
      const more = rows[0].shown === undefined && el("div", {}, press("add", this.#say("add"), add));
      place.replaceChildren(...(part ? [...items, more].filter(Boolean) : []));
      if (focus !== undefined) place.querySelectorAll('[part="item"]')[focus].focus();
    };
    const radio = (key, part) =>
      el(
        "label",
        { class: "choice" },
        el("input", { type: "radio", name: "scope", part: key, checked: draft.part === part, change: () => ((draft.part = part), mended(), fill()) }),
        this.#say(key),
      );
    fill();
    return el("fieldset", { part: "scope" }, el("legend", {}, this.#say("scope"), this.#optional), radio("whole", false), radio("part", true), place, error);
  }

  get #locale() {
    return base(this.#lang) === this.#spoken ? this.#lang : this.#spoken;
  }

  /** A statement as text: [name, value] of each part. */
  #lines(said) {
    const items = said.items?.map(({ item, qty }) => (qty === undefined ? item : `${qty.toLocaleString(this.#locale)} × ${item}`));
    const shown = { ...said, items: items?.join("\n") ?? this.#say("whole") };
    try {
      shown.language = new Intl.DisplayNames(this.#locale, { type: "language" }).of(said.language);
    } catch {
      // None, or one that an order has and the browser does not know.
    }
    const keys = [...Object.keys(LIMITS), "store_id", "language"];
    return keys.filter((key) => shown[key]).map((key) => [this.#say(key === "items" ? "scope" : key), shown[key]]);
  }

  #sentence(said) {
    return el("div", { class: "box", part: "statement" }, el("p", {}, this.#say("sentence", said)), pairs(this.#lines(said)));
  }

  #review() {
    const confirm = press("confirm", this.#say("confirm"), () => this.#send(), { class: "act", lang: this.#language });
    return this.#view(
      "review",
      this.#sentence({ order: this.#id, email: this.#say("address_of_order"), ...this.#statement }),
      el("p", { class: "muted" }, this.#say("review_hint")),
      el("div", { part: "message", role: "alert" }),
      this.#status,
      // The words alone: nothing else on this button, and no other name for it.
      el("div", { class: "actions" }, this.#back("form"), confirm),
    );
  }

  get #facts() {
    const { withdrawal_id, received_at, receipt, acknowledgement } = this.#received;
    const at = new Intl.DateTimeFormat(this.#locale, { dateStyle: "long", timeStyle: "long" }).format(new Date(received_at));
    return Object.entries({ id: withdrawal_id, at, to: acknowledgement.to, receipt }).map(([key, value]) => [this.#say(key), value]);
  }

  #receipt() {
    return this.#view(
      "done",
      el("p", {}, this.#say("done_hint")),
      pairs(this.#facts),
      this.#sentence(this.#received.statement),
      this.#status,
      el(
        "div",
        { class: "actions" },
        !this.#id && press("again", this.#say("another"), () => this.open()),
        press("copy", this.#say("copy"), () => this.#copy()),
        press("save", this.#say("save"), () => this.#save(), { class: "act" }),
      ),
    );
  }

  /** The receipt as plain text. */
  get #written() {
    const { received_at, statement } = this.#received;
    const written = (rows) => rows.map(([name, value]) => `${name}: ${value.replaceAll("\n", "; ")}\n`).join("");
    const facts = written([...this.#facts, ["UTC", received_at]]);
    return [this.#say("done"), facts, this.#say("sentence", statement), written(this.#lines(statement)), this.#say("done_hint")].join("\n\n");
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#written);
      this.#status.textContent = this.#say("copied");
    } catch {
      this.#save();
    }
  }

  #save() {
    const href = URL.createObjectURL(new Blob([this.#written], { type: "text/plain;charset=utf-8" }));
    el("a", { href, download: `${this.#received.withdrawal_id}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }
}

customElements.define("withdraw-contract", WithdrawContract);
