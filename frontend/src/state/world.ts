/** What a session stands on, and gets from outside. */
import type { Api } from "../api/client";
import type { Work } from "../model/answer";
import type { Case } from "../model/case";
import type { Database } from "./database";
import type { Later } from "./outbox";
import type { Images } from "./queue";
import type { ActiveClock } from "./seconds";

export interface Screen extends Images {
  show(of: Case, frame: number): Promise<void>;
  setFrame(frame: number): Promise<void>;
}

/** What comes from outside: network, storage, time, chance, the picture. */
export interface World {
  readonly api: Api;
  readonly database: Database;
  readonly screen: Screen;
  readonly clock: ActiveClock;
  readonly now: () => number;
  readonly later: Later;
  readonly newId: () => string;
  /** What work lacks beyond the protocol's own demands, in words. */
  readonly lacking?: ((work: Work) => string | null) | undefined;
}
