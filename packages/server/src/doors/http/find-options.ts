import type { HeldLike, HeldQuery } from "@coterie/cluster";
import { isBucketName } from "@coterie/core";
import { queryOptions } from "./query-options.ts";
import { refuse } from "./responses.ts";

const limitDefault = 1000;

/** Reads the query of a find, or says what is wrong with it. */
export function parseFindQuery(query: string): HeldQuery | Response {
  const likes: HeldLike[] = [];
  const options = queryOptions(query);
  if (options instanceof Response) return options;
  let bucket: string | undefined;
  let cursor: string | undefined;
  let limit = limitDefault;
  for (const [name, value] of options) {
    switch (name) {
      case "siblings":
      case "larger_than":
      case "tombstones": {
        const like = likeOf(name, value);
        if (like instanceof Response) return like;
        likes.push(like);
        break;
      }
      case "bucket":
        if (!isBucketName(value)) {
          return refuse("bad-request", "a bucket's name is 1 to 64 of a-z 0-9 . _ -");
        }
        bucket = value;
        break;
      case "limit":
        if (!isCount(value)) return refuse("bad-request", "limit is a whole number");
        limit = Number(value);
        break;
      case "cursor":
        cursor = value;
        break;
      default:
        return refuse("bad-request", `a find has no option "${name}"`);
    }
  }
  const [like] = likes;
  if (like !== undefined && likes.length === 1) return { like, bucket, limit, cursor };
  return refuse("bad-request", "a find takes one of siblings, tombstones and larger_than");
}

function likeOf(
  name: "siblings" | "larger_than" | "tombstones",
  value: string,
): HeldLike | Response {
  if (name === "tombstones") {
    if (value === "true") return { kind: "tombstones" };
    return refuse("bad-request", "tombstones is true");
  }
  if (!isCount(value)) return refuse("bad-request", `${name} is a whole number`);
  if (name === "larger_than") return { kind: "larger", bytes: Number(value) };
  if (Number(value) < 1) return refuse("bad-request", "siblings is at least 1");
  return { kind: "siblings", least: Number(value) };
}

function isCount(value: string): boolean {
  return /^\d{1,9}$/u.test(value);
}
