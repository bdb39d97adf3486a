import { useState } from "react";
import type { Order } from "@cancel-core/cancel-order/react";

/** One order. The element asks for it, and tells of every change. */
export function App({ id }: { id: string }) {
  const [order, setOrder] = useState<Order | null>(null);
  return (
    <main>
      <h1>Order {id}</h1>
      <p>Status: {order?.status ?? "…"}</p>
      <cancel-order
        order-id={id}
        support-url="/help"
        onorderchanged={({ detail }) => setOrder(detail.order)}
        onsessionexpired={() => location.assign("/sign-in")}
      >
        <p slot="unavailable">
          Call us to cancel: <a href="tel:+4681234567">08-123 45 67</a>
        </p>
      </cancel-order>
    </main>
  );
}
