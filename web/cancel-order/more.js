// What few orders need: why not, until when, a required comment, the request to the shop, a refund's progress.
import english from "./lang/en.more.js";

const [LOOK_FIRST, LOOK_LAST] = [1000, 60000];
// Milliseconds: the window's last second; between looks where this device's clock is fast.
const [WINDOW_LAST, LATE_FIRST] = [1000, 5000];
/** setTimeout accepts at most 24 days. */
const DAY = 86400000;

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
[part="until"] { margin-block-start: 8px; }
[part="place"]:not(:empty) + [part="status"] { padding-block-start: 8px; }
[part="take-back"] { margin-block-start: 10px; }
[part="until"], [part="take-back-error"] { color: inherit; }
[part="help"]:empty { display: none; }
[part="support"] { display: inline-block; padding-block: 10px; color: inherit; }
[part="terms"] { display: grid; gap: 8px; }
[part="until"]:empty { display: none; }
`);

export async function words(language) {
  const own = { ...(await language.more?.().catch(() => null))?.default, ...language.default };
  const { default: common } = await import("./lang/en.js");
  return { own, all: { ...english, ...common, ...own } };
}

export class More {
  #host;
  #kit;
  #own = null;
  #english = new Set();
  #marked = null;
  #area;
  #until;
  #help;
  #asked = null;
  #blocked = "";
  #refund = null;
  #takeBack = null;
  #error;
  #busy = false;
  #said = "";
  #of = null;
  #end = NaN;
  #late = LATE_FIRST;
  #ends = 0;
  #timer = 0;
  #looking = false;
  #pause = LOOK_FIRST;
  #seen = () => {
    this.#pause = LOOK_FIRST;
    this.follow();
    if (!document.hidden && this.#host.order?.cancellation_request?.status === "open") this.#look();
  };

  /** `kit`: what of the element `host` is private. */
  constructor(host, kit) {
    this.#host = host;
    this.#kit = kit;
    this.#until = kit.el("p", { part: "until", class: "muted" });
    this.#error = kit.el("p", { part: "take-back-error", class: "error", role: "alert" });
    this.#help = kit.el("p", { part: "help" });
    this.#area = kit.el("div", { part: "more" }, this.#help, this.#until, this.#error);
    host.shadowRoot.adoptedStyleSheets.push(sheet);
    host.shadowRoot.append(this.#area);
  }

  speak({ own, all }) {
    this.#own = own;
    if (Object.keys(all).length > Object.keys(own).length) import("./rare.js").then(({ mark }) => (this.#marked ??= mark(this.#host.shadowRoot, this.#english)));
    return all;
  }

  said(key, words) {
    if (this.#own && !Object.hasOwn(this.#own, key)) words.split("\n").forEach((line) => this.#english.add(line));
  }

  show(base) {
    const { order } = this.#host;
    const actions = order?.available_actions ?? [];
    const open = actions.includes("WITHDRAW_REQUEST");
    const request = order?.cancellation_request;
    const may = actions.includes("CANCEL");
    if (open || order?.cancellation || order?.order_id !== this.#of || (may && this.#said !== "withdrawn")) this.#said = "";
    this.#of = order?.order_id;
    this.#offer(open);
    this.#wait(may ? Date.parse(order.cancellable_until ?? "") : NaN);
    this.follow();
    const overtaken = order?.cancellation && request?.status !== "approved";
    const decided = request?.decided_at && !overtaken ? [this.#kit.say(request.status), this.#note(request)] : [];
    if (open) return this.#kit.say("open");
    const lines = [...decided, this.#said && this.#kit.say(this.#said), base || (this.#said || decided.length ? "" : this.#whyNot(order, may))];
    const words = [...new Set(lines.filter(Boolean))].join("\n");
    // Nothing more can be done here.
    this.#help.replaceChildren(...[words && !may && (!order?.cancellation || order.cancellation.refund?.status === "failed") && this.support()].filter(Boolean));
    return words;
  }

  became(request) {
    return [this.#kit.say(request.status === "open" ? "decides" : request.status), this.#note(request)].filter(Boolean).join("\n");
  }

  async load(body) {
    if (body?.cancellation) this.#refund ??= (await import("./refund.js")).lines;
  }

  refund(refund, told) {
    if (!this.#refund) this.load({ cancellation: true }).then(() => this.#kit.render());
    return this.#refund?.(this.#kit, refund, told) ?? "";
  }

  help(code, { request_id }, more) {
    const { el, say } = this.#kit;
    const reference = request_id && code === "INTERNAL_ERROR" && el("p", { class: "muted" }, say("reference", { id: request_id }));
    return [(reference || !more) && this.support(), reference].filter(Boolean);
  }

  support() {
    const { el, say } = this.#kit;
    const href = this.#host.getAttribute("support-url");
    // Markup runs no script.
    return /^(https?:|mailto:|tel:|\/)/.test(href ?? "") ? el("a", { part: "support", href }, say("contact")) : null;
  }

  #whyNot(order, may) {
    if (!order?.items || may || order.cancellation || order.status === "canceled") return "";
    if (this.#asked !== order) {
      this.#asked = order;
      this.#blocked = "";
      import("./rare.js")
        .then(({ blocked }) => blocked(order, this.#kit, (code, body) => this.why(code, body)))
        .then((words) => {
          this.#blocked = words;
          if (words && this.#host.order === order) this.#kit.render();
        });
    }
    return this.#blocked;
  }

  #note({ note }) {
    return note ? this.#kit.say("note", { note }) : "";
  }

  #time(at) {
    return new Intl.DateTimeFormat(this.#kit.lang(), { dateStyle: "long", timeStyle: "short" }).format(at);
  }

  /** Why it is refused, or null for other codes. `wait`: seconds. */
  why(code, { because, item_ids }, wait = 0) {
    const { order } = this.#host;
    const { say } = this.#kit;
    const has = (key) => Object.hasOwn(english, key);
    if (code === "INVALID_ORDER_STATUS") {
      const status = order?.cancellation ? "canceled" : order?.status === "hold" ? "holded" : order?.status;
      return say(has(`status_${status}`) ? `status_${status}` : "status_other");
    }
    const names = (order?.items ?? []).filter((item) => item_ids?.includes(item.item_id)).map((item) => item.name);
    const items = new Intl.ListFormat(this.#kit.lang()).format(names);
    if (code === "PARTIAL_ORDER_ITEM_SHIPPED") return say(names.length ? code : "shipped_unnamed", { items });
    if (code === "NOT_CANCELLABLE") {
      const cause = names.length ? "excluded_items" : `excluded_${because}`;
      return say(has(cause) ? cause : "ORDER_TOO_LARGE", { items });
    }
    if (code === "TOO_MANY_CANCELLATIONS" && wait) return say("too_many_until", { time: this.#time(Date.now() + wait * 1000) });
    return has(code) ? say(code) : null;
  }

  terms(form, { approval_required, cancellable_until }) {
    const { el, say } = this.#kit;
    const end = Date.parse(cancellable_until ?? "");
    const lines = [approval_required ? say("decides") : "", end ? say("until", { time: this.#time(end) }) : ""].filter(Boolean);
    if (lines.length) form.prepend(el("div", { part: "terms" }, ...lines.map((line) => el("p", {}, line))));
    if (form.querySelector("[data-comment]")) this.#comment(form);
  }

  complain(form, code) {
    if (code === "INVALID_CANCELLATION_REASON") {
      const group = form.querySelector("fieldset");
      group.querySelector('[role="alert"]').textContent = this.#kit.say(code);
      group.setAttribute("aria-invalid", "true");
      group.querySelector("input").focus();
    } else if (code === "COMMENT_REQUIRED") {
      form.querySelector("input:checked").dataset.comment = "";
      this.#comment(form)();
    } else return false;
    return true;
  }

  /** Has the comment's field say when it must be filled in, and refuses it empty. Gives what complains. */
  #comment(form) {
    const { el, say } = this.#kit;
    const field = form.querySelector("textarea");
    const label = form.querySelector('label[for="comment"]');
    const optional = label.textContent;
    const known = form.querySelector("#comment-error");
    const error = known ?? el("p", { id: "comment-error", class: "error", role: "alert", part: "error" });
    const lacking = () => {
      error.textContent = say("COMMENT_REQUIRED");
      field.setAttribute("aria-invalid", "true");
      field.focus();
    };
    if (known) return lacking;
    const needed = () => form.querySelector("input:checked")?.matches("[data-comment]") ?? false;
    const look = () => {
      error.textContent = "";
      field.removeAttribute("aria-invalid");
      label.textContent = needed() ? say("comment_needed") : optional;
      field.setAttribute("aria-required", String(needed()));
    };
    const submit = (event) => {
      if (!needed() || field.value.trim()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      lacking();
    };
    field.after(error);
    field.setAttribute("aria-describedby", "comment-hint comment-error");
    form.addEventListener("input", look);
    form.addEventListener("submit", submit, { capture: true });
    look();
    return lacking;
  }

  #offer(open) {
    if (this.#busy) return;
    if (open) {
      this.#takeBack ??= this.#kit.el("button", { type: "button", part: "take-back", click: () => this.#take() });
      this.#takeBack.textContent = this.#kit.say("take_back");
      this.#takeBack.setAttribute("aria-label", this.#kit.say("take_back_named", { order: this.#host.order.order_id }));
      if (!this.#takeBack.isConnected) this.#error.before(this.#takeBack);
    } else {
      this.#error.textContent = "";
      this.#takeBack?.remove();
    }
  }

  #take() {
    if (this.#busy) return;
    this.#busy = true;
    const done = (ok) => {
      this.#busy = false;
      if (ok) this.#said = "withdrawn";
    };
    import("./rare.js")
      .then(({ takeBack }) => takeBack(this.#host, this.#kit, this.#takeBack, this.#error, done, (code, body) => this.why(code, body)))
      .catch(() => done());
  }

  #has(button) {
    return !!button && this.#host.shadowRoot.activeElement === button;
  }

  #wait(end) {
    clearTimeout(this.#ends);
    if (end !== this.#end) this.#late = LATE_FIRST;
    this.#end = end;
    const words = end ? this.#kit.say("until", { time: this.#time(end) }) : "";
    if (this.#until.textContent !== words) this.#until.textContent = words;
    if (!end || !this.#host.isConnected) return;
    const left = end + WINDOW_LAST - Date.now();
    this.#ends = setTimeout(() => this.#over(), Math.min(left > 0 ? left : this.#late, DAY));
  }

  /** The window's end has come by this device's clock: the API says whether it has. */
  async #over() {
    if (!this.#host.isConnected) return;
    if (Date.now() >= this.#end + WINDOW_LAST) {
      this.#late *= 4;
      const button = this.#host.shadowRoot.querySelector('[part="button"]');
      const focused = this.#has(button);
      await this.#look((order) => {
        const closed = !order.available_actions.includes("CANCEL") && !order.cancellation;
        this.#said = closed ? "CANCELLATION_WINDOW_CLOSED" : "";
      });
      if (focused && !button.isConnected) this.#host.shadowRoot.querySelector('[part="status"]').focus();
    }
    this.#wait(this.#end);
  }

  async #look(first = () => {}) {
    const before = this.#host.order;
    const answer = await this.#kit.call("GET", "");
    if (answer.ok && this.#host.order === before) {
      first(answer.body);
      this.#kit.learn(answer.body);
    }
    return answer;
  }

  follow() {
    const { order, isConnected } = this.#host;
    const pending = isConnected && order?.cancellation?.refund?.status === "pending";
    const waits = isConnected && order?.cancellation_request?.status === "open";
    document[pending || waits ? "addEventListener" : "removeEventListener"]("visibilitychange", this.#seen);
    if (!pending || document.hidden) {
      clearTimeout(this.#timer);
      this.#timer = 0;
      if (!pending) this.#pause = LOOK_FIRST;
      return;
    }
    if (this.#timer || this.#looking) return;
    this.#timer = setTimeout(async () => {
      this.#timer = 0;
      this.#looking = true;
      const answer = await this.#look();
      this.#looking = false;
      if (answer.code !== "SIGNED_OUT") this.follow();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 1.5, LOOK_LAST);
  }
}
