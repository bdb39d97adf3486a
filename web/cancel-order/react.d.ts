/** JSX for React 19 and later: `import "@cancel-core/cancel-order/react"`. */
import type { ClassAttributes, HTMLAttributes } from "react";
import type { CancelOrder, CancelOrderAttributes } from "./cancel-order.js";

export * from "./cancel-order.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "cancel-order": Omit<HTMLAttributes<CancelOrder>, keyof CancelOrderAttributes> & ClassAttributes<CancelOrder> & CancelOrderAttributes;
    }
  }
}
