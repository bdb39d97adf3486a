/**
 * Find your order, for who has no account: a code that is sent to the order's address opens this one order for half an
 * hour. The token is kept in this tab alone; number, address and code nowhere.
 */
import { linked, whenLinked } from "./linked.js";
import { el } from "./dom.js";
import { showOrder } from "./order-view.js";
import { ask, attempt, entitle, Failure, say, start } from "./shell.js";

const KEPT = "cancel-core.guest";
/** Milliseconds between checks of the token once it should have expired. */
const LOOK = 60_000;
/** For fields without autocorrection. */
const PLAIN = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };

/** The last request: {order_id, email}. */
let asked = { order_id: "", email: "" };
let main = null;
let timer = 0;

/** {token, expires_at}, or null. */
const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "null");

const forget = () => sessionStorage.removeItem(KEPT);

whenLinked((link) => main && enter(say("code_linked"), link));

await start(
  "guest",
  async (place) => {
    main = place;
    if (linked) enter(say("code_linked"), linked);
    else if (kept()) await open();
    else find();
  },
  { open: true, token: () => kept()?.token ?? null, expired },
);

// ------------------------------------------------------------------ the two forms

/** Asks for the order's number and its address. */
function find(notice = "") {
  const number = field("order_id", asked.order_id, { maxlength: "255", ...PLAIN });
  const address = field("email", asked.email, { maxlength: "254", inputmode: "email", ...PLAIN, autocomplete: "email" });
  const send = async () => {
    asked = { order_id: number.value, email: address.value };
    if (!asked.order_id) return number.complain("order_needed");
    if (!/^[^\s@]+@[^\s@]+$/.test(asked.email)) return address.complain("email_needed");
    const refused = await sendCode();
    if (!refused) enter(say("code_sent"), null);
    else if (refused.includes("/order_id")) number.complain("order_needed");
    else address.complain("email_needed");
  };
  show(
    say("guest"),
    notice ? el("p", { class: "notice" }, notice) : null,
    el("p", { class: "muted" }, say("guest_why")),
    form("send_code", send, [number, address]),
    el("p", { class: "aside" }, say("have_code"), " ", button("enter_code", () => enter("", { order_id: number.value, code: "" }))),
  );
}

/** Requests a code from the API. Returns the names of invalid fields, or null. Raises Failure. */
async function sendCode() {
  const { status, body } = await ask("/guest-access", { body: asked });
  if (status === 202) return null;
  if (status === 422) return (body?.errors ?? []).map(({ pointer }) => pointer);
  throw new Failure("DOWN");
}

/** Asks for the code; for the order's number too where a `link` or the customer has it, {order_id, code}. */
function enter(sentence, link) {
  const number = link && field("order_id", link.order_id, { maxlength: "255", ...PLAIN });
  const code = field("code", link?.code ?? "", { inputmode: "numeric", autocomplete: "one-time-code", class: "code" }, say("code_hint"));
  const send = async () => {
    const order_id = number ? number.value : asked.order_id;
    // Spaces and hyphens in the input are accepted.
    const digits = code.value.replace(/[\s\p{Pd}]/gu, "");
    if (!order_id) return number.complain("order_needed");
    if (!/^\d{6}$/.test(digits)) return code.complain("code_needed");
    const { status, body } = await ask("/guest-access/token", { body: { order_id, code: digits } });
    if (status === 200) {
      asked = { order_id, email: number ? "" : asked.email };
      sessionStorage.setItem(KEPT, JSON.stringify(body));
      await attempt(open);
    } else if (status === 401 || status === 422) code.complain("INVALID_ACCESS_CODE");
    else throw new Failure("DOWN");
  };
  const sent = el("p", { role: "status" });
  const again = async () => {
    code.clear();
    sent.textContent = say("one_moment");
    try {
      await sendCode();
      sent.textContent = say("code_sent_again");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      sent.textContent = say(error.code);
    }
  };
  const change = () => {
    if (number) asked = { order_id: number.value, email: "" };
    find();
  };
  show(
    say("enter_code"),
    sentence ? el("p", {}, sentence) : null,
    form("show_order", send, [number, code].filter(Boolean)),
    number
      ? el("p", { class: "aside" }, say("code_useless"), " ", button("ask_code", change))
      : el(
          "section",
          { class: "aside", "aria-labelledby": "nothing" },
          el("h2", { id: "nothing" }, say("nothing_came")),
          el("p", { class: "muted" }, say("nothing_came_why")),
          el("div", { class: "under" }, button("send_again", again), button("change", change)),
          sent,
        ),
  );
}

// ------------------------------------------------------------------ the order

async function open() {
  const { token, expires_at } = kept();
  const { status, body } = await ask("/guest/order", { token });
  if (status === 401 || status === 404) return expired();
  if (status !== 200) throw new Failure("DOWN");
  const leave = () => {
    forget();
    asked = { order_id: "", email: "" };
    find(say("left"));
  };
  main.replaceChildren(
    el("div", { class: "under leave" }, el("p", { class: "muted" }, say("guest_until")), button("leave", leave)),
    ...showOrder(body, { guest: true }),
  );
  main.querySelector("h1").focus();
  // The API decides when it expires; this device's clock may be wrong.
  timer = setTimeout(look, Math.max(Date.parse(expires_at) - Date.now(), LOOK));
}

/** Hides the order when the token has expired, but not during an action, or while a receipt is shown. */
async function look() {
  const withdrawing = (main.querySelector("withdraw-contract")?.step ?? "button") !== "button";
  const busy = withdrawing || main.querySelector("cancel-order")?.shadowRoot.querySelector("dialog[open]");
  const answer = busy ? null : await ask("/guest/order", { token: kept()?.token }).catch(() => null);
  if (answer?.status === 401) expired();
  else timer = setTimeout(look, LOOK);
}

function expired() {
  forget();
  find(say("guest_expired"));
}

// ------------------------------------------------------------------ form elements

function show(title, ...content) {
  const heading = el("h1", { tabindex: "-1" }, title);
  const first = !main.firstChild;
  clearTimeout(timer);
  main.replaceChildren(el("div", { class: "narrow" }, heading, ...content));
  entitle(title);
  if (!first) heading.focus();
}

function button(key, click) {
  return el("button", { type: "button", click }, say(key));
}

/** A field with its label, a hint, and its error message. */
function field(name, value, attributes, hint = "") {
  const error = el("p", { id: `${name}-error`, class: "error", role: "alert" });
  const input = el("input", { id: name, "aria-required": "true", "aria-describedby": `${name}-hint ${name}-error`, ...attributes });
  input.value = value;
  const clear = () => {
    error.textContent = "";
    input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", clear);
  return {
    get value() {
      return input.value.trim();
    },
    clear,
    complain(key) {
      error.textContent = say(key);
      input.setAttribute("aria-invalid", "true");
      input.focus();
    },
    element: el(
      "div",
      { class: "field" },
      el("label", { for: name }, say(name)),
      el("p", { id: `${name}-hint`, class: "muted", hidden: !hint }, hint),
      input,
      error,
    ),
  };
}

/** Fields and a button, which is disabled during `send`. A missing answer is reported here. */
function form(action, send, fields) {
  const act = el("button", { class: "primary" }, say(action));
  const progress = el("p", { role: "status", class: "muted" });
  const failure = el("p", { role: "alert", class: "error" });
  let busy = false;
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    for (const one of fields) one.clear();
    failure.textContent = "";
    progress.textContent = say("one_moment");
    act.setAttribute("aria-disabled", "true");
    try {
      await send();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure.textContent = say(error.code);
    } finally {
      busy = false;
      progress.textContent = "";
      act.removeAttribute("aria-disabled");
    }
  };
  return el("form", { class: "fields", novalidate: true, submit }, ...fields.map((one) => one.element), act, progress, failure);
}
