import { describe, it } from "vitest";
import { FakeCoterie } from "@coterie/client/testing";
import { clientPromises } from "../src/client-contract.ts";

describe("the fake client promises that", () => {
  it.each(clientPromises)("$promise", async (guarantee) => {
    const coterie = new FakeCoterie();
    await guarantee.run(coterie, "scope/");
    await coterie.close();
  });
});
