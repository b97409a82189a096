import { expect, it } from "vitest";
import { buildHttpApp } from "../../src/doors/http/app.ts";
import { oneNode } from "./one-node.ts";

it("a defect is answered with 500, which says nothing of it, and told to the process", async () => {
  const { node } = await oneNode();
  const defect = new Error("a secret of ours");
  const broken = Object.create(node, { get: { value: () => Promise.reject(defect) } });
  const defects: Error[] = [];
  const app = buildHttpApp(broken, {
    valueBytesMax: 1,
    bodyBytesMax: 1,
    unreadBytesMax: 1,
    metrics: () => Promise.resolve({ contentType: "", text: "" }),
    observe: () => undefined,
    onDefect: (error) => defects.push(error),
    allowedHosts: "all",
  });
  const answer = await app.request("http://localhost/v1/buckets/default/keys/k");
  expect(answer.status).toBe(500);
  const text = await answer.text();
  expect(text).toContain('"code":"internal"');
  expect(text).not.toContain("secret");
  expect(defects).toEqual([defect]);
});
