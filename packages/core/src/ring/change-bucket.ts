import { type GivenBucket, checkBucket, wholeBucket } from "./bucket.ts";
import type { BucketSettings, ClusterDocument } from "./cluster-document.ts";
import { documentProblem, movesProblem, ownersProblem } from "./document-problem.ts";
import { differingSettings } from "./settings-differences.ts";

/** One change of one bucket, as a client asks for it. */
export interface BucketChange {
  /**
   * `create`: the bucket is to exist with just these settings, and is left alone if it does not.
   * `put`: it is to have just these settings, those left out being the usual ones. `change`: it
   * exists, and what is left out stays.
   */
  readonly intent: "create" | "put" | "change";
  readonly name: string;
  readonly given: GivenBucket;
}

export type ChangedBucket =
  | {
      readonly ok: true;
      readonly result: "created" | "changed" | "unchanged";
      readonly bucket: BucketSettings;
      /** One epoch on, or the very same if nothing changed. */
      readonly document: ClusterDocument;
    }
  | {
      readonly ok: false;
      readonly code: "bad-request" | "bucket-conflict" | "no-such-bucket";
      readonly message: string;
    };

/** What cannot change while there is data: how it is merged, and on how many nodes it lies. */
const fixedSettings: ReadonlySet<string> = new Set(["policy", "n"]);

/** The next version of a document, with one bucket created or changed; or why there is none. */
export function changeBucket(
  document: ClusterDocument,
  { intent, name, given }: BucketChange,
): ChangedBucket {
  const { nMax } = document.settings;
  const before = document.settings.buckets.find((bucket) => bucket.name === name);
  if (before === undefined && intent === "change") {
    return { ok: false, code: "no-such-bucket", message: `there is no bucket ${name}` };
  }
  const kept = intent === "change" ? before : undefined;
  const bucket = wholeBucket(name, { ...kept, ...onlyGiven(given) }, nMax);
  const differing = before === undefined ? [] : differingSettings(before, bucket);
  const refused = intent === "create" ? [] : differing.filter((it) => fixedSettings.has(it));
  if (before !== undefined && refused.length > 0) {
    return conflict(before, bucket, refused, "; that is fixed when a bucket is created");
  }
  const checked = checkBucket(bucket, nMax);
  if (!checked.ok) return { ok: false, code: "bad-request", message: checked.message };
  if (before === undefined) return withBucket(document, bucket, "created");
  if (differing.length === 0) return { ok: true, result: "unchanged", bucket: before, document };
  if (intent === "create") return conflict(before, bucket, differing, "");
  return withBucket(document, bucket, "changed");
}

function conflict(
  before: BucketSettings,
  asked: BucketSettings,
  differing: readonly (keyof BucketSettings)[],
  reason: string,
): ChangedBucket {
  const each = differing.map((setting) => {
    return `${setting} ${before[setting] ?? "none"}, not ${asked[setting] ?? "none"}`;
  });
  const message = `bucket ${before.name} exists with ${each.join(", ")}${reason}`;
  return { ok: false, code: "bucket-conflict", message };
}

function withBucket(
  document: ClusterDocument,
  bucket: BucketSettings,
  result: "created" | "changed",
): ChangedBucket {
  const others = document.settings.buckets.filter(({ name }) => name !== bucket.name);
  const buckets = [...others, bucket].toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const settings = { ...document.settings, buckets };
  const next = { ...document, epoch: document.epoch + 1, settings };
  const problem =
    documentProblem(settings, document.members) ?? ownersProblem(next) ?? movesProblem(next);
  if (problem !== undefined) return { ok: false, code: "bad-request", message: problem };
  return { ok: true, result, bucket, document: next };
}

/** Without what is `undefined`: spread over other settings, that would remove them. */
function onlyGiven(given: GivenBucket): GivenBucket {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
