/** Shared code of the pages: configuration, language, session, header, calls to the API, and error messages. */
import { CancelOrder, money } from "./cancel-order/cancel-order.js";
import { el } from "./dom.js";
import { openSession } from "./session.js";

/** A language is a file of this folder, two of cancel-order/lang, one of withdraw-contract/lang, and a line here. */
const LANGUAGES = {
  da: "Dansk",
  de: "Deutsch",
  en: "English",
  es: "Español",
  fi: "Suomi",
  fr: "Français",
  it: "Italiano",
  nl: "Nederlands",
  pl: "Polski",
  sv: "Svenska",
};
/** These lack no word. What another one lacks is English. */
const WHOLE = ["da", "de", "en", "es", "fi", "fr", "it", "nl", "pl", "sv"];
const CHOSEN = "cancel-core.language";

const language =
  [localStorage.getItem(CHOSEN), ...navigator.languages.map((one) => one.split("-")[0])].find((one) => one && one in LANGUAGES) ?? "en";
const words = (code) => import(`./lang/${code}.js`).then((module) => module.default, () => null);
/** Dates and money in the format of the customer's region, if the browser has one for this language. */
const locale = navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
const label = (code) => import(`./withdraw-contract/lang/${code}.js`);
// The component needs its words only with the first order: they come meanwhile.
CancelOrder.languages[language]?.().catch(() => {});
const [own, statutory, settings] = await Promise.all([
  words(language),
  label(language).catch(() => label("en")),
  fetch("config.json").then((answer) => answer.json()),
]);
/** config.json. */
export const config = settings;
const english = own && WHOLE.includes(language) ? {} : await words("en");
const text = { ...english, ...own, withdraw: statutory.default.withdraw };

/** The text of `key`, with {names} filled in. */
export function say(key, values = {}) {
  return text[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** A failed call to the API: an Error with `code` OFFLINE, DOWN or NOT_FOUND. */
export class Failure extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export const session = await openSession(config.sign_in);
const main = el("main", { id: "main", tabindex: "-1" });

/**
 * One request to the API, a POST where there is a `body`: the answer's {status, body}. `body` is null where a refusal has
 * none that is JSON. Raises Failure where no answer comes.
 */
export async function ask(path, { token = null, body = null } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  try {
    const signal = AbortSignal.timeout(35000);
    const answer = await fetch(`${config.api}${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
    return { status: answer.status, body: await (answer.ok ? answer.json() : answer.json().catch(() => null)) };
  } catch {
    throw new Failure(navigator.onLine ? "DOWN" : "OFFLINE");
  }
}

/** GET `path` of the API as the customer. Raises Failure. */
export async function get(path) {
  const token = await session.token();
  const { status, body } = token ? await ask(path, { token }) : { status: 401 };
  if (status === 200) return body;
  if (status === 401) {
    await signedOut();
    return new Promise(() => {});
  }
  throw new Failure(status === 404 ? "NOT_FOUND" : "DOWN");
}

/** The same, but null if it is unavailable, which changes nothing on the page. */
export async function peek(path) {
  const token = await session.token();
  const answer = token && (await ask(path, { token }).catch(() => null));
  return answer?.status === 200 ? answer.body : null;
}

/** Sets the title of the page. */
export const entitle = (words) => (document.title = `${words} – ${config.shop}`);

/**
 * Starts a page: `show` fills the main part, once somebody is signed in unless the page is `open` to everybody.
 * `token`, `expired`: what the component asks for, and what is done when the API takes that for no token.
 */
export async function start(title, show, { open = false, token = () => session.token(), expired = signedOut } = {}) {
  document.documentElement.lang = locale;
  entitle(say(title));
  CancelOrder.api = config.api;
  CancelOrder.getToken = token;
  addEventListener("sessionexpired", () => expired());
  document.querySelector("noscript")?.remove();
  document.body.prepend(el("a", { class: "skip", href: "#main" }, say("skip")), header(title), main, footer());
  if (session.name === null && !open) signIn();
  else await attempt(() => show(main, session.name));
}

/** Runs `work`; if the API does not answer, shows that in `place` with a button to retry. */
export async function attempt(work, place = main) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const notice = el(
      "div",
      { class: "notice", role: "alert" },
      el(document.querySelector("h1") ? "p" : "h1", {}, say(error.code)),
      error.code === "NOT_FOUND"
        ? el("p", {}, el("a", { href: "orders.html" }, say("orders")))
        : el("button", { type: "button", click: () => (notice.remove(), attempt(work, place)) }, say("try_again")),
    );
    place.append(notice);
  }
}

async function signedOut() {
  await session.forget();
  session.name = null;
  document.querySelector("header")?.replaceWith(header());
  signIn(say("signed_out"));
}

function header(current = "") {
  const link = (href, key) => el("a", { href, "aria-current": key === current ? "page" : null }, say(key));
  const choice = el(
    "select",
    {
      "aria-label": say("language"),
      change: () => {
        localStorage.setItem(CHOSEN, choice.value);
        location.reload();
      },
    },
    ...Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, lang: code, selected: code === language }, name)),
  );
  return el(
    "header",
    {},
    el(
      "div",
      { class: "bar" },
      el("a", { class: "shop", href: "./" }, config.shop),
      el(
        "nav",
        { "aria-label": say("navigation") },
        ...(session.name === null ? [link("guest.html", "guest")] : [link("./", "account"), link("orders.html", "orders")]),
      ),
      el(
        "div",
        { class: "tools" },
        choice,
        session.name === null ? null : el("button", { type: "button", class: "quiet", click: () => session.signOut() }, say("sign_out")),
      ),
    ),
  );
}

/** On every page: the law requires the withdrawal function to be easy to find. */
function footer() {
  return el("footer", {}, el("div", { class: "bar" }, el("a", { class: "withdraw", href: "withdraw.html#form" }, say("withdraw"))));
}

function signIn(notice = "") {
  const said = el("p", { role: "alert", class: "notice" }, notice);
  const enter = (customer) =>
    session.signIn(customer).catch(() => {
      said.textContent = say("DOWN");
      said.hidden = false;
    });
  said.hidden = !notice;
  const heading = el("h1", { tabindex: "-1" }, say("sign_in"));
  const own = el("input", { id: "customer", required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const submit = (event) => {
    event.preventDefault();
    enter({ customer_id: own.value });
  };
  main.replaceChildren(
    el(
      "div",
      { class: "narrow" },
      heading,
      said,
      ...(session.kind === "oidc"
        ? [
            el("p", { class: "muted" }, say("sign_in_why")),
            el("button", { type: "button", class: "primary", click: () => enter() }, say("sign_in")),
          ]
        : [
            el("p", { class: "muted" }, say("sign_in_demo")),
            el(
              "div",
              { class: "customers" },
              ...session.customers.map((customer) =>
                el(
                  "button",
                  { type: "button", class: "customer", click: () => enter(customer) },
                  el("strong", {}, customer.name),
                  el("span", { class: "muted" }, customer.customer_id in text ? say(customer.customer_id) : customer.customer_id),
                ),
              ),
            ),
            el(
              "form",
              { class: "inline", submit },
              el("label", { for: "customer" }, say("sign_in_other")),
              el("div", {}, own, el("button", {}, say("sign_in"))),
            ),
          ]),
      el("p", { class: "aside" }, say("guest_question"), " ", el("a", { href: "guest.html" }, say("guest"))),
    ),
  );
  if (notice) heading.focus();
}

// ------------------------------------------------------------------ rendering orders

/** An order that could not be read as a whole has null values, which are shown as a dash. */
export const price = (amount, currency) => (Number.isInteger(amount) && /^[A-Z]{3}$/.test(currency) ? money(amount, currency, locale) : "–");

export function when(iso, style = { dateStyle: "long" }) {
  const at = new Date(iso ?? "");
  return Number.isNaN(at.getTime()) ? "–" : el("time", { datetime: iso }, new Intl.DateTimeFormat(locale, style).format(at));
}

/** A date, YYYY-MM-DD, formatted for the language, regardless of the customer's time zone. */
export const day = (date) => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(new Date(date));

export const quantity = (number) => new Intl.NumberFormat(locale).format(number);

/** The status as a badge; an unknown one is the shop's own. */
export function badge(status) {
  const known = `status_${status}` in text;
  return el("span", { class: `badge ${known ? status : ""}` }, status ? say(`status_${known ? status : "other"}`) : "–");
}

/** Known words are translated, others shown as they are. */
export const word = (prefix, value) => (`${prefix}_${value}` in text ? say(`${prefix}_${value}`) : value);

/** The component for an order. `changed` is called with the order whenever it changes. */
export function cancelOrder(order, changed, attributes = {}) {
  const made = el("cancel-order", { ...attributes, orderchanged: (event) => changed(event.detail.order) });
  made.order = order;
  return made;
}

/** An order in a list; `heading` is the level of its name. */
export function orderRow(order, heading) {
  const status = el("span", {});
  const named = `${say("withdraw")}: ${order.order_id}`;
  const link = el("a", { class: "withdraw", href: `withdraw.html#order=${encodeURIComponent(order.order_id)}`, "aria-label": named }, say("withdraw"));
  const withdraw = el("p", {}, link);
  const show = (now) => {
    status.replaceChildren(badge(now.status));
    withdraw.hidden = !now.available_actions.includes("WITHDRAW");
  };
  show(order);
  const href = `order.html?id=${encodeURIComponent(order.order_id)}`;
  return el(
    "li",
    { class: "order card", "data-order": order.order_id },
    el(
      "div",
      { class: "what" },
      el(heading, {}, el("a", { href }, say("order_number", { order: order.order_id }))),
      el("p", { class: "muted" }, when(order.placed_at)),
      withdraw,
    ),
    el("div", { class: "how" }, status, el("span", { class: "price" }, price(order.total, order.currency))),
    cancelOrder(order, show),
  );
}
