import * as fc from "fast-check";
import { describe, it } from "vitest";
import { coterie } from "./arbitraries.ts";
import { laws, overwritingLaws, patientLaws } from "./laws.ts";

describe("the laws of causality", () => {
  it.each(Object.entries(laws))("%s", (_, law) => {
    fc.assert(law(coterie), { numRuns: 1000 });
  });
});

describe("the laws of causality, when dead write ids were forgotten meanwhile", () => {
  it.each(Object.entries(patientLaws))("%s", (_, law) => {
    fc.assert(law(coterie), { numRuns: 1000 });
  });
});

describe("the laws of causality, where puts overwrite what their clients have not read", () => {
  it.each(Object.entries(overwritingLaws))("%s", (_, law) => {
    fc.assert(law(coterie), { numRuns: 1000 });
  });
});
