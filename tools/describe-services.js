// Writes the descriptors of all services of the gRPC door, which reflection answers from. It needs
// protoc (Debian: protobuf-compiler). Run it after every change of a .proto file:
//   node tools/describe-services.js          # writes descriptor-set.ts
//   node tools/describe-services.js --check  # fails if that file is not up to date
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = at("../packages/server/src/doors/grpc/descriptor-set.ts");
const files = [
  "coterie/v1/kv.proto",
  "coterie/v1/cluster.proto",
  "grpc/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto",
  "grpc/reflection/v1alpha/reflection.proto",
];

const directory = mkdtempSync(join(tmpdir(), "coterie-descriptors-"));
const set = join(directory, "set.bin");
const proto = at("../packages/protocol/proto");
execFileSync("protoc", [`-I${proto}`, `--descriptor_set_out=${set}`, ...files]);
const text = readFileSync(set).toString("base64");
rmSync(directory, { recursive: true });

const lines = text.match(/.{1,90}/gu) ?? [];
const source = `// Written by tools/describe-services.js from the .proto files of the protocol package.

/** A google.protobuf.FileDescriptorSet with every service of the gRPC door, in base64. */
export const descriptorSet: string = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`;

if (!process.argv.includes("--check")) writeFileSync(target, source);
else if (readFileSync(target, "utf8") !== source) {
  process.stderr.write(`${target} is not up to date: run node tools/describe-services.js\n`);
  process.exitCode = 1;
}
