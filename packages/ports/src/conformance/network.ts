import type { PeerAddress } from "@coterie/core";
import type { Clock } from "../clock.ts";
import type { Network, NoReply, Receive, Reply } from "../network.ts";
import { wait } from "./clock.ts";
import { check, checkSame } from "./guarantee.ts";

/** One node on the network under test. */
export interface NetworkEndpoint<Request, Response> {
  readonly address: PeerAddress;
  readonly network: Network<Request, Response>;
  /** Its process ends: what it was asked is never answered. */
  close(): Promise<void>;
}

/**
 * A network under test, undisturbed. It chooses which of its requests and responses carry the
 * suite's payloads, which are from 4 to 100,000 bytes.
 */
export interface NetworkSubject<Request, Response> {
  readonly clock: Clock;
  /** Starts a node that answers with `receive`; it can be called when the promise resolves. */
  open(receive: Receive<Request, Response>): Promise<NetworkEndpoint<Request, Response>>;
  /** An address on a running machine where no node listens. */
  readonly nowhere: PeerAddress;
  request(payload: Uint8Array): Request;
  requestPayload(request: Request): Uint8Array;
  response(payload: Uint8Array): Response;
  responsePayload(response: Response): Uint8Array;
}

/** A {@link Guarantee} for whatever requests and responses the subject has. */
export interface NetworkGuarantee {
  readonly name: string;
  run<Request, Response>(subject: NetworkSubject<Request, Response>): Promise<void>;
}

/** Long enough for any answer that comes at all. */
const patienceMs = 10_000;

/** Four bytes that say `id`, then bytes that follow from it. */
function payloadOf(id: number, length: number = 4): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, id);
  for (let at = 4; at < length; at++) bytes[at] = (id + at) & 255;
  return bytes;
}

function idOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0);
}

/** Answers each request with its own payload. */
function echo<Request, Response>(
  subject: NetworkSubject<Request, Response>,
): Receive<Request, Response> {
  return (request, _deadline, settle) =>
    settle(subject.response(subject.requestPayload(request).slice()));
}

/** Holds its answers back until there are ten, then gives them in the reverse order of arrival. */
function echoInTens<Request, Response>(
  subject: NetworkSubject<Request, Response>,
): Receive<Request, Response> {
  const held: (() => void)[] = [];
  return (request, _deadline, settle) => {
    const payload = subject.requestPayload(request).slice();
    held.push(() => settle(subject.response(payload)));
    if (held.length === 10) for (const answer of held.splice(0).toReversed()) answer();
  };
}

interface Sending<Request, Response> {
  readonly from: Network<Request, Response>;
  readonly to: PeerAddress;
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
}

/** One call, with how often and when it settled. */
class Sent<Request, Response> {
  readonly first: Promise<Reply<Uint8Array>>;
  settles = 0;
  settledWithin = false;

  constructor(subject: NetworkSubject<Request, Response>, sending: Sending<Request, Response>) {
    const { clock } = subject;
    let isWithin = true;
    this.first = new Promise((resolve) => {
      const deadline = clock.monotonicMs() + sending.timeoutMs;
      sending.from.call(sending.to, subject.request(sending.payload), deadline, (reply) => {
        this.settles++;
        this.settledWithin ||= isWithin;
        if (!reply.ok) return resolve(reply);
        const response = subject.responsePayload(reply.response).slice();
        resolve({ ok: true, response });
      });
    });
    isWithin = false;
  }

  async reason(): Promise<NoReply | "answered"> {
    const reply = await this.first;
    return reply.ok ? "answered" : reply.reason;
  }

  async answer(): Promise<number> {
    const reply = await this.first;
    check(reply.ok, "the peer's response arrives");
    return idOf(reply.response);
  }
}

const answering: readonly NetworkGuarantee[] = [
  {
    name: "a call brings the peer's response, once, and not within the call",
    async run(subject) {
      const [here, there] = [await subject.open(echo(subject)), await subject.open(echo(subject))];
      const sent = new Sent(subject, {
        from: here.network,
        to: there.address,
        payload: payloadOf(7),
        timeoutMs: patienceMs,
      });
      checkSame(await sent.answer(), 7, "the response");
      checkSame(here.network.isReachable(there.address), true, "the peer is reachable");
      await wait(subject.clock, 30);
      checkSame([sent.settles, sent.settledWithin], [1, false], "settles, and within the call");
      await here.close();
      await there.close();
    },
  },
  {
    name: "each of many concurrent calls gets its own response, in both directions",
    async run(subject) {
      const receive = echoInTens(subject);
      const [here, there] = [await subject.open(receive), await subject.open(receive)];
      const ends = [
        { from: here.network, to: there.address },
        { from: there.network, to: here.address },
      ];
      const sent = ends.flatMap((end, direction) =>
        Array.from({ length: 200 }, (_, at) => {
          const payload = payloadOf(direction * 1000 + at);
          return new Sent(subject, { ...end, payload, timeoutMs: patienceMs });
        }),
      );
      for (const [at, each] of sent.entries()) {
        checkSame(await each.answer(), Math.floor(at / 200) * 1000 + (at % 200), "the response");
      }
      checkSame(Math.max(...sent.map((each) => each.settles)), 1, "settles of each call");
      await here.close();
      await there.close();
    },
  },
  {
    name: "payloads arrive whole in both directions, whatever their size",
    async run(subject) {
      const [here, there] = [await subject.open(echo(subject)), await subject.open(echo(subject))];
      for (const length of [4, 5, 127, 128, 16_383, 16_384, 65_536, 100_000]) {
        const payload = payloadOf(length, length);
        const sending = { from: here.network, to: there.address, payload, timeoutMs: patienceMs };
        const reply = await new Sent(subject, sending).first;
        check(reply.ok, `a payload of ${length} bytes is answered`);
        const isWhole =
          reply.response.length === length &&
          reply.response.every((byte, at) => byte === payload[at]);
        check(isWhole, `a payload of ${length} bytes comes back as it was`);
      }
      await here.close();
      await there.close();
    },
  },
  {
    name: "the caller may reuse its buffers once the call returned",
    async run(subject) {
      const [here, there] = [await subject.open(echo(subject)), await subject.open(echo(subject))];
      const payload = payloadOf(1);
      const sending = { from: here.network, to: there.address, payload, timeoutMs: patienceMs };
      const sent = new Sent(subject, sending);
      payload.fill(255);
      checkSame(await sent.answer(), 1, "what the peer was asked");
      await here.close();
      await there.close();
    },
  },
  {
    name: "the peer learns when the sender gives up, on its own clock",
    async run(subject) {
      const { clock } = subject;
      let leftMs = Number.NaN;
      const there = await subject.open((request, deadline, settle) => {
        leftMs = deadline - clock.monotonicMs();
        echo(subject)(request, deadline, settle);
      });
      const here = await subject.open(echo(subject));
      const payload = payloadOf(1);
      const sending = { from: here.network, to: there.address, payload, timeoutMs: patienceMs };
      await new Sent(subject, sending).answer();
      check(leftMs > 0 && leftMs <= patienceMs + 1, `${leftMs} ms of ${patienceMs} were left`);
      await here.close();
      await there.close();
    },
  },
];

const failing: readonly NetworkGuarantee[] = [
  {
    name: "a call to where no node listens is refused, once, and not within the call",
    async run(subject) {
      const here = await subject.open(echo(subject));
      const call = () =>
        new Sent(subject, {
          from: here.network,
          to: subject.nowhere,
          payload: payloadOf(1),
          timeoutMs: 2000,
        });
      // The first finds out; those after it may be told at once, yet never within the call.
      for (let round = 0; round < 3; round++) {
        const sent = call();
        checkSame(await sent.reason(), "refused", "why there is no reply");
        await wait(subject.clock, 20);
        checkSame([sent.settles, sent.settledWithin], [1, false], "settles, and within the call");
      }
      await here.close();
    },
  },
  {
    name: "a peer that never answers is a timeout, once, at the deadline",
    async run(subject) {
      const [here, there] = [await subject.open(echo(subject)), await subject.open(() => {})];
      const deadline = subject.clock.monotonicMs() + 150;
      const sent = new Sent(subject, {
        from: here.network,
        to: there.address,
        payload: payloadOf(1),
        timeoutMs: 150,
      });
      checkSame(await sent.reason(), "timeout", "why there is no reply");
      const lateMs = subject.clock.monotonicMs() - deadline;
      check(lateMs >= -1 && lateMs < 5000, `settled ${lateMs} ms after the deadline`);
      await wait(subject.clock, 100);
      checkSame(sent.settles, 1, "settles");
      await here.close();
      await there.close();
    },
  },
  {
    name: "a response after the deadline is dropped, and disturbs no later call",
    async run(subject) {
      const { clock } = subject;
      const there = await subject.open((request, _deadline, settle) => {
        const payload = subject.requestPayload(request).slice();
        const answer = (): void => settle(subject.response(payload));
        if (idOf(payload) === 1) clock.at(clock.monotonicMs() + 250, answer);
        else answer();
      });
      const here = await subject.open(echo(subject));
      const call = (id: number, timeoutMs: number) =>
        new Sent(subject, {
          from: here.network,
          to: there.address,
          payload: payloadOf(id),
          timeoutMs,
        });
      const late = call(1, 100);
      checkSame(await late.reason(), "timeout", "why there is no reply");
      for (let id = 2; id < 20; id++) {
        checkSame(await call(id, patienceMs).answer(), id, "the response of a later call");
        await wait(clock, 20);
      }
      checkSame(late.settles, 1, "settles of the late call");
      await here.close();
      await there.close();
    },
  },
  {
    name: "a call whose deadline has passed settles without a response, not within the call",
    async run(subject) {
      const [here, there] = [await subject.open(() => {}), await subject.open(() => {})];
      const sent = new Sent(subject, {
        from: here.network,
        to: there.address,
        payload: payloadOf(1),
        timeoutMs: -5,
      });
      check((await sent.reason()) !== "answered", "there is no response");
      await wait(subject.clock, 50);
      checkSame([sent.settles, sent.settledWithin], [1, false], "settles, and within the call");
      await here.close();
      await there.close();
    },
  },
  {
    name: "when the peer's process ends every call settles once, and none refused was executed",
    async run(subject) {
      const { clock } = subject;
      const received = new Set<number>();
      const there = await subject.open((request, _deadline, settle) => {
        const payload = subject.requestPayload(request).slice();
        received.add(idOf(payload));
        if (idOf(payload) % 2 === 0) settle(subject.response(payload));
      });
      const here = await subject.open(echo(subject));
      const call = (id: number) =>
        new Sent(subject, {
          from: here.network,
          to: there.address,
          payload: payloadOf(id),
          timeoutMs: 500,
        });
      const sent = Array.from({ length: 40 }, (_, id) => call(id));
      await wait(clock, 10);
      for (let id = 40; id < 80; id++) sent.push(call(id));
      const closed = there.close();
      for (let id = 80; id < 120; id++) sent.push(call(id));
      await closed;
      for (const [id, each] of sent.entries()) {
        const reason = await each.reason();
        check(reason !== "refused" || !received.has(id), `request ${id} was refused and executed`);
      }
      await wait(clock, 50);
      check(
        sent.every((each) => each.settles === 1),
        "every call settles once",
      );
      const afterwards = call(1000);
      check((await afterwards.reason()) !== "answered", "an ended process answers nothing");
      await here.close();
    },
  },
];

/** What every Network guarantees. */
export const networkGuarantees: readonly NetworkGuarantee[] = [...answering, ...failing];
