import {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  connect,
} from "node:http2";

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  /** Those of an answer without any message are in its headers. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** What HTTP/2 says of how the stream ended. */
  readonly resetCode: number | undefined;
}

/** Calls over HTTP/2 as no library of gRPC would. */
export class RawConnection {
  readonly session: ClientHttp2Session;

  constructor(address: string) {
    this.session = connect(`http://${address}`);
    this.session.on("error", () => undefined);
  }

  close(): void {
    this.session.destroy();
  }

  /** Sends each piece in a frame of its own; `isOpen`: the call is not half-closed. */
  call(
    headers: OutgoingHttpHeaders,
    pieces: readonly Uint8Array[],
    isOpen: boolean = false,
  ): Promise<RawAnswer> {
    const stream = this.session.request({
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return new Promise((resolve) => {
      let answered: IncomingHttpHeaders = {};
      let trailers: IncomingHttpHeaders = {};
      const body: Buffer[] = [];
      stream.on("response", (got) => {
        answered = got;
      });
      stream.on("trailers", (got) => {
        trailers = got;
      });
      stream.on("data", (chunk: Buffer) => body.push(chunk));
      stream.on("error", () => undefined);
      stream.on("close", () => {
        const resetCode = stream.rstCode;
        resolve({ headers: answered, trailers, body: Buffer.concat(body), resetCode });
      });
      for (const piece of pieces) stream.write(piece);
      if (!isOpen) stream.end();
    });
  }
}
