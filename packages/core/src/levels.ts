/**
 * What a build of Coterie understands of others, from the oldest to the newest (docs/operations/
 * upgrade.md). A level is raised by whatever older builds would take amiss: on the wire, in the
 * cluster document, or in what nodes expect of each other.
 *
 * | level | is |
 * |---|---|
 * | 1 | all that builds speak which do not say their levels |
 * | 2 | levels are said when streams open, and the document has one |
 */
export interface Levels {
  readonly min: number;
  readonly max: number;
}

/** Of this build. */
export const levelsOfBuild: Levels = { min: 1, max: 2 };

/** Of a node that does not say: its build is from before there were levels. */
export const levelsUnsaid: Levels = { min: 1, max: 1 };

/** The newest level that both speak; `undefined` if there is none. */
export function sharedLevel(left: Levels, right: Levels): number | undefined {
  const level = Math.min(left.max, right.max);
  return level >= Math.max(left.min, right.min) ? level : undefined;
}

export function levelsText({ min, max }: Levels): string {
  return min === max ? `level ${min}` : `levels ${min} to ${max}`;
}

/** Why a node that speaks these cannot be a member of a cluster that goes by this level. */
export function problemWithLevel(level: number, own: Levels): string | undefined {
  if (level >= own.min && level <= own.max) return undefined;
  const which = level > own.max ? "a newer" : "an older";
  return (
    `the cluster goes by level ${level}, and this build speaks ${levelsText(own)}: ` +
    `start ${which} one on this directory`
  );
}
