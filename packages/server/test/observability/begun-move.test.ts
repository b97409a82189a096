import { clientMethods } from "@coterie/protocol";
import { afterAll, expect, it } from "vitest";
import { grpcReadings } from "../../src/observability/grpc-readings.ts";
import { until } from "../grpc/gate.ts";
import { OpenedDoors } from "../grpc/open-door.ts";
import { RawConnection } from "../grpc/raw-call.ts";

const doors = new OpenedDoors();
afterAll(() => doors.close());

it("bytes of a message that has not come whole move, and are gone with their call", async () => {
  const { door } = await doors.open({ options: { begunBytesMax: 1000 } });
  const readings = grpcReadings(() => door.statistics);
  const read = (): number | undefined =>
    readings.find(({ name }) => name === "coterie_grpc_begun_bytes")?.read()[0]?.value;
  expect(read()).toBe(0);
  const raw = new RawConnection(door.address);
  const answer = raw.call({ ":path": clientMethods.pipe }, [Uint8Array.of(0, 0, 0, 0, 9, 7)], true);
  await until(() => read() !== 0);
  raw.close();
  await answer;
  await until(() => read() === 0);
});
