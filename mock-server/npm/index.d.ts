// What the package offers; the shapes of requests and answers are in control.d.ts.

import type {
  Listing, ClockAt, CommandResult, Control, Found, KickReason, NewWorld, Overview, Placed, QuietAnswer, RestAnswer, RuleRow,
  Sending, Settings, SettingsPatch, Staging, StateFile, TrafficRow, WaitFor, Waited, WorldLine,
} from './control';

export type * from './control';

export interface StartOptions {
  /** The program; left out: MOCK_SERVER_BIN, then target/release or target/debug of this repository, then PATH. */
  binary?: string;
  /** More flags of the program, such as `['--recall-window', '1s']`. */
  args?: string[];
  /** Refuses what a laptop forgives: unknown users, unknown tokens, messages to nobody. */
  strict?: boolean;
  /** Whatever the protocol leaves open happens, drawn from this seed. */
  nasty?: number;
  /** A file that the worlds are loaded from and saved to. */
  state?: string;
}

/** Starts a server on a free port of this machine. It ends with `stop()`, or with this process, however that ends. */
export function startMockServer(options?: StartOptions): Promise<MockServer>;

export interface MockServer extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** What goes into the options of an SDK of this generation, beside `appKey`. */
  sdkOptions(generation: '3' | '4' | 3 | 4): { url: string; apiUrl: string; isHttpDNS: false };
  /** The world of an app key, `org#app`. */
  world(appKey: string): World;
  /** Every world that is there. */
  worlds(): Promise<WorldLine[]>;
  /** Every error and situation that has a name. */
  catalog(): Promise<Listing>;
  /** All worlds as a document that people can read and keep. */
  state(): Promise<StateFile>;
  /** Puts the worlds of such a document in the place of all that are there. */
  load(state: StateFile): Promise<Placed>;
  /** Ends it; resolves when it has ended. */
  stop(): Promise<void>;
}

/** One world. Every refusal is a `MockServerError` with the server's words. */
export interface World {
  readonly appKey: string;
  readonly clock: Clock;
  /** One command, or several that are done whole or not at all; what has no call of its own is done by this one. */
  control(commands: Control | Control[]): Promise<CommandResult[]>;
  /** Registers a user, or gives an existing one this password. */
  user(name: string, password: string): Promise<void>;
  /** Makes users that have no password yet: each gets the one of its first login. */
  users(...names: Array<string | string[]>): Promise<void>;
  group(id: string, owner: string, members?: string[]): Promise<void>;
  room(id: string, owner: string, members?: string[]): Promise<void>;
  /** Makes an access token; `ttlMs` of 0 or less: it has expired. */
  token(user: string, token: string, options: { ttlMs: number }): Promise<void>;
  /** Has tokens end: all of a user, or one; now, or at a moment. */
  expireTokens(user: string, options?: { token?: string; atMs?: number }): Promise<void>;
  /** Sends a message as anyone. */
  send(message: Omit<Sending, 'ext'> & { ext?: Record<string, unknown> }): Promise<void>;
  /** Tells a user's devices, or one of them, why they go. */
  kick(user: string, options?: { device?: string; reason?: KickReason }): Promise<void>;
  settings(): Promise<Settings>;
  /** Changes the settings that are named. */
  set(settings: SettingsPatch): Promise<void>;
  /** Arms a fault rule, such as `on next recall from alice: answer status 4`. */
  rule(text: string): Promise<Rule>;
  rules(): Promise<RuleRow[]>;
  /** Takes back every fault that waits and every rule. */
  clearFaults(): Promise<void>;
  /** Has an error or a situation of the catalog happen to a user: `stage(504, 'alice')`. */
  stage(name: string | number, user: string): Promise<Staging>;
  /** Waits until the rows are there; fails with `not_in_time`, and with what came nearest. */
  wait(wanted: Partial<Omit<WaitFor, 'within_ms'>> & { withinMs?: number }): Promise<Waited>;
  /** Every row that is kept and asked for, the oldest first. */
  traffic(rows?: Partial<Omit<WaitFor, 'count' | 'within_ms'>>): Promise<TrafficRow[]>;
  /** What clients did wrong that the server forgave. */
  findings(): Promise<Found[]>;
  /** Whether every queue is pulled and acknowledged, within the time. */
  quiet(options?: { withinMs?: number }): Promise<QuietAnswer>;
  /** Whether the server itself has nothing left to do, within the time. */
  rest(options?: { withinMs?: number }): Promise<RestAnswer>;
  overview(): Promise<Overview>;
  /** The world as a document that people can read and keep. */
  state(): Promise<StateFile>;
  /** Puts the world of such a document in the place of this one, and cuts its connections. */
  load(state: StateFile): Promise<Placed>;
  /** Puts an empty world in the place of this one. */
  begin(world?: NewWorld): Promise<ClockAt>;
  /** Empties the world; its settings and its clock stay. */
  reset(): Promise<Overview>;
  /** Forgets the world and closes its connections. */
  forget(): Promise<void>;
}

/** A world's time, in milliseconds since 1970. */
export interface Clock {
  now(): Promise<ClockAt>;
  /** It stands still where it is. */
  stop(): Promise<ClockAt>;
  /** It stands still at this moment: once somebody has been in the world, none before its present. */
  set(at: number | Date): Promise<ClockAt>;
  /** So many milliseconds later. What is due by then happens meanwhile. */
  advance(ms: number): Promise<ClockAt>;
  /** It goes on by itself from where it is. */
  run(): Promise<ClockAt>;
}

/** A fault rule that was armed. */
export interface Rule {
  readonly id: number;
  /** How often it has acted. */
  hits(): Promise<number>;
  state(): Promise<RuleRow>;
  clear(): Promise<void>;
}

/** A refusal, or no server. */
export class MockServerError extends Error {
  /** A word for programs: `refused`, `not_in_time`, `no_binary`, … */
  readonly code: string;
  /** The HTTP status, where a server has answered. */
  readonly status?: number;
  /** The whole answer. */
  readonly body?: unknown;
}
