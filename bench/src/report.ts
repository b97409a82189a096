import type { Measurement } from "./measure.ts";

export interface Limits {
  readonly fdatasyncPerSecond: number;
  readonly echoPerSecond1: number;
  readonly echoPerSecond64: number;
}

export interface Report {
  readonly date: string;
  readonly node: string;
  readonly kernel: string;
  readonly cores: number;
  readonly filesystem: string;
  readonly limits: Limits;
  readonly measurements: readonly Measurement[];
  readonly idleMegabytes: readonly number[];
  /** From starting the processes to all of them ready, with `restartKeys` keys or more. */
  readonly restartMs: number;
  readonly restartKeys: number;
}

/** Prints a report for people. */
export function printReport(report: Report): void {
  const { limits, measurements } = report;
  const lines = [
    `${report.date}  node ${report.node}  linux ${report.kernel}  ${report.cores} cores  ` +
      `disk: ${report.filesystem}`,
    `limits: fdatasync ${round(limits.fdatasyncPerSecond)}/s, loopback echo ` +
      `${round(limits.echoPerSecond1)}/s with 1 and ${round(limits.echoPerSecond64)}/s with 64`,
    `idle: ${report.idleMegabytes.map((mb) => mb.toFixed(0)).join(", ")} MB per node; ` +
      `three nodes with at least ${report.restartKeys} keys ready after ` +
      `${round(report.restartMs)} ms`,
    "",
    row([
      "",
      "in flight",
      "ops/s",
      "p50 ms",
      "p99 ms",
      "CPU µs/op",
      "client µs",
      "fsyncs",
      "ops/message",
    ]),
    ...measurements.map((line) =>
      row([
        line.name + (line.failures > 0 ? ` (${line.failures} FAILED)` : ""),
        String(line.inFlight),
        round(line.operationsPerSecond),
        line.p50Ms.toFixed(2),
        line.p99Ms.toFixed(2),
        line.serverCpuMicros.toFixed(1),
        line.clientCpuMicros.toFixed(1),
        String(line.fsyncs),
        line.operationsPerPeerMessage === 0 ? "-" : line.operationsPerPeerMessage.toFixed(1),
      ]),
    ),
    "",
    ...ratios(report),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function ratios({ limits, measurements }: Report): readonly string[] {
  const find = (name: string, inFlight: number): Measurement | undefined =>
    measurements.find((line) => line.name === name && line.inFlight === inFlight);
  const put = find("http put", 64);
  const door = find("http door alone", 64);
  const lines: string[] = [];
  for (const name of ["http put", "peer put"]) {
    const single = find(name, 1);
    if (single === undefined) continue;
    const ratio = single.operationsPerSecond / limits.fdatasyncPerSecond;
    lines.push(`one waiting client, ${name}: ${ratio.toFixed(2)} of the fdatasync rate`);
  }
  if (put !== undefined && door !== undefined) {
    const beyond = put.serverCpuMicros - door.serverCpuMicros;
    lines.push(`a put at 64 in flight costs ${beyond.toFixed(1)} µs beyond the HTTP door`);
    lines.push(`p99 of puts at 64 in flight: ${put.p99Ms.toFixed(2)} ms`);
  }
  return lines;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(18) : cell.padStart(11))).join("");
}

function round(value: number): string {
  return Math.round(value).toLocaleString("en");
}
