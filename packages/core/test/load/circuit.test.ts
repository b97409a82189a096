import { beforeEach, describe, expect, it } from "vitest";
import { Circuit, type CircuitSettings } from "../../src/index.ts";

const settings: CircuitSettings = {
  silenceMs: 500,
  fullSilenceMs: 100,
  pingMs: 700,
  retryMs: 300,
  idleRetryMs: 1000,
  stallMs: 100,
};

let circuit: Circuit;

beforeEach(() => {
  circuit = new Circuit(settings);
});

/** Lets a call at 0 go unanswered until the circuit opens. */
function open(): void {
  circuit.began(0);
  expect(circuit.tick(500)).toBe("ping");
  circuit.expired();
  expect(circuit.pinged(false, 1200)).toBe("opened");
}

describe("a circuit", () => {
  it("is closed while there is nothing to ask, and while calls are answered", () => {
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);
    circuit.began(0);
    circuit.began(400);
    expect(circuit.dueMs).toBe(500);
    circuit.answered(450);
    expect(circuit.dueMs).toBe(950);
    circuit.answered(460);
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);
    expect(circuit.state).toBe("closed");
  });

  it("pings a peer that is silent, and lets calls pass until it knows", () => {
    circuit.began(0);
    expect(circuit.tick(499)).toBeUndefined();
    expect(circuit.tick(500)).toBe("ping");
    expect(circuit.state).toBe("doubted");
    expect(circuit.isPassable).toBe(true);
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("stays closed when a slow peer answers the ping, or one of its calls", () => {
    circuit.began(0);
    circuit.tick(500);
    expect(circuit.pinged(true, 510)).toBeUndefined();
    expect(circuit.state).toBe("closed");
    expect(circuit.tick(1010)).toBe("ping");
    circuit.answered(1100);
    expect(circuit.state).toBe("closed");
    expect(circuit.pinged(false, 1710)).toBeUndefined();
    expect(circuit.state).toBe("closed");
  });

  it("opens when the ping is not answered, once, and is pinged again after a pause", () => {
    open();
    expect(circuit.state).toBe("open");
    expect(circuit.isPassable).toBe(false);
    expect(circuit.tick(circuit.dueMs)).toBe("ping");
    expect(circuit.state).toBe("half-open");
    expect(circuit.isPassable).toBe(false);
    expect(circuit.pinged(false, 3000)).toBeUndefined();
    expect(circuit.state).toBe("open");
  });

  it("counts calls that ended in vain as silence, however short their deadlines are", () => {
    for (let at = 0; at < 500; at += 100) {
      circuit.began(at);
      circuit.expired();
    }
    expect(circuit.tick(500)).toBe("ping");
  });

  it("pings often while somebody wants something of the peer, rarely while nobody does", () => {
    open();
    expect(circuit.dueMs).toBe(2200);
    circuit.wanted(1500);
    expect(circuit.dueMs).toBe(1800);
    circuit.tick(1800);
    circuit.pinged(false, 2500);
    expect(circuit.dueMs).toBe(2800);
    circuit.tick(2800);
    circuit.pinged(false, 13_000);
    expect(circuit.dueMs).toBe(14_000);
  });

  it("closes with any answer: to a ping, or to a call of before", () => {
    open();
    circuit.tick(2200);
    circuit.pinged(true, 2210);
    expect(circuit.state).toBe("closed");
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);

    circuit.began(3000);
    circuit.tick(3500);
    circuit.pinged(false, 4200);
    circuit.answered(4300);
    expect(circuit.state).toBe("closed");
  });

  it("has one ping under way at a time", () => {
    circuit.began(0);
    circuit.tick(500);
    circuit.answered(510);
    circuit.began(520);
    expect(circuit.tick(1100)).toBeUndefined();
    circuit.doubt(1110);
    expect(circuit.tick(1120)).toBeUndefined();
    circuit.pinged(false, 1200);
    expect(circuit.tick(1200)).toBe("ping");
  });

  it("pings at once when somebody doubts, and early when the budget is full of silence", () => {
    circuit.doubt(10);
    expect(circuit.tick(10)).toBe("ping");
    circuit.pinged(true, 11);

    circuit.began(20);
    circuit.began(50);
    circuit.refusedOverBudget();
    expect(circuit.dueMs).toBe(120);
    circuit.answered(60);
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("takes no refusal for silence", () => {
    circuit.began(0);
    circuit.refused();
    expect(circuit.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("blames nobody when this process stood still", () => {
    circuit.began(0);
    expect(circuit.tick(2000)).toBeUndefined();
    expect(circuit.dueMs).toBe(2100);
    expect(circuit.tick(2100)).toBe("ping");
    expect(circuit.pinged(false, 4000)).toBeUndefined();
    expect(circuit.state).toBe("closed");
    expect(circuit.tick(4000)).toBe("ping");
    expect(circuit.pinged(false, 4700)).toBe("opened");
  });
});
