// A process of its own for one engine: does one task of its parent, and answers.
import { loadEngine, openEngine } from "./load-engine.ts";
import type { Loaded, Opened, Task } from "./tasks.ts";

function carryOut(task: Task): Promise<Loaded | Opened> {
  return task.kind === "load" ? loadEngine(task) : openEngine(task);
}

process.on("disconnect", () => process.exit());
process.once("message", (task: Task) => {
  carryOut(task).then(
    (answer) => process.send?.(answer),
    (error: Error) => {
      process.stderr.write(`${task.shape.engine}: ${error.message}\n`);
      process.exit(1);
    },
  );
});
