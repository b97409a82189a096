import {
  type SwarmKnobs,
  type WeatherKnobs,
  crowded,
  drawKnobs,
  hotKeysUsual,
} from "./swarm-knobs.ts";

/** A failing case of which nothing more can be left out, or not within the runs allowed. */
export interface Shrunk {
  readonly knobs: SwarmKnobs;
  /** How often the simulation was run. */
  readonly runs: number;
}

const calm: WeatherKnobs = { latencyMsMax: 2, lost: 0, duplicated: 0, late: 0 };

/**
 * Leaves out of a failing case what it fails without: kinds of fault and single strikes, bad
 * weather, habits of clients, nodes, and operations, until nothing more can go.
 *
 * @param fails runs the case; true if it fails in the way that is looked for.
 */
export async function shrink(
  knobs: SwarmKnobs,
  fails: (knobs: SwarmKnobs) => Promise<boolean>,
  runsMax: number,
): Promise<Shrunk> {
  return new Shrinking(knobs, fails, runsMax).run();
}

/** The knobs that differ from what the seed draws: what a replay has to name. */
export function turnedKnobs(seed: number, knobs: SwarmKnobs): Partial<SwarmKnobs> {
  const drawn = new Map<string, unknown>(Object.entries(drawKnobs(seed)));
  return Object.fromEntries(
    Object.entries(knobs).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(drawn.get(name)),
    ),
  );
}

class Shrinking {
  readonly #fails: (knobs: SwarmKnobs) => Promise<boolean>;
  readonly #runsMax: number;
  #knobs: SwarmKnobs;
  #runs = 0;

  constructor(knobs: SwarmKnobs, fails: (knobs: SwarmKnobs) => Promise<boolean>, runsMax: number) {
    this.#knobs = knobs;
    this.#fails = fails;
    this.#runsMax = runsMax;
  }

  async run(): Promise<Shrunk> {
    await this.#thin();
    let isSmaller = true;
    while (isSmaller && this.#runs < this.#runsMax) {
      isSmaller = await this.#dropFaults();
      isSmaller = (await this.#dropOperations()) || isSmaller;
      isSmaller = (await this.#simplify()) || isSmaller;
    }
    return { knobs: this.#knobs, runs: this.#runs };
  }

  /** Keeps a smaller case if it fails as well. */
  async #try(smaller: Partial<SwarmKnobs>): Promise<boolean> {
    if (this.#runs >= this.#runsMax) return false;
    this.#runs += 1;
    const knobs = { ...this.#knobs, ...smaller };
    if (!(await this.#fails(knobs))) return false;
    this.#knobs = knobs;
    return true;
  }

  /** Half of all clients with half of all they do, for as long as there is a crowd. */
  async #thin(): Promise<void> {
    const isCrowd = (): boolean => (this.#knobs.hotKeys ?? hotKeysUsual) > hotKeysUsual;
    while (isCrowd() && (await this.#try(crowded(this.#knobs, 1 / 2)))) {
      // Again.
    }
  }

  /** Whole kinds first, then strikes of those that are left. */
  async #dropFaults(): Promise<boolean> {
    let isSmaller = false;
    for (const kind of Object.keys(this.#knobs.faults)) {
      const rest = Object.entries(this.#knobs.faults).filter(([name]) => name !== kind);
      isSmaller = (await this.#try({ faults: Object.fromEntries(rest) })) || isSmaller;
    }
    for (const [kind, count] of Object.entries(this.#knobs.faults)) {
      for (let fewer = 1; fewer < count; fewer += 1) {
        if (!(await this.#try({ faults: { ...this.#knobs.faults, [kind]: fewer } }))) continue;
        isSmaller = true;
        break;
      }
    }
    return isSmaller;
  }

  /** Half of them, then quarters, and so on down to single ones. */
  async #dropOperations(): Promise<boolean> {
    let isSmaller = false;
    const { operations } = this.#knobs;
    const all = Array.from({ length: operations }, (_, index) => index + 1);
    let kept = this.#knobs.kept ?? all;
    for (let size = kept.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < kept.length;) {
        const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
        if (await this.#try({ kept: fewer })) {
          kept = fewer;
          isSmaller = true;
        } else at += size;
      }
    }
    return isSmaller;
  }

  async #simplify(): Promise<boolean> {
    const { weather, habits } = this.#knobs;
    let isSmaller = false;
    const attempt = async (isDue: boolean, smaller: Partial<SwarmKnobs>): Promise<void> => {
      if (isDue) isSmaller = (await this.#try(smaller)) || isSmaller;
    };
    await attempt(JSON.stringify(weather) !== JSON.stringify(calm), { weather: calm });
    for (const name of ["lost", "duplicated", "late"] as const) {
      const isDue = this.#knobs.weather[name] > 0;
      await attempt(isDue, { weather: { ...this.#knobs.weather, [name]: 0 } });
    }
    for (const name of Object.keys(habits) as (keyof typeof habits)[]) {
      const isDue = (this.#knobs.habits[name] ?? 0) > 0 && name !== "get" && name !== "put";
      await attempt(isDue, { habits: { ...this.#knobs.habits, [name]: 0 } });
    }
    await attempt(this.#knobs.scans > 0, { scans: 0 });
    await attempt(this.#knobs.driftPerMillionMax > 0, { driftPerMillionMax: 0 });
    await attempt(this.#knobs.valueBytesMax > 8, { valueBytesMax: 8 });
    await attempt(this.#knobs.clients > 1, { clients: this.#knobs.clients - 1 });
    const copies = Math.max(3, ...this.#knobs.buckets.map(({ n }) => n));
    await attempt(this.#knobs.nodes > copies, { nodes: copies });
    await attempt(this.#knobs.buckets.length > 1, { buckets: this.#knobs.buckets.slice(0, 1) });
    return isSmaller;
  }
}
