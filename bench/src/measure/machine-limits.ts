import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** Filesystem types by the magic number of statfs(2). */
const filesystems = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  [0xef53, "ext4"],
  [0x9123683e, "btrfs"],
  [0x58465342, "xfs"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
]);

/** The type of the filesystem that holds `directory`. */
export function filesystemOf(directory: string): string {
  const { type } = statfsSync(directory);
  return filesystems.get(type) ?? `0x${type.toString(16)}`;
}

/** fdatasync calls per second after writing 4 KiB into a preallocated file: what one log can do. */
export function fdatasyncRate(directory: string, seconds: number): number {
  const name = join(directory, `fdatasync-rate-${process.pid}`);
  const file = openSync(name, "w");
  const page = Buffer.alloc(4096, 7);
  const pages = 4096;
  for (let at = 0; at < pages; at += 1) writeSync(file, page, 0, page.length, at * page.length);
  fdatasyncSync(file);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < seconds * 1000) {
    writeSync(file, page, 0, page.length, (count % pages) * page.length);
    fdatasyncSync(file);
    count += 1;
  }
  const rate = count / ((performance.now() - started) / 1000);
  closeSync(file);
  rmSync(name);
  return rate;
}

/**
 * Bytes per second that reach the disk by writes of `chunkBytes`, each with an fdatasync behind it,
 * into a file that grows: what a log can do that takes such groups.
 */
export function sequentialSyncRate(directory: string, chunkBytes: number, seconds: number): number {
  const name = join(directory, `sequential-rate-${process.pid}`);
  const file = openSync(name, "w");
  const chunk = Buffer.alloc(chunkBytes, 7);
  const started = performance.now();
  let bytes = 0;
  while (performance.now() - started < seconds * 1000) {
    bytes += writeSync(file, chunk);
    fdatasyncSync(file);
  }
  const rate = bytes / ((performance.now() - started) / 1000);
  closeSync(file);
  rmSync(name);
  return rate;
}

/** Round trips of 100 bytes per second over loopback TCP, `inFlight` connections, one process. */
export async function loopbackEchoRate(inFlight: number, seconds: number): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    // The end of the run cuts connections with bytes on their way.
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const message = Buffer.alloc(100, 1);
  let count = 0;
  const sockets = Array.from({ length: inFlight }, () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("data", () => {
      count += 1;
      socket.write(message);
    });
    socket.on("connect", () => socket.write(message));
    return socket;
  });
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
  for (const socket of sockets) socket.destroy();
  server.close();
  return count / seconds;
}
