import type { Clock } from "../clock.ts";
import { type Guarantee, check, checkSame } from "./guarantee.ts";

const wallMsOf2020 = 1_577_836_800_000;

export interface ClockSubject {
  readonly clock: Clock;
}

/** Resolves `ms` from now on that clock. */
export function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.at(clock.monotonicMs() + ms, resolve));
}

function turnEnd(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.afterTurn(resolve));
}

const deadlines: readonly Guarantee<ClockSubject>[] = [
  {
    name: "the monotonic clock never goes backwards",
    async run({ clock }) {
      let before = clock.monotonicMs();
      for (let read = 0; read < 2000; read++) {
        if (read % 100 === 0) await turnEnd(clock);
        const now = clock.monotonicMs();
        check(now >= before, `${now} follows ${before}`);
        before = now;
      }
    },
  },
  {
    name: "the wall clock counts from 1970",
    async run({ clock }) {
      check(clock.wallMs() > wallMsOf2020, `${clock.wallMs()} is after 2020`);
    },
  },
  {
    name: "at fires once, at or after its deadline",
    async run({ clock }) {
      const deadline = clock.monotonicMs() + 17.3;
      let fired = 0;
      let firedAt = 0;
      clock.at(deadline, () => {
        fired++;
        firedAt = clock.monotonicMs();
      });
      await wait(clock, 60);
      checkSame(fired, 1, "how often it fired");
      check(firedAt >= deadline, `${firedAt} is not before ${deadline}`);
    },
  },
  {
    name: "at never fires within the call, even when the deadline has passed",
    async run({ clock }) {
      for (const ms of [-1000, -0.1, 0]) {
        let isWithin = true;
        const fired = new Promise<boolean>((resolve) => {
          clock.at(clock.monotonicMs() + ms, () => resolve(isWithin));
        });
        isWithin = false;
        checkSame(await fired, false, "fired within the call");
      }
    },
  },
  {
    name: "earlier deadlines fire before later ones, in whatever order they were set",
    async run({ clock }) {
      const start = clock.monotonicMs();
      const fired: number[] = [];
      for (const ms of [60, 10, 1040, 40, 20, 300, 50]) {
        clock.at(start + ms, () => fired.push(ms));
      }
      await wait(clock, 1080);
      checkSame(fired, [10, 20, 40, 50, 60, 300, 1040], "the order of firing");
    },
  },
  {
    name: "thousands of deadlines fire, each once and none early",
    async run({ clock }) {
      const start = clock.monotonicMs();
      const count = 5000;
      let [fired, early] = [0, 0];
      for (let at = 0; at < count; at++) {
        const deadline = start + ((at * 7919) % 100) + (at % 10) / 10;
        clock.at(deadline, () => {
          fired++;
          if (clock.monotonicMs() < deadline) early++;
        });
      }
      await wait(clock, 150);
      checkSame([fired, early], [count, 0], "fired, and early");
    },
  },
];

const cancelling: readonly Guarantee<ClockSubject>[] = [
  {
    name: "what was cancelled does not fire; cancelling again, or afterwards, is harmless",
    async run({ clock }) {
      const fired: string[] = [];
      const soon = clock.monotonicMs() + 10;
      const cancel = clock.at(soon, () => fired.push("cancelled"));
      const cancelLate = clock.at(soon, () => fired.push("kept"));
      cancel();
      cancel();
      await wait(clock, 30);
      cancelLate();
      let isNextFired = false;
      clock.at(clock.monotonicMs() + 10, () => (isNextFired = true));
      cancelLate();
      cancel();
      await wait(clock, 30);
      checkSame(fired, ["kept"], "what fired");
      check(isNextFired, "a late cancel takes back nothing else");
    },
  },
  {
    name: "one deadline can take back another of the same instant",
    async run({ clock }) {
      let fired = 0;
      const deadline = clock.monotonicMs() + 10;
      const cancels = [0, 1, 2, 3].map((self) =>
        clock.at(deadline, () => {
          fired++;
          for (const [other, cancel] of cancels.entries()) if (other !== self) cancel();
        }),
      );
      await wait(clock, 40);
      checkSame(fired, 1, "how many of four fired");
    },
  },
  {
    name: "a deadline set while another fires is kept",
    async run({ clock }) {
      let rounds = 0;
      const again = (): void => {
        rounds++;
        if (rounds < 20) clock.at(clock.monotonicMs() + (rounds % 3), again);
      };
      clock.at(clock.monotonicMs(), again);
      await wait(clock, 400);
      checkSame(rounds, 20, "rounds");
    },
  },
];

const turns: readonly Guarantee<ClockSubject>[] = [
  {
    name: "afterTurn fires in the order of the calls, never within them",
    async run({ clock }) {
      const fired: number[] = [];
      for (const each of [1, 2, 3, 4]) clock.afterTurn(() => fired.push(each));
      checkSame(fired, [], "fired within the calls");
      await turnEnd(clock);
      checkSame(fired, [1, 2, 3, 4], "the order of firing");
    },
  },
  {
    name: "afterTurn fires once every continuation that was ready has run",
    async run({ clock }) {
      let steps = 0;
      let stepsSeen = 0;
      clock.afterTurn(() => (stepsSeen = steps));
      const story = (async () => {
        for (; steps < 100; steps++) await Promise.resolve();
      })();
      await story;
      await turnEnd(clock);
      checkSame(stepsSeen, 100, "steps taken before it fired");
    },
  },
  {
    name: "afterTurn called while the turn ends waits for another turn",
    async run({ clock }) {
      const fired: string[] = [];
      await new Promise<void>((resolve) => {
        clock.afterTurn(() => {
          clock.afterTurn(() => {
            fired.push("next turn");
            resolve();
          });
          fired.push("outer");
        });
        clock.afterTurn(() => fired.push("same turn"));
      });
      checkSame(fired, ["outer", "same turn", "next turn"], "the order of firing");
    },
  },
];

/** What every Clock guarantees. */
export const clockGuarantees: readonly Guarantee<ClockSubject>[] = [
  ...deadlines,
  ...cancelling,
  ...turns,
];
