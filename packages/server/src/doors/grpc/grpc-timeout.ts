const unitsMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const;

const syntax = /^(\d{1,8})([HMSmun])$/u;

/** The milliseconds of a `grpc-timeout`; `undefined` if that is not what it is. */
export function grpcTimeoutMs(text: string): number | undefined {
  const [, digits, unit] = syntax.exec(text) ?? [];
  if (unit === undefined) return undefined;
  return Number(digits) * unitsMs[unit as keyof typeof unitsMs];
}
