import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { NodeApi } from "@coterie/cluster";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { coldCodec } from "../../src/doors/grpc/descriptors.ts";
import { methodsOf, until } from "./gate.ts";
import type { GrpcClient } from "./grpc-client.ts";
import { OpenedDoors } from "./open-door.ts";

const doors = new OpenedDoors();
afterEach(() => doors.close());

const healthRequest = coldCodec<{ service: string }>("grpc.health.v1.HealthCheckRequest");
const healthResponse = coldCodec<{ status: number }>("grpc.health.v1.HealthCheckResponse");
const listResponse = coldCodec<{ statuses: Record<string, { status: number }> }>(
  "grpc.health.v1.HealthListResponse",
);

const health = "/grpc.health.v1.Health";

function check(client: GrpcClient, service: string) {
  const request = healthRequest.encode({ service });
  return client.call(`${health}/Check`, request, (bytes) => healthResponse.decode(bytes)?.status);
}

describe("health", () => {
  it("is serving for the node and each service, and not found for others", async () => {
    const { client } = await doors.open();
    for (const service of ["", "coterie.v1.Kv", "coterie.v1.Cluster"]) {
      expect(await check(client, service)).toEqual({ ok: true, reply: 1 });
    }
    for (const service of ["coterie", "__proto__"]) {
      expect(await check(client, service)).toMatchObject({ failed: { status: "NOT_FOUND" } });
    }
    const garbage = Uint8Array.of(0xff);
    expect(
      await client.call(`${health}/Check`, garbage, (bytes) => healthResponse.decode(bytes)),
    ).toMatchObject({ failed: { status: "INVALID_ARGUMENT" } });
  });

  it("lists what it knows", async () => {
    const { client } = await doors.open();
    const listed = await client.call(`${health}/List`, new Uint8Array(), (bytes) =>
      listResponse.decode(bytes),
    );
    expect(Object.keys(listed.ok ? listed.reply.statuses : {}).toSorted()).toEqual([
      "",
      "coterie.v1.Cluster",
      "coterie.v1.Kv",
    ]);
  });

  it("is told to watchers as it changes, and that the door closes", async () => {
    let missing: readonly string[] = ["a peer"];
    const wrap = (node: NodeApi): NodeApi => ({ ...methodsOf(node), missing: () => missing });
    const { client, door } = await doors.open({ wrap });
    expect(await check(client, "")).toEqual({ ok: true, reply: 2 });
    const seen: (number | undefined)[] = [];
    const call = client.raw.makeServerStreamRequest(
      `${health}/Watch`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => healthResponse.decode(bytes)?.status,
      healthRequest.encode({ service: "coterie.v1.Kv" }),
    );
    call.on("data", (now: number) => seen.push(now));
    call.on("error", () => undefined);
    await until(() => seen.length === 1);
    missing = [];
    await until(() => seen.length === 2);
    await door.close(1000);
    await until(() => seen.length === 3);
    expect(seen).toEqual([2, 1, 2]);
  });
});

interface ReflectionAnswer {
  readonly messageResponse: {
    readonly case: string;
    readonly value: {
      readonly service?: readonly { readonly name: string }[];
      readonly fileDescriptorProto?: readonly Uint8Array[];
      readonly errorCode?: number;
    };
  };
}

describe.each(["v1", "v1alpha"])("reflection %s", (version) => {
  const prefix = `grpc.reflection.${version}.ServerReflection`;
  const requests = coldCodec<object>(`${prefix}Request`);
  const responses = coldCodec<ReflectionAnswer>(`${prefix}Response`);

  async function ask(client: GrpcClient, kind: string, value: unknown): Promise<ReflectionAnswer> {
    const call = client.duplex(`/${prefix}/ServerReflectionInfo`);
    const answer = new Promise<ReflectionAnswer>((resolve, reject) => {
      call.on("data", (bytes: Uint8Array) => {
        const response = responses.decode(bytes);
        if (response === undefined) reject(new Error("malformed"));
        else resolve(response);
      });
      call.on("error", reject);
    });
    call.end(requests.encode({ messageRequest: { case: kind, value } }));
    return answer;
  }

  it("lists the services, and gives the file of each symbol", async () => {
    const { client } = await doors.open();
    const { messageResponse: listed } = await ask(client, "listServices", "");
    expect(listed.value.service?.map(({ name }) => name)).toContain("coterie.v1.Kv");
    for (const [kind, name, file] of [
      ["fileContainingSymbol", "coterie.v1.Kv", "coterie/v1/kv.proto"],
      ["fileContainingSymbol", "coterie.v1.Kv.Pipe", "coterie/v1/kv.proto"],
      ["fileContainingSymbol", "coterie.v1.Cluster.Describe", "coterie/v1/cluster.proto"],
      ["fileContainingSymbol", "coterie.v1.Sibling.dot", "coterie/v1/kv.proto"],
      ["fileByFilename", "grpc/health/v1/health.proto", "grpc/health/v1/health.proto"],
    ] as const) {
      const { messageResponse: found } = await ask(client, kind, name);
      const [bytes] = found.value.fileDescriptorProto ?? [];
      expect(fromBinary(FileDescriptorProtoSchema, bytes ?? new Uint8Array()).name).toBe(file);
    }
  });

  it.each([
    ["fileByFilename", "nowhere.proto", status.NOT_FOUND],
    ["fileContainingSymbol", "coterie.v1.Kv.Nothing", status.NOT_FOUND],
    ["fileContainingSymbol", "__proto__", status.NOT_FOUND],
    ["allExtensionNumbersOfType", "coterie.v1.Sibling", status.NOT_FOUND],
  ])("answers %s %s with an error", async (kind, value, code) => {
    const { client } = await doors.open();
    const { messageResponse } = await ask(client, kind, value);
    expect(messageResponse).toMatchObject({ case: "errorResponse", value: { errorCode: code } });
  });

  it("refuses bytes that are no message, and those that ask nothing", async () => {
    const { client } = await doors.open();
    const call = client.duplex(`/${prefix}/ServerReflectionInfo`);
    const failed = new Promise<number>((resolve) => {
      call.on("error", (error: { readonly code: number }) => resolve(error.code));
    });
    call.resume();
    call.write(Uint8Array.of(0xff));
    expect(await failed).toBe(status.INVALID_ARGUMENT);
    const bare = await ask(client, "", undefined);
    expect(bare.messageResponse.value.errorCode).toBe(status.UNIMPLEMENTED);
  });
});
