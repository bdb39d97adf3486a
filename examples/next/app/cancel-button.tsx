"use client";
// The import is safe on the server too; the element comes to life in the browser.
import { CancelOrder } from "@cancel-core/cancel-order/react";
import { useRouter } from "next/navigation";

CancelOrder.api = process.env.NEXT_PUBLIC_CANCEL_API ?? "";
CancelOrder.getToken = async () => (await fetch("/api/token")).text();

export function CancelButton({ orderId }: { orderId: string }) {
  const router = useRouter();
  return <cancel-order order-id={orderId} support-url="/help" onorderchanged={() => router.refresh()} />;
}
