import type { Target } from "./target.ts";

interface Member {
  readonly http: string;
  readonly peer: string;
  readonly grpc?: string;
}

/** A cluster that runs already, and whose processes are not looked at. */
export async function remoteTarget(nodes: readonly string[]): Promise<Target> {
  const doors = nodes.map((node) => node.replace(/^https?:\/\//u, "").replace(/\/$/u, ""));
  const response = await fetch(`http://${doors[0]}/v1/cluster`);
  if (!response.ok) throw new Error(`${doors[0]} answers ${response.status} to /v1/cluster`);
  const { members } = (await response.json()) as { readonly members: readonly Member[] };
  const grpc = members.flatMap((member) => (member.grpc === undefined ? [] : [member.grpc]));
  return {
    name: "coterie",
    description: `the cluster of ${doors.join(", ")}`,
    addresses: {
      http: doors,
      peer: members.map(({ peer }) => peer),
      grpc,
    },
    pids: [],
    metricsDoors: doors,
    stop: () => Promise.resolve(),
  };
}
