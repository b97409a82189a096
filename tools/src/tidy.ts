import { documentRules } from "./document-rules.ts";
import { packageRules } from "./package-rules.ts";
import { sourceRules } from "./source-rules.ts";
import type { TidyRule } from "./source-tree.ts";

/** Every house rule by name. Each has a planted violation in the tests. */
export const tidyRules: Readonly<Record<string, TidyRule>> = {
  ...sourceRules,
  ...documentRules,
  ...packageRules,
};
