import { errorTable } from "@coterie/core";
import { describe, expect, it } from "vitest";
import { exitOfStatus } from "../src/exit.ts";

describe("exit codes", () => {
  it.each(Object.entries(errorTable))("follow the table of errors for %s", (_, { http, exit }) => {
    expect(exitOfStatus(http)).toBe(exit);
  });
});
