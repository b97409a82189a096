/** Paths of the methods that a client's door serves: kv.proto and cluster.proto. */
export const clientMethods = {
  get: "/coterie.v1.Kv/Get",
  put: "/coterie.v1.Kv/Put",
  delete: "/coterie.v1.Kv/Delete",
  batch: "/coterie.v1.Kv/Batch",
  scan: "/coterie.v1.Kv/Scan",
  pipe: "/coterie.v1.Kv/Pipe",
  describe: "/coterie.v1.Cluster/Describe",
} as const;

/**
 * Trailers of a failed call: the error code, the Failure message, and that message within a
 * google.rpc.Status, where tools look that know nothing of Coterie.
 */
export const failureTrailers = {
  code: "coterie-code",
  message: "coterie-failure-bin",
  details: "grpc-status-details-bin",
} as const;
