import { constants } from "node:http2";
import { Http2Port } from "../../http2/http2-port.ts";
import { replicatePath } from "../peer-options.ts";
import type { ListenOutcome, PeerListener, PeerListenerInput } from "../transport.ts";
import { Http2Call, refuseCall } from "./http2-call.ts";

/** Takes the streams of peers over HTTP/2, framed as gRPC frames them. */
export class Http2Listener implements PeerListener {
  readonly #port: Http2Port;

  constructor(input: PeerListenerInput) {
    const { clock, options } = input;
    this.#port = new Http2Port({
      clock,
      options,
      onStream: (stream, headers) => {
        if (headers[constants.HTTP2_HEADER_PATH] !== replicatePath) refuseCall(stream);
        else new Http2Call(stream).serve(input);
      },
    });
  }

  async listen(host: string, port: number): Promise<ListenOutcome> {
    const outcome = await this.#port.listen(host, port);
    return outcome.ok ? { ...outcome, isWindowRaised: true } : outcome;
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}
