import { expect, it } from "vitest";
import { RealCluster } from "../src/real-cluster.ts";

const path = "/v1/buckets/default/keys/cart";

/** A node's own copy: its values, in base64; the status if it has none. */
async function ownCopy(door: string): Promise<string> {
  const answer = await fetch(`http://${door}/v1/replica/default/cart`);
  if (answer.status !== 200) return String(answer.status);
  const { siblings } = (await answer.json()) as { siblings: readonly { value: string }[] };
  return siblings
    .map(({ value }) => value)
    .toSorted()
    .join();
}

it("with two of three primaries dead, fallbacks stand in, and hand it over later", async () => {
  const cluster = await RealCluster.start({ arguments: ["--nodes", "5"] });
  const doorOf = (id: string): string => cluster.doors[Number(id.slice(1)) - 1] ?? "";
  try {
    const explained = await fetch(`http://${cluster.doors[0]}/v1/explain/default/cart`);
    const { preferenceList } = (await explained.json()) as { preferenceList: readonly string[] };
    const [alive = "", ...dead] = preferenceList.slice(0, 3);
    await cluster.kill(...dead);
    const strictly = async (): Promise<string> => {
      const options = { method: "PUT", body: "refused" };
      const answer = await fetch(`http://${doorOf(alive)}${path}?strict=true`, options);
      return `${answer.status} ${answer.headers.get("coterie-outcome")}`;
    };
    await expect.poll(strictly, { timeout: 30_000 }).toBe("503 refused");
    const put = await fetch(`http://${doorOf(alive)}${path}?strict=false`, {
      method: "PUT",
      body: "held",
    });
    expect(put.status).toBe(204);
    expect(put.headers.get("coterie-acks")).toBe("primaries=1; fallbacks=1; w=2");
    const get = await fetch(`http://${doorOf(alive)}${path}?strict=false`);
    expect(get.headers.get("coterie-acks")).toBe("primaries=1; fallbacks=1; r=2");
    await get.arrayBuffer();
    await cluster.revive(...dead);
    const expected = await ownCopy(doorOf(alive));
    for (const id of dead) {
      await expect.poll(() => ownCopy(doorOf(id)), { timeout: 60_000 }).toBe(expected);
    }
  } finally {
    await cluster.stop();
  }
}, 150_000);
