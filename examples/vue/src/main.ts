import { createApp } from "vue";
import { CancelOrder } from "@cancel-core/cancel-order/vue";
import Order from "./Order.vue";

declare global {
  /** Yours: the API's address, and where the customer's access token comes from. */
  var shop: { api: string; order: string; accessToken(): Promise<string | null> };
}

CancelOrder.api = window.shop.api;
CancelOrder.getToken = () => window.shop.accessToken();

createApp(Order, { id: window.shop.order }).mount("#app");
