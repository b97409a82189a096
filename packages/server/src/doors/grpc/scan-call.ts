import type { Clock } from "@coterie/ports";
import { type KvScan, decodeKvRequest, encodeKvReply } from "@coterie/protocol";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { refusal, statusOf } from "./failures.ts";
import { replyBytesMax } from "./grpc-options.ts";
import type { KvService } from "./kv-service.ts";

type Call = ServerWritableStream<Uint8Array, Uint8Array>;

/** Sends a bucket page by page; the next one is read when the client has taken the last. */
export function serveScan(service: KvService, clock: Clock, call: Call): void {
  const decoded = decodeKvRequest("scan", call.request);
  if (decoded.ok) sendPage(service, clock, call, decoded.value);
  else {
    const failure = refusal(decoded.problem);
    service.observe("scan", failure, 0);
    call.emit("error", statusOf(failure));
  }
}

function sendPage(service: KvService, clock: Clock, call: Call, scan: KvScan): void {
  const sinceMs = clock.monotonicMs();
  service.scan(scan, (reply) => {
    service.observe("scan", reply, clock.monotonicMs() - sinceMs);
    if (call.cancelled) return;
    if (reply.kind === "failure") {
      call.emit("error", statusOf(reply));
      return;
    }
    const page = encodeKvReply(reply);
    if (page.length > replyBytesMax) {
      const message = "the page is larger than a message may be: lower the limit";
      call.emit("error", statusOf(refusal({ code: "too-large", message })));
    } else if (reply.cursor === undefined) {
      call.write(page);
      call.end();
    } else {
      const { cursor } = reply;
      call.write(page, () => {
        if (!call.cancelled) sendPage(service, clock, call, { ...scan, cursor });
      });
    }
  });
}
