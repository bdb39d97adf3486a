// A typed client of the API: cancels one order for its customer, and repeats the request until there is an answer.
//
//   node cancel.js https://api.example.com ORDER_ID REASON   (the customer's token in TOKEN)
//
// `api.d.ts` is generated from docs/openapi.yaml by openapi-typescript (`make clients`).
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type CancelAnswer = components["schemas"]["CancelAnswer"];

/** What a function has refused, with its `code`, or what the gateway answered, which has none. */
export class Refused extends Error {
  constructor(readonly status: number, readonly problem: Problem | undefined, message: string) {
    super(message);
  }
}

export function client(baseUrl: string, token: string) {
  return createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
}

/** Cancels the order, or asks the shop to. One key for all tries: the order is cancelled once. */
export async function cancel(api: ReturnType<typeof client>, orderId: string, reason: string): Promise<CancelAnswer> {
  const key = crypto.randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const { data, error, response } = await api.POST("/orders/{order_id}/cancellation", {
      params: { path: { order_id: orderId }, header: { "Idempotency-Key": key } },
      body: { reason },
    });
    if (data) return data;
    const again = response.status === 503 || response.status === 500;
    if (!again || attempt === 5) {
      const problem = "code" in error ? error : undefined;
      throw new Refused(response.status, problem, problem?.detail ?? response.statusText);
    }
    const seconds = Number(response.headers.get("retry-after") ?? 2 ** attempt / 10);
    await new Promise((go) => setTimeout(go, seconds * 1000));
  }
}

const [url, orderId, reason] = process.argv.slice(2);
if (url && orderId && reason) {
  const api = client(url, process.env.TOKEN ?? "");
  const { data: eligibility } = await api.GET("/orders/{order_id}/cancellation-eligibility", {
    params: { path: { order_id: orderId } },
  });
  try {
    const { order, cancellation } = await cancel(api, orderId, reason);
    const refund = cancellation?.refund;
    console.log(JSON.stringify({ eligible: eligibility?.eligible, status: order.status, amount: refund?.amount ?? 0 }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(JSON.stringify({ eligible: eligibility?.eligible, refused: error.problem?.code ?? error.status }));
  }
}
