import { serveAntiEntropy, serveRepair } from "./anti-entropy-routes.ts";
import { serveBatch } from "./batch/batch-route.ts";
import { serveBucketChange } from "./bucket-route.ts";
import {
  serveBucket,
  serveBuckets,
  serveCluster,
  serveExplain,
  serveHints,
  serveMembers,
  serveReplica,
  serveRing,
} from "./cluster-routes.ts";
import { serveDrain } from "./drain-route.ts";
import { serveFind } from "./find-route.ts";
import { serveHot } from "./hot-route.ts";
import { serveKey } from "./keys-route.ts";
import { serveIndex, serveOpenApi } from "./openapi/openapi-route.ts";
import { serveLiveness, serveMetrics, serveReadiness } from "./probes.ts";
import type { Route, RouteOperation } from "./route.ts";
import { serveScan } from "./scan-route.ts";
import { serveFinalize, serveUpgrade } from "./upgrade-routes.ts";
import {
  serveAbort,
  serveCommit,
  serveForcing,
  servePause,
  servePlan,
  serveResume,
  serveTopology,
} from "./topology-routes.ts";

/** All there is; the most frequent first. */
export const routes: readonly Route[] = [
  {
    path: "/v1/buckets/{bucket}/keys/{key}",
    methods: new Map([
      ["GET", { operation: "get", serve: serveKey }],
      ["HEAD", { operation: "get", serve: serveKey }],
      ["PUT", { operation: "put", serve: serveKey }],
      ["DELETE", { operation: "delete", serve: serveKey }],
    ]),
  },
  { path: "/v1/batch", methods: new Map([["POST", { operation: "batch", serve: serveBatch }]]) },
  reading("/v1/buckets/{bucket}/keys", "scan", serveScan),
  {
    path: "/v1/buckets/{bucket}",
    methods: new Map([
      ["GET", { operation: "bucket", serve: serveBucket }],
      ["HEAD", { operation: "bucket", serve: serveBucket }],
      ["PUT", { operation: "bucket-put", serve: serveBucketChange }],
      ["PATCH", { operation: "bucket-patch", serve: serveBucketChange }],
    ]),
  },
  reading("/v1/buckets", "buckets", serveBuckets),
  reading("/v1/cluster", "cluster", serveCluster),
  reading("/v1/members", "members", serveMembers),
  reading("/v1/hints", "hints", serveHints),
  reading("/v1/anti-entropy", "anti-entropy", serveAntiEntropy),
  changing("/v1/repair", "repair", serveRepair),
  reading("/v1/topology", "topology", serveTopology),
  changing("/v1/plan", "plan", servePlan),
  changing("/v1/commit", "commit", serveCommit),
  changing("/v1/abort", "abort", serveAbort),
  changing("/v1/drain", "drain", serveDrain),
  {
    path: "/v1/upgrade",
    methods: new Map([
      ["GET", { operation: "levels", serve: serveUpgrade }],
      ["HEAD", { operation: "levels", serve: serveUpgrade }],
      ["POST", { operation: "upgrade", serve: serveFinalize }],
    ]),
  },
  changing("/v1/pause", "pause", servePause),
  changing("/v1/resume", "resume", serveResume),
  changing("/v1/force-voters", "force-voters", serveForcing),
  reading("/v1/find", "find", serveFind),
  reading("/v1/hot", "hot", serveHot),
  reading("/v1/ring", "ring", serveRing),
  reading("/v1/explain/{bucket}/{key}", "explain", serveExplain),
  reading("/v1/replica/{bucket}/{key}", "replica", serveReplica),
  reading("/livez", "livez", serveLiveness),
  reading("/readyz", "readyz", serveReadiness),
  reading("/metrics", "metrics", serveMetrics),
  reading("/openapi.json", "openapi", serveOpenApi),
  reading("/", "index", serveIndex),
];

/** A route at which something is asked for. */
function changing(path: string, operation: string, serve: RouteOperation["serve"]): Route {
  return { path, methods: new Map([["POST", { operation, serve }]]) };
}

/** A route that is only read. */
function reading(path: string, operation: string, serve: RouteOperation["serve"]): Route {
  const answer = { operation, serve };
  return {
    path,
    methods: new Map([
      ["GET", answer],
      ["HEAD", answer],
    ]),
  };
}
