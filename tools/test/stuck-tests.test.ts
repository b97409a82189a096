import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const watch = fileURLToPath(new URL("../stuck-tests.js", import.meta.url));

interface Ended {
  readonly signal: string | undefined;
  readonly stderr: string;
}

/** Runs the code in a process that is watched, as each one is in which tests run. */
function run(code: string, limits: Readonly<Record<string, string>>): Promise<Ended> {
  const env = { ...process.env, ...limits };
  return new Promise((resolve) => {
    execFile(process.execPath, ["--import", watch, "-e", code], { env }, (error, _, stderr) => {
      resolve({ signal: error?.signal ?? undefined, stderr });
    });
  });
}

it("ends a process whose thread never comes round, and says where it is", async () => {
  const turning = "setTimeout(function turning() { for (;;) {} }, 50)";
  const { signal, stderr } = await run(turning, { STUCK_TESTS_MS: "600" });
  expect(signal).toBe("SIGKILL");
  expect(stderr).toContain("what was begun holds its thread for 600 ms:\n    at turning ");
});

it("ends a process in which nothing happens, and says what it waits for", async () => {
  const idle = "require('node:net').createServer().listen(0)";
  const { signal, stderr } = await run(idle, { STUCK_TESTS_MS: "600", STUCK_FILE_MS: "900" });
  expect(signal).toBe("SIGKILL");
  expect(stderr).toMatch(/^what was begun is not over after 900 ms:\n.*TCPServerWrap/su);
});

it("leaves alone who takes long but comes round, and keeps nobody alive", async () => {
  const busy = `
    const burn = (left) => {
      for (const end = Date.now() + 100; Date.now() < end;);
      if (left > 1) setTimeout(burn, 1, left - 1);
    };
    burn(8);
  `;
  expect(await run(busy, { STUCK_TESTS_MS: "600" })).toEqual({ signal: undefined, stderr: "" });
});
