/** What the command's exit code means, the same for every subcommand. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unavailable: 4,
  auth: 5,
  conflict: 6,
} as const;

/** One of the values of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command: printed as what failed and why, then what to try next. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exit: ExitCode;
  /** What to do about it; printed after `try:`. */
  readonly next: string | undefined;

  constructor(exit: ExitCode, message: string, next?: string) {
    super(message);
    this.exit = exit;
    this.next = next;
  }
}

/** The exit code for an HTTP status of a Coterie node; a test holds it to the table of errors. */
export function exitOfStatus(status: number): ExitCode {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 501:
      return exitCodes.usage;
    case 401:
    case 403:
      return exitCodes.auth;
    case 404:
      return exitCodes.notFound;
    case 409:
    case 412:
      return exitCodes.conflict;
    case 429:
    case 503:
    case 504:
      return exitCodes.unavailable;
    default:
      return status < 300 ? exitCodes.ok : exitCodes.failure;
  }
}
