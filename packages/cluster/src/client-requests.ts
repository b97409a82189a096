import type { BucketChange, Key } from "@coterie/core";
import type { Admission } from "./admission.ts";
import type { AgreedDocument } from "./agreement/agreed-document.ts";
import { requestBucket } from "./agreement/request-bucket.ts";
import type { Coordination } from "./coordinator/coordination.ts";
import { deleteKey } from "./coordinator/delete.ts";
import { get } from "./coordinator/get.ts";
import { put } from "./coordinator/put.ts";
import { scan } from "./coordinator/scan.ts";
import { type Ending, endAs, promiseOf } from "./ending.ts";
import type {
  BucketOutcome,
  Failure,
  GetOutcome,
  PutInput,
  RequestOptions,
  ScanOptions,
  ScanOutcome,
  WriteOutcome,
} from "./requests.ts";

/** What the stories of client requests stand on. */
export interface Ground {
  readonly coordination: Coordination;
  readonly agreement: AgreedDocument;
}

interface ClientRequestsParts {
  readonly admission: Admission;
  /** `undefined` while the node is not open to clients. */
  ground(): Ground | undefined;
  /** Why it is not. */
  refuse(): Failure;
}

type Done<Outcome> = Exclude<Outcome, Failure>;

/** What is done for one request, once it was let in. */
type Story<Outcome> = (ground: Ground, ending: Ending<Outcome | Failure>) => void;

/** What clients ask of a node: let in or refused, told how it ended, and counted. */
export class ClientRequests {
  readonly #parts: ClientRequestsParts;

  constructor(parts: ClientRequestsParts) {
    this.#parts = parts;
  }

  get(key: Key, options: RequestOptions, ending: Ending<GetOutcome>): void {
    const story: Story<Done<GetOutcome>> = ({ coordination }, ended) =>
      get(coordination, key, options, ended);
    this.#serveKey(key, 0, story, ending);
  }

  put(key: Key, input: PutInput, options: RequestOptions): Promise<WriteOutcome> {
    const story: Story<Done<WriteOutcome>> = ({ coordination }, ended) =>
      endAs(put(coordination, key, input, options), ended);
    return promiseOf((ending) => this.#serveKey(key, input.value.length, story, ending));
  }

  delete(key: Key, context: string | undefined, options: RequestOptions): Promise<WriteOutcome> {
    const story: Story<Done<WriteOutcome>> = ({ coordination }, ended) =>
      endAs(deleteKey(coordination, key, context, options), ended);
    return promiseOf((ending) => this.#serveKey(key, 0, story, ending));
  }

  scan(bucket: string, options: ScanOptions): Promise<ScanOutcome> {
    const story: Story<Done<ScanOutcome>> = ({ coordination }, ended) =>
      endAs(scan(coordination, bucket, options), ended);
    return promiseOf((ending) => this.#serveKey({ bucket }, 0, story, ending));
  }

  changeBucket(change: BucketChange): Promise<BucketOutcome> {
    const story: Story<Done<BucketOutcome>> = ({ coordination, agreement }, ended) =>
      endAs(requestBucket(coordination, agreement, change), ended);
    return promiseOf((ending) => this.#serve(0, story, ending));
  }

  /** As {@link #serve}; a bucket that is not known here may be known to others. */
  #serveKey<Outcome extends { readonly ok: true }>(
    { bucket }: { readonly bucket: string },
    bytes: number,
    story: Story<Outcome>,
    ending: Ending<Outcome | Failure>,
  ): void {
    const agreement = this.#parts.ground()?.agreement;
    if (agreement === undefined || agreement.ring.bucket(bucket) !== undefined) {
      return this.#serve(bytes, story, ending);
    }
    const afterLooking: Story<Outcome> = (ground, ended) => {
      agreement.lookFor(bucket).then(
        () => story(ground, ended),
        (error: unknown) => ended.fail(error),
      );
    };
    this.#serve(bytes, afterLooking, ending);
  }

  #serve<Outcome extends { readonly ok: true }>(
    bytes: number,
    story: Story<Outcome>,
    ending: Ending<Outcome | Failure>,
  ): void {
    const ground = this.#parts.ground();
    if (ground === undefined) ending.settle(this.#parts.refuse());
    else this.#parts.admission.serve(bytes, ground, story, ending);
  }
}
