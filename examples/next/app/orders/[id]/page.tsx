import { CancelButton } from "../../cancel-button";

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return (
    <main>
      <h1>Order {id}</h1>
      <CancelButton orderId={id} />
    </main>
  );
}
