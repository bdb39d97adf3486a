import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { CancelOrder } from "@cancel-core/cancel-order/react";
import { App } from "./App";

declare global {
  /** Yours: the API's address, and where the customer's access token comes from. */
  var shop: { api: string; order: string; accessToken(): Promise<string | null> };
}

CancelOrder.api = window.shop.api;
CancelOrder.getToken = () => window.shop.accessToken();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App id={window.shop.order} />
  </StrictMode>,
);
