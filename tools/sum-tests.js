// Sums vitest's JSON reports for .ci/run: node tools/sum-tests.js STEPS_FAILED REPORT...
// Names what failed and what was skipped; the last line is "N passed, N failed".
import { readFileSync } from "node:fs";

const [stepsFailedText = "0", ...paths] = process.argv.slice(2);
const stepsFailed = Number(stepsFailedText);
const totals = { passed: 0, failed: 0 };

function testsOf(path) {
  try {
    const { testResults } = JSON.parse(readFileSync(path, "utf8"));
    return testResults.flatMap(({ name, status, message, assertionResults }) => {
      // A file that does not load has failed without having a test.
      const isBroken = status === "failed" && assertionResults.length === 0;
      return isBroken ? [{ status: "failed", fullName: `${name}: ${message}` }] : assertionResults;
    });
  } catch (error) {
    return [{ status: "failed", fullName: `no report ${path}: ${error.message}` }];
  }
}

for (const path of paths) {
  for (const { status, fullName } of testsOf(path)) {
    if (status === "passed") totals.passed += 1;
    else if (status === "failed") totals.failed += 1;
    if (status === "failed") process.stdout.write(`FAILED: ${fullName}\n`);
    if (status !== "passed" && status !== "failed") {
      process.stdout.write(`NOT RUN (${status}): ${fullName}\n`);
    }
  }
}

// A step that failed although all of its tests passed is a failure too.
const failed = Math.max(totals.failed, stepsFailed);
process.stdout.write(`${totals.passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
