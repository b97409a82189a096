import { expect, it } from "vitest";
import { buildHttpApp } from "../../src/doors/http/app.ts";
import { HttpStatistics } from "../../src/doors/http/http-statistics.ts";
import { oneNode } from "./one-node.ts";

it("a defect is answered with 500, which says nothing of it, and told to the process", async () => {
  const { node } = await oneNode();
  const defect = new Error("a secret of ours");
  const broken = Object.create(node, { get: { value: () => Promise.reject(defect) } });
  const defects: Error[] = [];
  const observed: string[] = [];
  const app = buildHttpApp(broken, {
    valueBytesMax: 1,
    statistics: new HttpStatistics({ bodyBytesMax: 1, unreadBytesMax: 1 }),
    metrics: () => Promise.resolve({ contentType: "", text: "" }),
    observe: ({ operation, status }) => observed.push(`${operation} ${status}`),
    onDrainAsked: () => undefined,
    onDefect: (error) => defects.push(error),
    allowedHosts: "all",
  });
  const answer = await app.request("http://localhost/v1/buckets/default/keys/k");
  expect(answer.status).toBe(500);
  const text = await answer.text();
  expect(text).toContain('"code":"internal"');
  expect(text).not.toContain("secret");
  expect(defects).toEqual([defect]);
  expect(observed).toEqual(["get 500"]);
});
