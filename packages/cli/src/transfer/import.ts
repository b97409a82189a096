import { extname } from "node:path";
import type { Readable } from "node:stream";
import { withPool, type NodeOptions } from "../connect.ts";
import { CliFailure, exitCodes, type ExitCode } from "../exit.ts";
import { clusterIdOf } from "../http/cluster.ts";
import type { NodePool } from "../http/node-pool.ts";
import { durationText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { Acknowledged } from "./acknowledged.ts";
import type { EntryParser } from "./entry.ts";
import { EntryWriter, type ImportMode } from "./entry-writer.ts";
import { Flow } from "./flow.ts";
import { parseNdjsonLine } from "./ndjson.ts";
import { interrupted, PatientSender, RecordRefused } from "./patient-sender.ts";
import { newProgress, ProgressSaver, readProgress, type ImportProgress } from "./progress-file.ts";
import { showProgress, type Advance } from "./progress-line.ts";
import { RecordSplitter, type SplitRecord } from "./record-splitter.ts";
import { RejectsFile } from "./rejects-file.ts";
import { separatedParser } from "./separated.ts";
import { firstRecord, openSource, RECORD_BYTES_MAX, streamOf, type Source } from "./source.ts";

export type ImportFormat = "ndjson" | "csv" | "tsv";

export interface ImportOptions extends NodeOptions {
  readonly bucket: string;
  /** By the file's name if left out. */
  readonly format?: ImportFormat;
  readonly keyField?: string;
  readonly concurrency: number;
  readonly rejects?: string;
  readonly mode: ImportMode;
}

/** Bytes of lines under way at once. */
const FLOW_BYTES_MAX = 64 * 1024 * 1024;
/** Records finished beyond one that is not: bounds the memory and the progress file. */
const OPEN_RECORDS_MAX = 10_000;
/** Records between two saves of the progress: what a killed import sends again, at most. */
const SAVE_RECORDS = 32;

/** `coterie import FILE`: streams a file into a bucket, and goes on where it was interrupted. */
export async function importFile(name: string, options: ImportOptions): Promise<ExitCode> {
  const source = await openSource(name);
  return withPool(options, async (pool, terminal) => {
    const run = await ImportRun.begin(source, options, pool, terminal);
    return run.toTheEnd();
  });
}

class ImportRun {
  readonly #source: Source;
  readonly #options: ImportOptions;
  readonly #terminal: Terminal;
  readonly #format: ImportFormat;
  readonly #resumed: ImportProgress;
  readonly #acknowledged: Acknowledged;
  readonly #rejects: RejectsFile;
  readonly #rejectsPath: string | undefined;
  readonly #saver: ProgressSaver | undefined;
  readonly #sender: PatientSender;
  readonly #writer: EntryWriter;
  readonly #flow: Flow;
  readonly #startMs: number = performance.now();
  #parse: EntryParser | undefined;
  #counts: { written: number; unchanged: number; resumed: number } = {
    written: 0,
    unchanged: 0,
    resumed: 0,
  };
  #bytesSeen = 0;
  #sinceSave = 0;
  #isStopping = false;

  static async begin(
    source: Source,
    options: ImportOptions,
    pool: NodePool,
    terminal: Terminal,
  ): Promise<ImportRun> {
    const format = options.format ?? formatOf(source.file);
    const identity = [
      source.identity,
      await clusterIdOf(pool),
      options.bucket,
      options.mode,
      format,
      options.keyField ?? "",
    ].join(" ");
    let resumed = newProgress(identity);
    if (source.file !== undefined) {
      const found = readProgress(progressPath(source.file), identity);
      if (found === "other") {
        terminal.say(`${progressPath(source.file)} is of another import; starting over`);
      } else if (found !== "none") {
        resumed = found;
        terminal.say(`going on after line ${resumed.acknowledged.number} of ${source.file}`);
      }
    }
    return new ImportRun(
      source,
      { ...options, format },
      new PatientSender(pool),
      terminal,
      resumed,
    );
  }

  private constructor(
    source: Source,
    options: ImportOptions & { readonly format: ImportFormat },
    sender: PatientSender,
    terminal: Terminal,
    resumed: ImportProgress,
  ) {
    this.#source = source;
    this.#options = options;
    this.#terminal = terminal;
    this.#format = options.format;
    this.#resumed = resumed;
    this.#acknowledged = new Acknowledged(resumed.acknowledged);
    this.#counts.resumed = resumed.acknowledged.number;
    this.#rejectsPath =
      options.rejects ?? (source.file === undefined ? undefined : rejectsPath(source.file));
    if (this.#rejectsPath === source.file && source.file !== undefined) {
      throw new CliFailure(exitCodes.usage, "--rejects names the imported file itself");
    }
    this.#rejects = new RejectsFile(this.#rejectsPath, terminal, resumed);
    this.#saver =
      source.file === undefined ? undefined : new ProgressSaver(progressPath(source.file));
    this.#sender = sender;
    this.#writer = new EntryWriter(sender, options.bucket, options.mode);
    this.#flow = new Flow(options.concurrency, FLOW_BYTES_MAX);
    if (options.format === "ndjson") {
      this.#parse = (record) => parseNdjsonLine(record, options.keyField);
    }
  }

  async toTheEnd(): Promise<ExitCode> {
    if (this.#format !== "ndjson" && this.#resumed.acknowledged.number > 0) {
      this.#readHeader(await firstRecord(this.#source, this.#format === "csv"));
    }
    const stream = streamOf(this.#source, this.#resumed.acknowledged.offset);
    const stop = (): void => {
      this.#isStopping = true;
      stream.destroy();
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    const progress = showProgress(this.#terminal, "lines", () => this.#advance());
    try {
      await this.#readAll(stream);
      await this.#flow.until(() => this.#acknowledged.openCount === 0);
    } catch (error) {
      await this.#flow.settled();
      this.#saver?.save(this.#progress());
      if (!this.#isStopping || error instanceof CliFailure) throw this.#resumable(error);
    } finally {
      progress.stop();
      process.off("SIGINT", stop).off("SIGTERM", stop);
      this.#rejects.close();
    }
    if (this.#isStopping) throw interrupted(this.#resumeHint());
    this.#saver?.remove();
    return this.#report();
  }

  async #readAll(stream: Readable): Promise<void> {
    const { number, offset } = this.#resumed.acknowledged;
    const splitter = new RecordSplitter({
      isQuoted: this.#format === "csv",
      bytesMax: RECORD_BYTES_MAX,
      startNumber: number,
      startOffset: offset,
    });
    for await (const chunk of stream) {
      for (const record of splitter.feed(chunk as Buffer)) await this.#take(record);
    }
    const last = splitter.finish();
    if (last !== undefined) await this.#take(last);
  }

  async #take(record: SplitRecord): Promise<void> {
    await this.#flow.until(() => this.#acknowledged.openCount < OPEN_RECORDS_MAX);
    this.#bytesSeen = record.end;
    const isDone = this.#acknowledged.begin(record.number, record.end);
    const finish = (): void => {
      isDone();
      this.#sinceSave += 1;
      if (this.#sinceSave < SAVE_RECORDS) return;
      this.#sinceSave = 0;
      this.#saver?.save(this.#progress());
    };
    if (this.#parse === undefined) {
      this.#readHeader(record.bytes);
      return finish();
    }
    if (this.#acknowledged.wasDone(record.number)) {
      this.#counts.resumed += 1;
      return finish();
    }
    if (record.bytes?.length === 0) return finish();
    const parsed =
      record.bytes === undefined
        ? { ok: false as const, reason: `the line is longer than ${RECORD_BYTES_MAX} bytes` }
        : this.#parse(record.bytes);
    if (!parsed.ok) {
      this.#rejects.add(record.number, record.bytes, parsed.reason);
      return finish();
    }
    const { entry } = parsed;
    await this.#flow.start(entry.key.toString("latin1"), record.bytes?.length ?? 0, async () => {
      try {
        this.#counts[await this.#writer.apply(entry)] += 1;
      } catch (error) {
        if (!(error instanceof RecordRefused)) throw error;
        this.#rejects.add(record.number, record.bytes, error.message);
      }
      finish();
    });
  }

  #readHeader(header: Buffer | undefined): void {
    const format = this.#format === "csv" ? "csv" : "tsv";
    const parser = separatedParser(header ?? Buffer.alloc(0), format, this.#options.keyField);
    if (!parser.ok) {
      throw new CliFailure(
        exitCodes.usage,
        `cannot import: ${parser.reason}`,
        "name the key's column with --key-field",
      );
    }
    this.#parse = parser.parse;
    if (header !== undefined) this.#rejects.header = header;
  }

  #progress(): ImportProgress {
    return {
      identity: this.#resumed.identity,
      acknowledged: this.#acknowledged.state(),
      rejectsBytes: this.#rejects.bytes,
      rejected: this.#rejects.count,
    };
  }

  #advance(): Advance {
    return {
      count: this.#counts.written + this.#counts.unchanged,
      bytes: this.#bytesSeen,
      bytesTotal: this.#source.bytesTotal,
      bytesBefore: this.#resumed.acknowledged.offset,
    };
  }

  #resumable(error: unknown): unknown {
    if (!(error instanceof CliFailure)) return error;
    const next = error.next === undefined ? "" : `${error.next}; `;
    return new CliFailure(error.exit, error.message, `${next}${this.#resumeHint()}`);
  }

  #resumeHint(): string {
    return this.#source.file === undefined
      ? "give the same input again: lines that are there already are left alone"
      : "the same line again; it goes on after what is done";
  }

  async #report(): Promise<ExitCode> {
    const { written, unchanged, resumed } = this.#counts;
    const rejected = this.#rejects.count;
    const elapsedMs = performance.now() - this.#startMs;
    const failure = this.#saver?.failure;
    if (failure !== undefined) this.#terminal.say(`the progress was not kept: ${failure.message}`);
    if (this.#options.json === true) {
      const retries = this.#sender.retries;
      const summary = { written, unchanged, rejected, resumed, retries, elapsedMs };
      await this.#terminal.data(`${JSON.stringify(summary)}\n`);
    }
    const rate = Math.round(((written + unchanged) / Math.max(elapsedMs, 1)) * 1000);
    this.#terminal.say(
      `imported into ${this.#options.bucket}: ${written} written, ${unchanged} unchanged, ` +
        `${rejected} rejected` +
        (resumed > 0 ? `, ${resumed} done before` : "") +
        `, in ${durationText(elapsedMs)} (${rate}/s)`,
    );
    if (rejected === 0) return exitCodes.ok;
    if (this.#rejectsPath !== undefined) {
      this.#terminal.say(
        `  the rejected lines are in ${this.#rejectsPath}: correct and import them`,
      );
    }
    return exitCodes.failure;
  }
}

function formatOf(file: string | undefined): ImportFormat {
  if (file?.endsWith(".csv") === true) return "csv";
  return file?.endsWith(".tsv") === true ? "tsv" : "ndjson";
}

/** The extension stays last: the rejects are imported the way the file was. */
function rejectsPath(file: string): string {
  const extension = extname(file);
  const stem = file.slice(0, file.length - extension.length);
  return `${stem}.rejects${extension === "" ? ".ndjson" : extension}`;
}

function progressPath(file: string): string {
  return `${file}.coterie-progress`;
}
