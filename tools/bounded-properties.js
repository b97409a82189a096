// A vitest setup file. A property that fails is made smaller, run by run, without giving up its
// thread, which no test's time limit ends: so that is bounded here, and what was found by then is
// reported, with its seed.
import * as fc from "fast-check";

fc.configureGlobal({ interruptAfterTimeLimit: 25_000, markInterruptAsFailure: true });
