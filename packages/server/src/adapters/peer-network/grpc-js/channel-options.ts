import type { PeerOptions } from "../peer-options.ts";

/** grpc-js options of both ends. */
export function channelOptions(options: PeerOptions): Readonly<Record<string, number>> {
  return {
    "grpc.keepalive_time_ms": options.keepaliveMs,
    "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
    "grpc.max_receive_message_length": options.messageBytesMax,
    "grpc.max_send_message_length": options.messageBytesMax,
    "grpc.max_concurrent_streams": options.streamsMax,
    "grpc.enable_retries": 0,
    "grpc.enable_channelz": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    "grpc-node.flow_control_window": options.receiveWindowBytes,
  };
}
