// A vitest setup file. A test that loops without ever giving up its thread cannot be timed out by
// that thread, and neither can a test file that is waited for though nothing happens in it: the run
// would last until somebody ends it, and nobody would know where it was. So a second thread watches
// the first. When that has not come round for STUCK_TESTS_MS milliseconds, or has been at one test
// file for STUCK_FILE_MS, it says where it is, and ends the process: the runner reports a failure.
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { Worker, isMainThread, workerData } from "node:worker_threads";

const stuckMs = Number(process.env.STUCK_TESTS_MS ?? 120_000);
const fileMs = Number(process.env.STUCK_FILE_MS ?? 300_000);
const beatMs = Math.min(1000, stuckMs / 4);
// Test files may share a process, and each runs this file anew.
const mark = Symbol.for("coterie.stuck-tests");

const file = "globalThis.__vitest_worker__?.filepath ?? 'what was begun'";
const resources = "process.getActiveResourcesInfo().join(' ')";

function watched() {
  const counts = new Int32Array(new SharedArrayBuffer(8));
  setInterval(() => Atomics.add(counts, 0, 1), beatMs).unref();
  const options = { workerData: { counts }, execArgv: [] };
  new Worker(new URL(import.meta.url), options).unref();
  return counts;
}

function watch(counts) {
  const beats = { seen: -1, missed: 0, limit: Math.ceil(stuckMs / beatMs) };
  const files = { seen: -1, missed: 0, limit: Math.ceil(fileMs / beatMs) };
  setInterval(() => {
    for (const [at, count] of [beats, files].entries()) {
      const now = Atomics.load(counts, at);
      count.missed = now === count.seen ? count.missed + 1 : 0;
      count.seen = now;
    }
    if (beats.missed === beats.limit) tellAndEnd(`holds its thread for ${stuckMs} ms`);
    else if (files.missed === files.limit) tellAndEnd(`is not over after ${fileMs} ms`);
  }, beatMs);
}

function tellAndEnd(what) {
  const session = new Session();
  const urls = new Map();
  session.connectToMainThread();
  session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
  session.on("Debugger.paused", ({ params }) => {
    const lines = params.callFrames.map(({ functionName, location, url }) => {
      const where = url || urls.get(location.scriptId);
      return `    at ${functionName || "(anonymous)"} ${where}:${location.lineNumber + 1}\n`;
    });
    const expression = `[${file}, ${resources}]`;
    session.post("Runtime.evaluate", { expression, returnByValue: true }, (_, found) => {
      const [which, waitsFor] = found.result.value;
      writeSync(2, `${which} ${what}:\n${lines.join("")}    waits for: ${waitsFor}\n`);
      process.kill(process.pid, "SIGKILL");
    });
  });
  session.post("Debugger.enable");
  session.post("Debugger.pause");
}

if (isMainThread) {
  globalThis[mark] ??= watched();
  Atomics.add(globalThis[mark], 1, 1);
} else watch(workerData.counts);
