import type { Addresses } from "../drivers/driver.ts";

interface Member {
  /** Of its peer door. */
  readonly address: string;
  /** Missing from nodes that have no such door. */
  readonly grpc?: string | null;
}

/** Where the nodes of the cluster listen that these HTTP doors belong to. */
export async function coterieDoors(http: readonly string[]): Promise<Addresses> {
  const response = await fetch(`http://${http[0]}/v1/cluster`);
  if (!response.ok) throw new Error(`${http[0]} answers ${response.status} to /v1/cluster`);
  const { members } = (await response.json()) as { readonly members: readonly Member[] };
  const grpc = members.flatMap((member) => member.grpc ?? []).filter((address) => address !== "");
  return { http, peer: members.map(({ address }) => address), grpc };
}
