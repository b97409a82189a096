/** Which keys are asked for most: of `GET /v1/hot`. */
export interface HotTableView {
  /** Requests per second, of all keys. */
  readonly perSecond: number;
  /** No key that is left out is asked for more often. */
  readonly floorPerSecond: number;
  readonly keys: readonly {
    readonly bucket: string;
    /** In base64url. */
    readonly key: string;
    readonly perSecond: number;
    /** By so much the rate may be too high. */
    readonly errorPerSecond: number;
  }[];
}

/** `GET /v1/hot`. */
export interface HotKeysView {
  readonly halfLifeMs: number;
  readonly answered: readonly string[];
  readonly silent: readonly string[];
  readonly reads: HotTableView;
  readonly writes: HotTableView;
}
