/** Templates of Vue 3.4 and later: `import "@cancel-core/cancel-order/vue"`. */
import type { DefineComponent, HTMLAttributes } from "vue";
import type { CancelOrderAttributes } from "./cancel-order.js";

export * from "./cancel-order.js";

declare module "vue" {
  interface GlobalComponents {
    "cancel-order": DefineComponent<HTMLAttributes & CancelOrderAttributes>;
  }
}
