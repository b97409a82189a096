/** What the RESP door counts besides its commands; read by metrics. */
export interface RespStatistics {
  /** Connections taken since the start, and refused because there were too many. */
  connectionsReceived: number;
  connectionsRefused: number;
  commands: number;
  bytesReceived: number;
  bytesSent: number;
  /** Connections closed because of what they sent: no RESP, or broken RESP. */
  protocolErrors: number;
  /** Connections cut because they took no replies, or held too much. */
  cut: number;
  /** Bytes of replies that clients have not taken. */
  bytesUnread: number;
}

export function newRespStatistics(): RespStatistics {
  return {
    connectionsReceived: 0,
    connectionsRefused: 0,
    commands: 0,
    bytesReceived: 0,
    bytesSent: 0,
    protocolErrors: 0,
    cut: 0,
    bytesUnread: 0,
  };
}
