// A process of its own for one engine: does one task of its parent, and answers.
import { setCollectorFlags } from "@coterie/server";
import { say } from "../say.ts";
import { loadEngine, openEngine } from "./load-engine.ts";
import type { Loaded, Opened, Task } from "./tasks.ts";

function carryOut(task: Task): Promise<Loaded | Opened> {
  return task.kind === "load" ? loadEngine(task) : openEngine(task);
}

setCollectorFlags();
process.on("disconnect", () => process.exit());
process.once("message", (task: Task) => {
  carryOut(task).then(
    (answer) => process.send?.(answer),
    (error: Error) => {
      say(`${task.shape.engine}: ${error.message}`);
      process.exit(1);
    },
  );
});
