import {
  type DescMessage,
  type MessageInitShape,
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { invariant } from "@coterie/core";
import { descriptorSet } from "./descriptor-set.ts";

const set = fromBinary(FileDescriptorSetSchema, Buffer.from(descriptorSet, "base64"));
const registry = createFileRegistry(set);

/** Names of all services of the door. */
export const serviceNames: readonly string[] = set.file.flatMap((file) =>
  file.service.map(({ name }) => (file.package === "" ? name : `${file.package}.${name}`)),
);

/** The encoded descriptor of a file; none of ours imports another. `undefined`: there is none. */
export function fileDescriptor(name: string): Uint8Array | undefined {
  const file = set.file.find((each) => each.name === name);
  return file === undefined ? undefined : toBinary(FileDescriptorProtoSchema, file);
}

/** The name of the file that declares a service, a method, a message, an enum or a field. */
export function fileOfSymbol(symbol: string): string | undefined {
  const found = registry.get(symbol);
  if (found !== undefined) return `${found.file.name}.proto`;
  const dot = symbol.lastIndexOf(".");
  const owner = dot < 0 ? undefined : registry.get(symbol.slice(0, dot));
  if (owner === undefined || !hasMember(owner, symbol.slice(dot + 1))) return undefined;
  return `${owner.file.name}.proto`;
}

function hasMember(found: NonNullable<ReturnType<typeof registry.get>>, member: string): boolean {
  if (found.kind === "service") return found.methods.some(({ name }) => name === member);
  if (found.kind === "message") return found.fields.some(({ name }) => name === member);
  return false;
}

/** Reads and writes messages of one type, for what is asked rarely. */
export interface ColdCodec<Message> {
  /** `undefined` if the bytes are malformed. */
  decode(bytes: Uint8Array): Message | undefined;
  encode(message: Message): Uint8Array;
}

/** The codec of a message by its name; `Message` is what protobuf-es makes of it. */
export function coldCodec<Message>(typeName: string): ColdCodec<Message> {
  const schema = registry.getMessage(typeName);
  invariant(schema !== undefined, "every cold message is in the descriptor set");
  return {
    decode: (bytes) => {
      try {
        return fromBinary(schema, bytes) as Message;
      } catch {
        return undefined;
      }
    },
    encode: (message) => toBinary(schema, create(schema, message as MessageInitShape<DescMessage>)),
  };
}
