import { alignedText } from "../report/aligned-text.ts";
import type { EngineFigures } from "./measure-engine.ts";
import type { Opened, Span, Written } from "./tasks.ts";

const mebibyte = 1024 * 1024;

interface Row {
  readonly name: string;
  readonly of: (figures: EngineFigures) => number | undefined;
  readonly digits: number;
}

/** A column for each engine, and how many times the first one's each figure of the last one is. */
export function engineTable(all: readonly EngineFigures[]): string {
  const [first, last] = [all[0], all.at(-1)] as [EngineFigures, EngineFigures];
  const isPair = first !== last;
  const titles = ["", ...all.map(({ engine }) => engine)];
  if (isPair) titles.push(`${last.engine}/${first.engine}`);
  const lines = rows.map(({ name, of, digits }) => {
    const line = [name, ...all.map((figures) => of(figures)?.toFixed(digits) ?? "-")];
    // What is next to nothing has no multiple that says something.
    const isSome = Number(of(first)?.toFixed(digits) ?? 0) > 0;
    if (isPair) line.push(isSome ? ratio(of(first), of(last)) : "-");
    return line;
  });
  return alignedText([titles, ...lines]);
}

function ratio(first: number | undefined, last: number | undefined): string {
  return first === undefined || last === undefined ? "-" : (last / first).toFixed(2);
}

const rows: readonly Row[] = [
  row("making a record, CPU µs", ({ loaded }) => loaded.makingMicros, 1),
  ...rowsOf("fill", ({ loaded }) => loaded.filling),
  row("fill, MB a second", ({ loaded }) => megabytesPerSecond(loaded.filling), 1),
  ...rowsOfWritten("fill", ({ loaded }) => loaded.filling),
  row("disk, bytes for each", ({ loaded }) => loaded.diskPerByte, 2),
  row("index or rows in memory, MiB", ({ loaded }) => loaded.indexBytes / mebibyte, 1),
  row("RSS when filled, MiB", ({ loaded }) => loaded.residentBytes / mebibyte, 0),
  row("RSS at most until then, MiB", ({ loaded }) => loaded.residentBytesMost / mebibyte, 0),
  ...rowsOf("gets", ({ loaded }) => loaded.gets),
  ...rowsOf("overwrites", ({ loaded }) => loaded.overwrites),
  ...rowsOfWritten("overwrites", ({ loaded }) => loaded.overwrites),
  ...rowsOfStart("kill", ({ afterKill }) => afterKill),
  ...rowsOfStart("stop", ({ afterStop }) => afterStop),
];

function row(name: string, of: Row["of"], digits: number): Row {
  return { name, of, digits };
}

function megabytesPerSecond({ bytes, seconds }: Written): number {
  return bytes / seconds / 1e6;
}

function rowsOf(name: string, of: (figures: EngineFigures) => Span): readonly Row[] {
  return [
    row(`${name}, a second`, (figures) => of(figures).operations / of(figures).seconds, 0),
    row(`${name}, CPU µs each`, (figures) => of(figures).cpuMicros, 1),
    row(`${name}, p50 ms`, (figures) => of(figures).p50Ms, 2),
    row(`${name}, p99 ms`, (figures) => of(figures).p99Ms, 2),
    row(`${name}, longest ms`, (figures) => of(figures).longestMs, 1),
  ];
}

function rowsOfWritten(name: string, of: (figures: EngineFigures) => Written): readonly Row[] {
  return [
    row(`${name}, still after s`, (figures) => of(figures).stillSeconds, 1),
    row(`${name}, bytes written for each`, (figures) => of(figures).writtenPerByte, 2),
    row(`${name}, by the device`, (figures) => of(figures).devicePerByte, 2),
  ];
}

function rowsOfStart(after: string, of: (figures: EngineFigures) => Opened): readonly Row[] {
  return [
    row(`start after a ${after}, ms`, (figures) => of(figures).openMs, 0),
    row(`start after a ${after}, RSS MiB`, (figures) => of(figures).residentBytes / mebibyte, 0),
  ];
}
