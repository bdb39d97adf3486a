/** Types of `<cancel-order>`. The API's responses have more fields than listed here: docs/openapi.yaml. */

/** Whole minor units (cents, öre), formatted for the language: money(4080, "EUR", "en") is "€40.80". */
export function money(amount: number, currency: string, lang: string): string;

/** What was paid and not invoiced: `back`, a part of the refund's amount, or `kept` by the shop. */
export function beyond(refund: Refund | null | undefined): { back?: number; kept?: number };

/** Amounts are whole minor units of `currency`. */
export interface Refund {
  currency: string;
  amount: number;
  shipping: number;
  fees: number;
  items: { item_id: string; sku: string; qty: number; amount: number }[];
  not_invoiced: number;
  refund_id?: string;
  status?: "pending" | "succeeded" | "failed";
  credited_by_shop?: number;
  settled_by_hand?: number;
  payments?: {
    payment_id: string;
    provider: string;
    action: "refund" | "void";
    amount: number;
    status: "pending" | "succeeded" | "failed";
  }[];
}

export interface Cancellation {
  cancellation_id: string;
  order_id: string;
  reason: { code: string; description: string };
  comment: string | null;
  /** ISO 8601, UTC. */
  requested_at: string;
  refund: Refund | null;
}

export interface CancellationRequest {
  request_id: string;
  status: "open" | "approved" | "declined" | "withdrawn" | "lapsed";
  reason: { code: string; description: string };
  comment: string | null;
  requested_at: string;
  decided_at: string | null;
  note: string | null;
}

/** An order of `GET /orders` or `GET /orders/{order_id}`; the latter has `items`, `history` and `cancellation`. */
export interface Order {
  order_id: string;
  store_id: string;
  status: string;
  placed_at: string;
  currency: string;
  total: number;
  available_actions: string[];
  cancellable_until?: string | null;
  cancellation?: Cancellation | null;
  cancellation_request?: CancellationRequest | null;
  [field: string]: unknown;
}

/** The texts of a language by key, with {names} filled in; missing ones are in English. */
export interface Language {
  default: Record<string, string>;
  more?: () => Promise<{ default: Record<string, string> }>;
}

type Token = string | null | undefined;
export type TokenSource = () => Token | Promise<Token>;

export interface CancelOrderEvents {
  ordercancelled: CustomEvent<{ order: Order; cancellation: Cancellation }>;
  cancellationrequested: CustomEvent<{ order: Order; cancellation_request: CancellationRequest }>;
  cancellationwithdrawn: CustomEvent<{ order: Order; cancellation_request: CancellationRequest }>;
  orderchanged: CustomEvent<{ order: Order }>;
  sessionexpired: CustomEvent<Record<string, never>>;
  /** The order can't be shown. `code`: of the API's problem, or NO_ANSWER, OFFLINE, NO_ORDER, "no getToken". */
  cancelordererror: CustomEvent<{ code: string; order_id: string | null }>;
}

export class CancelOrder extends HTMLElement {
  /** The API's URL; "" is the page's origin. The token is sent only to this URL. */
  static api: string;
  /** The customer's access token, null if nobody is signed in. Called before every request. */
  static getToken: TokenSource | null;
  /** Languages by their code; a site adds its own at any time. */
  static languages: Record<string, () => Language | Promise<Language>>;
  /** For this element alone, instead of `CancelOrder.getToken`. */
  getToken?: TokenSource | null;
  /** The last known order. Setting an older one, as on a framework's render, changes nothing. */
  get order(): Order | null;
  set order(order: Order | null);
  /** Loads the order again. */
  refresh(): Promise<void>;
  addEventListener<K extends keyof CancelOrderEvents>(
    type: K,
    listener: (this: CancelOrder, event: CancelOrderEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

/** What a template may set: attributes, properties, and a listener for each event. */
export type CancelOrderAttributes = {
  "order-id"?: string;
  guest?: boolean | "";
  "support-url"?: string;
  lang?: string;
  order?: Order | null;
  getToken?: TokenSource | null;
} & { [K in keyof CancelOrderEvents as `on${K}`]?: (event: CancelOrderEvents[K]) => void };

declare global {
  interface HTMLElementTagNameMap {
    "cancel-order": CancelOrder;
  }
  interface GlobalEventHandlersEventMap extends CancelOrderEvents {}
}
