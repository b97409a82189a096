// One of three processes that do of a put what no store can leave out: ready with its port; then
// told the ports of the two others, if it is the one that a client asks. Each message is written
// and synced; the asked one answers when two of the three have done that.
import { closeSync, fdatasync, openSync, writeSync } from "node:fs";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { join } from "node:path";

const [, , directory = ".", size] = process.argv;
/** Bytes of every message, and of the answer to one. */
const messageBytes = Number(size);
const answerBytes = 8;
const page = Buffer.alloc(4096, 7);
const pages = 4096;
/** Of the three, until which a put is not answered. */
const votesWanted = 2;
const file = openSync(join(directory, String(process.pid)), "w");
for (let at = 0; at < pages; at += 1) writeSync(file, page, 0, page.length, at * page.length);

let others: readonly Socket[] = [];
/** Whom the put under way is to be answered, and how many have synced it. */
let waiting: Socket | undefined;
let votes = 0;
let count = 0;

function vote(put: number): void {
  // The third one comes when the next put is under way.
  if (put !== count) return;
  votes += 1;
  if (votes === votesWanted) waiting?.write(page.subarray(0, answerBytes));
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (messages: Buffer) => {
    count += 1;
    const put = count;
    waiting = socket;
    votes = 0;
    for (const other of others) other.write(messages);
    writeSync(file, messages, 0, messages.length, (put % pages) * page.length);
    fdatasync(file, () => {
      if (others.length > 0) vote(put);
      // Who was slow finds several at once: each is a vote of its own for whoever asked.
      else socket.write(page.subarray(0, (messages.length / messageBytes) * answerBytes));
    });
  });
});

process.on("message", (ports: readonly number[]) => {
  others = ports.map((port) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let answered = 0;
    socket.on("data", (answers: Buffer) => {
      for (let left = answers.length; left > 0; left -= answerBytes) {
        answered += 1;
        vote(answered);
      }
    });
    return socket;
  });
});
process.on("disconnect", () => {
  closeSync(file);
  process.exit();
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
