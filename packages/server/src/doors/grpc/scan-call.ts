import type { Clock } from "@coterie/ports";
import { type KvScan, decodeKvRequest, encodeKvReply } from "@coterie/protocol";
import { refusal, statusOf } from "./failures.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { replyBytesMax } from "./grpc-options.ts";
import type { KvService } from "./kv-service.ts";

export interface ScanCallInput {
  readonly service: KvService;
  readonly clock: Clock;
  readonly call: GrpcCall;
}

/** Sends a bucket page by page; the next one is read when the client has taken the last. */
export function serveScan(input: ScanCallInput, request: Uint8Array): void {
  const decoded = decodeKvRequest("scan", request);
  if (decoded.ok) sendPage(input, decoded.value);
  else {
    const failure = refusal(decoded.problem);
    input.service.observe("scan", failure, 0);
    input.call.fail(statusOf(failure));
  }
}

function sendPage(input: ScanCallInput, scan: KvScan): void {
  const { service, clock, call } = input;
  const sinceMs = clock.monotonicMs();
  service.scan(scan, (reply) => {
    service.observe("scan", reply, clock.monotonicMs() - sinceMs);
    if (call.isOver) return;
    if (reply.kind === "failure") {
      call.fail(statusOf(reply));
      return;
    }
    const page = encodeKvReply(reply);
    if (page.length > replyBytesMax) {
      const message = "the page is larger than a message may be: lower the limit";
      call.fail(statusOf(refusal({ code: "too-large", message })));
    } else if (reply.cursor === undefined) call.end(page);
    else {
      const { cursor } = reply;
      call.write(page, () => {
        if (!call.isOver) sendPage(input, { ...scan, cursor });
      });
    }
  });
}
