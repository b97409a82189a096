import { type Bucket, type CoterieClient, text } from "@coterie/client";

/** Shopping carts: what was put into one stays in it, whatever fails meanwhile. */
export class Carts {
  readonly #bucket: Bucket<string, string>;

  constructor(coterie: CoterieClient) {
    this.#bucket = coterie.bucket("carts", { codec: text });
  }

  async add(user: string, item: string): Promise<void> {
    await this.#bucket.update(user, (carts) => [...union(carts), item].join("\n"));
  }

  async items(user: string): Promise<readonly string[]> {
    const read = await this.#bucket.get(user);
    if (read.kind === "absent") return [];
    return union(read.kind === "value" ? [read.value] : read.values);
  }
}

/** Of carts that were written concurrently: what is in any of them. */
function union(carts: readonly string[]): readonly string[] {
  const items = new Set(carts.flatMap((cart) => cart.split("\n")));
  return [...items].toSorted();
}
