// Written by tools/types.mjs from openapi.json: change the server's types instead.

/** What a rule does to what it meets. */
export type Action = "drop" | {
  delay: {
    /** By how much. */
    ms: number;
  };
} | "duplicate" | "hold_until_next" | {
  truncate: {
    /** How many. */
    bytes: number;
  };
} | {
  flip_bit: {
    /** Which: 0 is the lowest of the first byte; past the end it is counted on from the beginning. */
    bit: number;
  };
} | {
  answer_status: {
    /** The number of a `Status.ErrorCode`. */
    code: number;
    /** The exact words; SDKs map them to their error types. */
    reason?: string;
  };
} | {
  answer_http: {
    /** The whole body: JSON, which is sent as such, or any other text. */
    body?: string;
    /** 200 to 599. */
    status: number;
  };
} | {
  close: {
    /** The close code. */
    code: number;
  };
} | "cut" | "reset" | "go_silent";

/** What happens to the answer of a user's next message. */
export type AnswerFaultState = {
  drop: {
    user: string;
  };
} | {
  cut: {
    user: string;
  };
} | {
  refuse: {
    code: number;
    reason: string;
    user: string;
  };
};

/** A door fault that was armed. */
export type ArmedDoor = {
  /** Whether it strikes again: false once it is used up. */
  armed: boolean;
  /** The same as an object. */
  fault: DoorFault;
  /** How many tries it struck. */
  hits: number;
  /** Counts up from 1, on the server or in its world. */
  id: number;
  /** Its line. */
  text: string;
};

/** One rule. */
export type ArmedRuleState = {
  /** When it was armed, in ms since 1970: `within` and `after` count from there. */
  armed_at_ms: number;
  /** How many of those were what it is about: `2nd` and `every 3rd` count these. */
  fitted?: Number;
  /** How often it has acted. */
  hits?: Number;
  /** Its number in its world, from 1. */
  id: Number;
  /** How many frames or requests it has looked at. */
  looked_at?: Number;
  /** What it says. */
  text: Rule;
};

/** A group message that asked for receipts. */
export type AskedState = {
  /** The message. */
  id: Number;
  /** Who has read it; `None`: nobody's reading is of interest any more. */
  readers?: ReadersState | null;
};

/** A file of `/chatfiles`. */
export type AttachmentState = {
  /** In base64; `None`: the bytes were no longer to be had, or too many for the file. */
  content?: string | null;
  /** As its kind was called. */
  media_type?: string;
  /** As it was named. */
  name: string;
  /** What opens it; `None`: everybody's token does. */
  secret?: string | null;
  /** What clients know it by. */
  uuid: string;
};

/** A text on a room. */
export type AttributeState = {
  /** It goes when its owner does. */
  goes_with_owner?: boolean;
  /** Its key. */
  key: string;
  /** Who wrote it. */
  owner: string;
  /** The text. */
  value: string;
};

/** For whom of its conversation a message is. */
export type AudienceState = "everyone" | {
  only: string;
} | {
  all_but: string;
} | {
  among: Array<string>;
} | {
  present: Array<Number>;
};

/** The same in two languages. */
export type Bilingual = {
  /** English. */
  en: string;
  /** Chinese. */
  zh: string;
};

/** Bytes that the host keeps for a world; it never uses a number twice. */
export type BlobId = number;

/** What a message is sent to. */
export type Chat = "single" | "group" | "room";

/** The answer to it, and to `GET …/clock`. */
export type ClockAt = {
  /** The world's time, in ms since 1970. */
  now_ms: number;
  /** Whether it goes on by itself. */
  runs?: boolean;
};

/** `POST …/clock`: what moves a world's clock. */
export type ClockMove = {
  advance_ms: number;
} | {
  set_ms: number;
} | {
  stop: {};
} | {
  run: {};
};

/** What time it is in a world. */
export type ClockState = {
  /** How far it is ahead of the host's clock, in ms; less than 0: behind it. */
  ahead_ms?: number;
  /** In ms since 1970. */
  now_ms: number;
  /** It goes on by itself; false: it stands until it is moved. */
  runs: boolean;
};

/** A world's clock. */
export type ClockView = {
  /** In ms since 1970. */
  now_ms: number;
  /** Whether it goes on by itself; one that does not stands still until it is moved. */
  runs: boolean;
};

/** What became of one control command. */
export type CommandResult = {
  /** Whether it was done. */
  done: boolean;
  /** Why not. */
  error?: string | null;
  /** Of a command that armed a rule, the rule's number, as `GET …/rules` tells it. */
  rule?: number | null;
};

/** The answer of `POST …/control`. */
export type CommandResults = {
  /** One for each command. */
  results: Array<CommandResult>;
};

/** `POST …/control`: one command, or an array of them. */
export type Commands = Control | Array<Control>;

/** What has to be so of one field. Of a field that is repeated, it is enough that it is so of one of them. */
export type Condition = {
  /** Names with dots between them. */
  path: string;
  /** What has to be so. */
  test: Test;
};

/** A connection of one world; the host never uses a number twice. */
export type ConnId = number;

/** A contact. */
export type ContactState = {
  /** The user's own name for it. */
  remark?: string;
  /** Who. */
  user: string;
};

/** One thing to do to a world. Refused whole or done whole. */
export type Control = {
  user: {
    /** As typed; folded to lower case for every comparison. */
    name: string;
    /** What `/token` must be given. */
    password: string;
  };
} | {
  known: {
    /** Who; as typed, folded as ever. */
    users: Array<string>;
  };
} | {
  token: {
    /** The token itself. */
    token: string;
    /** How long it lives from now, in ms; 0 or less: it has expired. */
    ttl_ms: number;
    /** Whose. */
    user: string;
  };
} | {
  group: {
    /** Its id; free of every user's name, since 3.x tells queues by name alone (wire-3x §3.4). */
    id: string;
    /** Users that exist, besides the owner. */
    members: Array<string>;
    /** A user that exists. */
    owner: string;
  };
} | {
  room: {
    /** Its id. */
    id: string;
    /** Users that exist, besides the owner. */
    members: Array<string>;
    /** A user that exists. */
    owner: string;
  };
} | {
  block: {
    /** Who may no longer write to `user`. */
    blocked: Array<string>;
    /** Whose list. */
    user: string;
  };
} | {
  texts: {
    /** How many. */
    count: number;
    /** The sender. */
    from: string;
    /** What each says. */
    text: string;
    /** A user, or the id of a group or room. */
    to: string;
  };
} | {
  unblock: {
    /** Who may write to `user` again. */
    blocked: Array<string>;
    /** Whose list. */
    user: string;
  };
} | {
  contacts: {
    /** One side. */
    user: string;
    /** The others. */
    with: Array<string>;
  };
} | {
  remove_user: {
    /** Whom. */
    user: string;
  };
} | {
  password: {
    /** The new one. */
    password: string;
    /** Whose. */
    user: string;
  };
} | {
  disconnect: {
    /** Which device, by the resource it logged in with; left out, all of them. */
    device?: string | null;
    /** Whose. */
    user: string;
  };
} | {
  join: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  leave: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  remove: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  dissolve: {
    /** The group or room. */
    id: string;
  };
} | {
  admins: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  mute: {
    /** The group or room. */
    id: string;
    /** For how long from now, in ms; left out: until unmuted. */
    ms?: number | null;
    /** Who. */
    users: Array<string>;
  };
} | {
  unmute: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  mute_user: {
    /** For how long from now, in ms, begun seconds whole; 0: no longer; left out: until unmuted. */
    ms?: number | null;
    /** Whom. */
    user: string;
  };
} | {
  ban_all: {
    /** The group or room. */
    id: string;
  };
} | {
  unban_all: {
    /** The group or room. */
    id: string;
  };
} | {
  allow: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  disallow: {
    /** The group or room. */
    id: string;
    /** Who. */
    users: Array<string>;
  };
} | {
  send: Sending;
} | {
  kick: {
    /** Which device, by the resource it logged in with; left out, all of them. */
    device?: string | null;
    /** What they are told. */
    reason: KickReason;
    /** Whose. */
    user: string;
  };
} | {
  expire_tokens: {
    /** When, in ms since 1970; left out: now. */
    at_ms?: number | null;
    /** Which; left out, every one of them. */
    token?: string | null;
    /** Whose. */
    user: string;
  };
} | {
  settings: SettingsPatch;
} | {
  fault: Fault;
} | {
  clear_faults: {};
} | {
  clear_rule: {
    /** Its number, as GET …/rules tells it. */
    id: number;
  };
};

/** A conversation that has had a message. */
export type ConversationState = {
  /** The position of the first message that is kept: as many were there before it. */
  first?: number;
  /** What messages and users call it. */
  name: string;
  /** The one that was pinned last at the end. */
  pins?: Array<PinState>;
};

/** What a world has given out so far. */
export type Counters = {
  /** How many files and uploads in parts were numbered. */
  attachments?: Number;
  /** How many messages went for want of room. */
  dropped?: Number;
  /** How many frames and requests came. */
  inputs?: Number;
  /** The next number of a device. */
  next_device: Number;
  /** The next id of a group that asks for none. */
  next_group_id: Number;
  /** The next message id. */
  next_id: Number;
  /** How often an app's own server was asked. */
  webhooks?: Number;
};

/** What a rule does to a frame or request, or a door fault to a try at a door. */
export type Deed = "dropped" | "delayed" | "doubled" | "held" | "released" | "damaged" | "answered" | "ended";

/** A device that comes back under its resource. */
export type DeviceState = {
  /** Of the user's own messages it is given those from this id on. */
  first_own_id: Number;
  /** The highest of its own ids. */
  highest_sent?: Number;
  /** Of conversations that are not below it has had every message before this id. */
  next_id: Number;
  /** Its number. */
  number: Number;
  /** The next position for it, by conversation. */
  positions?: Record<string, number>;
  /** As it calls itself. */
  resource: string;
  /** How often it has come back. */
  returned?: number;
  /** The messages that it sent last, so that none is taken twice. */
  sent?: Array<SentState>;
};

/** A device that is logged in. */
export type DeviceView = {
  /** Its connection. */
  conn: ConnId;
  /** The resource that it logged in with. */
  device: string;
};

/** Which way a frame went. */
export type Direction = "up" | "down";

/** An answer that says nothing more than that all went well. */
export type Done = Record<string, unknown>;

/** The way a socket came in. */
export type Door = "sock_js" | "web_socket";

/** A fault on the way in, as a line such as `refuse next 3 connections`, or as an object. */
export type DoorFault = string | Object;

/** `POST …/doors`: one door fault, or an array of them, each as a line or as an object. All are armed, or none. */
export type DoorFaults = DoorFault | Array<DoorFault>;

/** The answer of `GET`, `POST` and `DELETE …/doors`. */
export type DoorList = {
  /** Those that were armed and not taken away, oldest first. */
  doors: Array<ArmedDoor>;
};

/** One door fault. */
export type DoorState = {
  /** How often it has. */
  hits?: number;
  /** Its number in its world, from 1. */
  id: Number;
  /** What it does. */
  text: DoorFault;
};

/** One thing that a machine was given. */
export type Entry = {
  /** The world's clock. */
  at: Millis;
  /** What it was. */
  given: Given;
  /** How many rows the tape had before it. */
  row: number;
};

/** What becomes of a device more than a user can have. */
export type ExtraDevice = "ends_oldest" | "is_refused";

/** Something that goes wrong for one user. `device` names one of several; left out, all of them. */
export type Fault = {
  rule: Rule;
} | {
  cut: {
    /** Which device, by the resource it logged in with. */
    device?: string | null;
    /** Whose. */
    user: string;
  };
} | {
  close: {
    /** The close code. */
    code: number;
    /** Which device. */
    device?: string | null;
    /** Whose. */
    user: string;
  };
} | {
  mute: {
    /** Whose. */
    user: string;
  };
} | {
  drop_next_answer: {
    /** Whose. */
    user: string;
  };
} | {
  cut_instead_of_answer: {
    /** Whose. */
    user: string;
  };
} | {
  send_raw: {
    /** The frame in hexadecimal; it need not be a frame. */
    hex: string;
    /** Whose. */
    user: string;
  };
} | {
  door: DoorFault;
} | {
  slow_uploads: {
    /** Bytes of the file a second; at least 1. */
    bytes_per_second: number;
    /** How many uploads; at least 1. */
    count: number;
    /** Whose. */
    user: string;
  };
} | {
  reset_next_upload: {
    /** Whose. */
    user: string;
  };
} | {
  answer_status: {
    /** The number of a `Status.ErrorCode`. */
    code: number;
    /** The exact words; SDKs map them to their error types. */
    reason: string;
    /** Whose. */
    user: string;
  };
} | {
  refuse_login: {
    /** The number of a `Status.ErrorCode`; not 0, which is success. */
    code: number;
    /** The exact words; SDKs map them to their error types. */
    reason: string;
    /** Whose. */
    user: string;
  };
} | {
  drop_next_provision: {
    /** Whose. */
    user: string;
  };
} | {
  answer_http: {
    /** The whole body, at most 64 KiB: JSON, which is sent as such, or any other text. */
    body: string;
    /** Part of what stands behind `/{org}/{app}` and before `?`, such as `/chatgroups`. */
    path: string;
    /** 200 to 599. */
    status: number;
    /** Only a request with a token of this user; left out, anybody's. */
    user?: string | null;
  };
};

/** What is armed, oldest first. */
export type FaultsState = {
  /** For users' next messages. */
  answers?: Array<AnswerFaultState>;
  /** What befalls those who come by the world's own path, also what is used up. A machine has none: its host does. */
  doors?: Array<DoorState>;
  /** How many of those were armed so far, so that no number is used twice. */
  doors_ever?: Number;
  /** For users' next logins. */
  logins?: Array<LoginFaultState>;
  /** For the next requests. */
  requests?: Array<HttpFaultState>;
  /** Rules that were armed and not cleared, also those that are used up. */
  rules?: Array<ArmedRuleState>;
  /** How many rules were armed so far, so that no number is used twice. */
  rules_ever?: Number;
  /** Whose next uploads come slowly. */
  slow_uploads?: Array<SlowUploadsState>;
  /** Whose next uploads are reset. */
  uploads?: Array<string>;
};

/** The answer of `GET …/findings`. */
export type Findings = {
  /** What clients did wrong, in order. */
  findings: Array<Found>;
};

/** As [`Finding`](crate::machine::Finding), with a clause that need not be one of this program's. */
export type Found = {
  /** The clause it offends. */
  clause: string;
  /** Field, what was expected and what came. */
  text: string;
  /** Whose connection, as `user/resource`; empty before login. */
  user: string;
};

/** The commands of frames. */
export type FrameCommand = "SYNC" | "UNREAD" | "NOTICE" | "PROVISION" | "LOGOUT";

/** What a machine was given. */
export type Given = {
  made: {
    /** Its app key, `org#app`. */
    app_key: string;
    /** Its first message id. */
    first_id: number;
    /** The seed of nasty mode, if it was on. */
    nasty?: number | null;
    /** What decided wherever chance does. */
    seed?: number;
    /** The rules that it began with. */
    settings: Settings;
  };
} | {
  opened: {
    /** The connection. */
    conn: ConnId;
    /** How it came in. */
    door: Door;
  };
} | {
  frame: {
    /** As it was, unwrapped. */
    bytes: string;
    /** The connection. */
    conn: ConnId;
  };
} | {
  closed: {
    /** The connection. */
    conn: ConnId;
    /** Who ended it, and how, in words. */
    why: string;
  };
} | {
  http: {
    /** The bytes of its file, up to [`CONTENT_BYTES_MAX`] a world; `None`: it has none, or they were too many. */
    content?: string | null;
    /** It, with its token and the headers that matter. */
    request: Request;
  };
} | {
  webhook: {
    /** What came of it. */
    answer: WebhookAnswer;
    /** What. */
    id: WebhookId;
  };
} | {
  at_door: {
    /** As there. */
    deed: Deed;
    /** As on the tape. */
    fault: number;
    /** As there. */
    text: string;
  };
} | "timeout" | {
  control: Control;
} | {
  stopped: Millis;
} | "running" | {
  advanced: {
    /** How much. */
    ms: number;
  };
};

/** One reaction. */
export type GivenState = {
  /** The reaction. */
  reaction: string;
  /** Who gave it. */
  users: Array<string>;
};

/** Where an error comes from. */
export type Group = "message" | "4.x" | "login" | "kick" | "upload" | "rest";

/** Which of the three a group is. */
export type GroupKindState = "group" | "room" | "thread";

/** A group, a room or a thread. */
export type GroupState = {
  /** Members. */
  admins?: Array<string>;
  /** Only the owner, administrators and `allowed` may write. */
  all_banned?: boolean;
  /** The allow list. */
  allowed?: Array<string>;
  /** Empty: there is none. */
  announcement?: string;
  /** Who asked to come in. */
  applicants?: Array<string>;
  /** What is written on a room, oldest first. */
  attributes?: Array<AttributeState>;
  /** Who cannot come in. */
  blocked?: Array<string>;
  /** In ms since 1970. */
  created_ms?: number;
  /** The app switched it off. */
  disabled?: boolean;
  /** Oldest first. */
  files?: Array<SharedFileState>;
  /** What clients know it by. */
  id: string;
  /** Who was asked in. */
  invited?: Array<InvitedState>;
  /** Which of the three. */
  kind: GroupKindState;
  /** What is written on members. */
  member_attributes?: Array<MemberAttributesState>;
  /** Oldest first. */
  members: Array<MemberState>;
  /** In ms since 1970. */
  modified_ms?: number;
  /** Who may not write. */
  muted?: Array<MutedState>;
  /** One of the members; only of a thread its maker may have left. */
  owner: string;
  /** What it says about itself. */
  profile: ProfileState;
  /** What a thread hangs on; of no others. */
  thread?: ThreadState | null;
};

/** What a request is answered with. */
export type HttpFaultState = {
  /** The body. */
  body?: string;
  /** Part of its path. */
  path: string;
  /** The HTTP status. */
  status: number;
  /** Whose token it carries, where that matters. */
  user?: string | null;
};

/** The answer of `GET /_mock/`. */
export type Index = {
  /** By method and path, such as `GET /_mock/worlds`. */
  calls: Record<string, IndexCall>;
  /** As [`Hello::clients`]. */
  clients: string;
  /** As [`Hello::control_protocol`]. */
  control_protocol: number;
  /** What every request needs. */
  headers: string;
  /** As [`Hello::name`]. */
  name: string;
  /** As [`Hello::nasty`]. */
  nasty?: number | null;
  /** Where all of this is told in OpenAPI 3.1. */
  openapi: string;
  /** As [`Hello::strict`]. */
  strict: boolean;
  /** As [`Hello::version`]. */
  version: string;
};

/** One call of the control plane. */
export type IndexCall = {
  /** What it does. */
  does: string;
  /** Bodies that it takes. */
  examples?: Array<unknown>;
  /** The parameters that its query may have, and what each is. */
  query?: Record<string, string>;
};

/** A user who was asked in. */
export type InvitedState = {
  /** By whom. */
  by: string;
  /** Who. */
  user: string;
};

/** The answer of `GET …/journal`. */
export type JournalAnswer = {
  /** All that the world's machine was given; `null` when no tape is kept, or it was too much. */
  entries?: Array<Entry> | null;
  /** Why `entries` is `null`, and what to do, in words. */
  why_not?: string | null;
};

/** `POST …/tape`: a tape is kept from now on. */
export type KeepTape = {
  /** How many rows before the oldest go: 1 to [`TAPE_ROWS_MAX`]. */
  rows_max: number;
};

/** Why devices are told to go (clause conn.kicked; wire-3x §5.2, wire-4x §8). */
export type KickReason = "other_device" | "removed" | "password" | "operator";

/** What a row of the journal is, in one word. */
export type Kind = "provision" | "unread" | "logout" | "pull" | "ack" | "text" | "image" | "file" | "audio" | "video" | "location" | "cmd" | "custom" | "combine" | "recall" | "edit" | "read_ack" | "delivered_ack" | "channel_ack" | "roster" | "muc" | "statistics" | "message" | "notice" | "answer" | "page" | "sync" | "unknown" | "http" | "upload" | "opened" | "logged_in" | "muted" | "closed" | "fault";

/** What a message is. */
export type KindState = "content" | "command" | "receipt" | "recall" | "edit" | "notice";

/** An error, the line that arms it, and what clients show. */
export type ListedError = {
  arm: Array<Control>;
  clause: string;
  code: number;
  /** The line that arms it for alice. */
  command: string;
  group: Group;
  name: string;
  says: Bilingual;
  /** By the client's version, what it showed in a run. */
  shows: Shows;
  then: Bilingual;
};

/** A situation, and the line that stages it. */
export type ListedSituation = {
  about: Bilingual;
  arm: Array<Control>;
  /** The line that stages it for alice. */
  command: string;
  from: string;
  name: string;
  then: Bilingual;
  title: Bilingual;
};

/** The whole of a catalog, for `GET /_mock/catalog`. */
export type Listing = {
  /** Every error, with what clients show. */
  errors: Array<ListedError>;
  /** Every profile. */
  profiles: Array<Profile>;
  /** Every situation. */
  situations: Array<ListedSituation>;
};

/** What happens to a user's next login. */
export type LoginFaultState = {
  drop: {
    user: string;
  };
} | {
  refuse: {
    code: number;
    reason: string;
    user: string;
  };
};

/** Texts on a member. */
export type MemberAttributesState = {
  /** By key. */
  attributes: Record<string, string>;
  /** On whom. */
  user: string;
};

/** A member. */
export type MemberState = {
  /** In ms since 1970. */
  since_ms?: number;
  /** Who. */
  user: string;
};

/** How far a user is in one conversation. */
export type MembershipState = {
  /** From where on history is shown. */
  history_from?: number;
  /** It is in the user's list. */
  listed?: boolean;
  /** `mark_0` to `mark_19`. */
  marks?: Array<string>;
  /** Which. */
  of: string;
  /** At the top of the list. */
  pinned?: PinnedState | null;
  /** Up to where it is read. */
  read_to?: number;
  /** Positions behind that which the user has deleted. */
  removed?: Array<number>;
  /** The position at which the user came in. */
  since?: number;
  /** How many messages are unread. */
  unread?: number;
  /** Up to where some device has acknowledged. */
  watermark?: number;
};

/** The kinds of messages that a [`Webhook`] may be asked about. */
export type MessageKind = "text" | "image" | "video" | "location" | "voice" | "file" | "custom";

/** A message, or what is left of its place. */
export type MessageState = {
  /** When it was taken, in ms since 1970. */
  at_ms: number;
  /** For whom of the conversation it is. */
  audience?: AudienceState;
  /** It made unread counts rise. */
  counted?: boolean;
  /** Who sent it; `None`: the service. */
  from?: string | null;
  /** The device that sent it and needs no copy. */
  from_device?: Number | null;
  /** What clients know it by. */
  id: Number;
  /** The conversations that have it: one, but for what the service tells many users at once. */
  in: Array<string>;
  /** What it is. */
  kind: KindState;
  /** The encoded `Meta`, in base64; `None`: it was recalled, and its place is nobody's. */
  meta?: string | null;
  /** How often it was modified. */
  modified?: number;
  /** The position of the message of which it says that it was modified. */
  news_of?: number | null;
  /** Where it stands among all, if that is not by its id: it had waited while others were taken. */
  order?: Number | null;
  /** The beginning of its text: as its bytes say. */
  text?: string | null;
  /** The kind of a message's content, or the namespace of what is none: as its bytes say. */
  type?: string | null;
};

/** The methods that the API knows. */
export type Method = "get" | "post" | "put" | "delete";

/** A moment in ms since 1970; time is an argument everywhere in the machine. */
export type Millis = number;

/** Of which messages a sender who was away has not been told who read them. */
export type MissedReadersState = {
  /** In the order in which they were read. */
  messages: Array<Number>;
  /** The sender. */
  user: string;
};

/** A receipt that came while the sender was away. */
export type MissedState = {
  /** When, in ms since 1970. */
  at_ms: number;
  /** What the receipt said. */
  content?: string;
  /** Who had read it. */
  from: string;
};

/** A group or room. */
export type MucView = {
  /** Its id. */
  id: string;
  /** Who is in, the owner among them; the first [`OVERVIEW_MAX`]. */
  members: Array<string>;
  /** How many are in besides. */
  more: number;
  /** What people call it. */
  name: string;
  /** Who owns it. */
  owner: string;
};

/** A user who may not write. */
export type MutedState = {
  /** Until when, in ms since 1970; 18446744073709551615 is for ever. */
  until_ms: Number;
  /** Who. */
  user: string;
};

/** Until when a user may not speak, in ms since 1970; 18446744073709551615 is for ever. */
export type MutesState = {
  /** To single users. */
  chat_ms?: Number | null;
  /** In rooms. */
  chatroom_ms?: Number | null;
  /** In groups. */
  groupchat_ms?: Number | null;
};

/** `POST …/world`: an empty world in the place of the one that may be there. Neither rules nor groups of the command line hold in it, so that it is the same on every server. */
export type NewWorld = {
  /** Where its clock stands still, in ms since 1970; left out, it is the host's. */
  clock_ms?: number | null;
  /** Whatever the protocol leaves open happens in it, drawn from this seed; left out, it is as kind as it can be. */
  nasty?: number | null;
  /** The rules that differ from the server's defaults. */
  settings?: SettingsPatch | null;
  /** How many rows its tape keeps before the oldest go, at most [`TAPE_ROWS_MAX`]; left out, as the server was started. */
  tape_rows_max?: number | null;
};

/** When pushes are silent. */
export type NotificationState = {
  /** Of all that comes. */
  all?: QuietState;
  /** Of groups and rooms of these ids. */
  groups?: Record<string, QuietState>;
  /** What pushes are to be translated into. */
  language?: string | null;
  /** Of conversations with users of these names. */
  users?: Record<string, QuietState>;
};

/** A number that may be large: above 2^53 it is a string. */
export type Number = number | string;

/** The same as JSON. */
export type Object = {
  refuse: {
    /** How many; left out: every one until the fault is taken away. */
    next?: number | null;
    /** Which tries. */
    what: Tries;
    /** How; left out: the connection is closed. */
    with?: Refusal;
  };
} | {
  never_open: {
    /** As above. */
    next?: number | null;
  };
} | {
  slow_open: {
    /** How late, in ms. */
    ms: number;
    /** As above. */
    next?: number | null;
  };
};

/** The answer of `GET …/overview`. */
export type Overview = {
  /** `org#app`. */
  app_key: string;
  /** Its clock. */
  clock: ClockView;
  /** Its first [`OVERVIEW_MAX`] groups, oldest first. */
  groups: Array<MucView>;
  /** How many users, groups and rooms there are besides. */
  more: number;
  /** Its first [`OVERVIEW_MAX`] rooms, oldest first. */
  rooms: Array<MucView>;
  /** How many fault rules are armed. */
  rules: number;
  /** The rules that hold. */
  settings: Settings;
  /** The first [`OVERVIEW_MAX`] names that it knows, oldest first. Who was removed is none of them, until somebody makes or writes to the name again. */
  users: Array<UserView>;
};

/** A part of an upload. */
export type PartState = {
  /** How many. */
  bytes: number;
  /** In base64; `None`: the bytes were no longer to be had, or too many for the file. */
  content?: string | null;
  /** From 1. */
  number: number;
};

/** An upload in parts that is not complete. */
export type PartUploadState = {
  /** As the kind of part 1 was called. */
  media_type?: string;
  /** As part 1 was named. */
  name?: string;
  /** Who began it; `None`: the app. */
  owner?: string | null;
  /** By their numbers. */
  parts?: Array<PartState>;
  /** When it began or had its last part, in ms since 1970. */
  touched_ms: number;
  /** What clients know it by. */
  uuid: string;
};

/** Whose. */
export type Party = {
  /** The device, by the resource that it logged in with; left out: any. */
  device?: string | null;
  /** The user; left out: anyone. */
  user?: string | null;
};

/** A pinned message. */
export type PinState = {
  /** Who pinned it. */
  by: string;
  /** Its id; it may be kept no longer. */
  id: Number;
  /** When. */
  pinned: PinnedState;
};

/** When something was pinned. */
export type PinnedState = {
  /** In ms since 1970. */
  at_ms: number;
  /** How many frames and requests there had been. */
  turn: Number;
};

/** What became of worlds in whose place a state was put. */
export type Placed = {
  /** Those that it does not have, which are no more. */
  forgotten: Array<string>;
  /** Those of the document. */
  worlds: Array<PlacedWorld>;
};

/** A world in whose place a state was put. */
export type PlacedWorld = {
  /** `org#app`. */
  app_key: string;
  /** How many connections were cut: their clients come again, if they do as real ones. */
  connections_cut: number;
};

/** What a user says of itself. */
export type PresenceState = {
  /** When that or a device of the user changed, in ms since 1970. */
  at_ms?: number;
  /** In its own words. */
  ext?: string;
};

/** Rules under a name, for whoever can choose no more than a name at a login. */
export type Profile = {
  /** What happens, in a few words. */
  about: Bilingual;
  /** Lower-case letters, digits and single hyphens; free of the errors' and situations' names. */
  name: string;
  /** Each as `on next text from {user}: drop`. */
  rules: Array<Rule>;
};

/** What a group says about itself. */
export type ProfileState = {
  /** Who asks to come in waits for the owner. */
  approval?: boolean;
  /** Where its picture lies. */
  avatar?: string;
  /** The app's own words. */
  custom?: string;
  /** What it is about. */
  description?: string;
  /** Who is asked in must say yes. */
  invite_need_confirm?: boolean;
  /** Members ask others in. */
  members_invite?: boolean;
  /** Its name. */
  name: string;
  /** In the list of public groups. */
  public?: boolean;
  /** For how many it has room. */
  users_max: number;
};

/** What a queue is of. */
export type QueueKind = "user" | "group" | "room" | "thread" | "service";

/** A queue of one user: what its devices have still to be given, or have been given and have not acknowledged. Of several devices it is the one that is furthest behind; of a user who is away, what a new device would be given. */
export type QueueView = {
  /** Which of them. */
  kind: QueueKind;
  /** The other user, the group or the room; empty: what the service itself tells. */
  queue: string;
  /** How many lie in a page whose key has not come back, counted so too. */
  unacknowledged: number;
  /** How many messages wait to be pulled, counted up to [`OVERVIEW_COUNT_MAX`]. */
  waiting: number;
};

/** The answer of `GET …/quiet?within_ms=N`. */
export type QuietAnswer = {
  /** If so, how much clients ever sent it: two equal marks mean that nothing came between them. */
  mark?: number | null;
  /** If not, what it still waits for, in words. */
  open: Array<string>;
  /** Whether the world became quiet within the time. */
  quiet: boolean;
};

/** When nothing is pushed. */
export type QuietState = {
  /** `h:m-h:m`, every day. */
  interval?: string | null;
  /** What is pushed. */
  remind?: RemindState | null;
  /** Until when nothing is, in ms since 1970. */
  until_ms?: Number | null;
};

/** Reactions to one message. */
export type ReactionState = {
  /** Which. */
  message: Number;
  /** Oldest first. */
  reactions: Array<GivenState>;
};

/** Who has read a message. */
export type ReadersState = {
  /** Its group's conversation. */
  in: string;
  /** The last receipt that came while the sender was away. */
  missed?: MissedState | null;
  /** Who sent it. */
  sender: string;
  /** In the order in which they did. */
  users?: Array<string>;
};

/** How a try is turned away. */
export type Refusal = "close" | "reset" | {
  status: number;
};

/** A refusal. */
export type Refused = {
  /** A word for programs. */
  error: string;
  /** For the person who meets it. */
  error_description: string;
  /** Of commands, what became of each. */
  results?: Array<CommandResult> | null;
};

/** What is pushed. */
export type RemindState = "all" | "at" | "none";

/** A message that was reported. */
export type ReportState = {
  /** By whom. */
  by: string;
  /** As the reporter called what is wrong with it. */
  kind: string;
  /** Which. */
  message: Number;
  /** In the reporter's words. */
  reason: string;
};

/** A request of one world. */
export type Request = {
  /** Scheme and authority that the client used, such as `http://127.0.0.1:8989`. */
  base: string;
  /** Whatever its Content-Type says: SDKs send JSON as text/plain too (rest.md 0.7). */
  body: string;
  /** The method. */
  method: Method;
  /** The path after `/{org}/{app}`, percent-decoded. */
  path: string;
  /** What stands behind `?`, undecoded. */
  query: string;
  /** The header `restrict-access: true`: the upload opens by a secret only (rest.md A.4). */
  restrict_access: boolean;
  /** The header `share-secret`: opens an attachment (rest.md A.5). */
  share_secret?: string | null;
  /** The access token of `Authorization: Bearer`. */
  token?: string | null;
  /** The file of a multipart body on a path that [takes one](file_part); `body` is empty then. */
  upload?: Upload | null;
};

/** `POST …/reset`: users, messages, groups, connections and faults go; rules and clock stay, and the groups and rules of the server's flags are there again. */
export type Reset = {};

/** The answer of `GET …/rest?within_ms=N`. */
export type RestAnswer = {
  /** As [`QuietAnswer::mark`]. */
  mark: number;
  /** What clients owe, in words. */
  open: Array<string>;
  /** Whether the server itself had nothing left to do within the time. */
  reached: boolean;
};

/** One row of a tape. */
export type Row = {
  /** The world's clock. */
  at: Millis;
  /** What happened. */
  event: TapeEvent;
};

/** A rule: its text, such as `on 2nd text from alice: delay 3s`, or an object that says the same. */
export type Rule = string | RuleParts;

/** `GET …/rules`: the fault rules that were armed and not taken back, oldest first. */
export type RuleList = {
  /** Each of them. */
  rules: Array<RuleRow>;
};

/** What a rule says, word by word. */
export type RuleParts = {
  /** From when on it looks at anything, in ms of the world's time since it was armed. */
  after_ms?: number | null;
  /** What it does, in order. */
  do: Array<Action>;
  /** Whose frames or requests, on their way to the server. */
  from?: Party | null;
  /** How probable it is, from 0 to 1, that it acts on one that fits. */
  probability?: number | null;
  /** What decides by that probability, in place of the world's seed. */
  seed?: number | null;
  /** How often it acts at most. */
  times?: number | null;
  /** Whose frames or answers, on their way from the server. */
  to?: Party | null;
  /** What fits. */
  what: What;
  /** What has to be so, all of it. */
  where?: Array<Condition>;
  /** Which of those that fit. */
  which: Which;
  /** For how long it acts, in ms of the world's time since it was armed. */
  within_ms?: number | null;
};

/** A fault rule and what has become of it. */
export type RuleRow = {
  /** Whether it may still act. */
  armed: boolean;
  /** How often it has acted. */
  hits: number;
  /** Its number in its world, from 1; none is used twice. */
  id: number;
  /** How many frames or requests it has looked at. */
  looked_at: number;
  /** What it says. */
  text: string;
};

/** What a field is held against; an enum's value by its name. */
export type RuleValue = string | number | boolean;

/** What a user has said lately. */
export type SaidState = {
  /** When, in ms since 1970. */
  at_ms: number;
  /** What tells it from something else. */
  content_hash: Number;
  /** Who. */
  user: string;
};

/** When a file was saved, and why. */
export type Saved = {
  /** By the host's clock, in ms since 1970. */
  at_ms: number;
  /** How often it was to be saved, in ms; `None`: at exit alone. */
  every_ms?: number | null;
  /** Why. */
  why: Why;
};

/** A message that is sent as anyone: it has either `text` or `body`. */
export type Sending = {
  /** Any kind of message, as history shows it and the app's server writes it (rest.md B.4), such as `{"type":"img","url":"http://…","filename":"a.png"}` or `{"type":"cmd","action":"go"}`. Types: txt, img, audio, video, file, loc, cmd, custom. */
  body?: Record<string, unknown> | null;
  /** What `to` is; left out: a group or room, if one has that id, and a user otherwise. */
  chat?: Chat | null;
  /** The app's own fields. */
  ext?: Record<string, unknown>;
  /** A user that exists. */
  from: string;
  /** What a text message says. */
  text?: string | null;
  /** A user, or the id of a group or room. */
  to: string;
};

/** A message that a device has sent. */
export type SentState = {
  /** When it was taken, in ms since 1970. */
  at_ms: number;
  /** What tells its body from another one's. */
  body_hash: Number;
  /** The world's. */
  id: Number;
  /** The device's own id for it. */
  local_id: Number;
};

/** The rules of a world; every field has the default of a developer's laptop. */
export type Settings = {
  /** The owner and administrators of a group or room may recall what others wrote there. */
  admins_recall?: boolean;
  /** The fourth message of one sender with the same content within 10 s is refused as spam (501). */
  antispam?: boolean;
  /** The largest attachment, in bytes (rest.md B.8: 10 MB). */
  attachment_bytes_max?: number;
  /** What an app token is asked for with, when strict; otherwise any will do. */
  client_id?: string;
  /** As `client_id`. */
  client_secret?: string;
  /** A command message counts as unread. */
  commands_count?: boolean;
  /** How many contacts a user has at most (rest.md B.3: the second of three plans; 4.x: 50). */
  contacts_max?: number;
  /** Users write to their contacts alone (4.x: 221). */
  contacts_only?: boolean;
  /** What becomes of a device more than a user can have. */
  extra_device?: ExtraDevice;
  /** Messages to a group may ask for read receipts. */
  group_receipts?: boolean;
  /** Every attachment is refused as improper content, as by a moderation that likes none. */
  improper_uploads?: boolean;
  /** How many rooms a user may be in when entering one more over the socket; above, the service says that they are too many (50). The number is our guess. */
  joined_rooms_max?: number;
  /** How many bytes of messages are kept before the oldest go. */
  kept_bytes_max?: number;
  /** How many messages are kept, over all conversations, before the oldest go. */
  kept_messages_max?: number;
  /** How old a kept message may be, in ms (rest.md B.8: 180 days on the largest plan). */
  kept_ms_max?: number;
  /** The largest message body, in bytes of `Meta.payload` (rest.md B.8: 3 KB). */
  message_bytes_max?: number;
  /** Messages can be modified at all (4.x: 505). */
  modify?: boolean;
  /** How often one message can be modified (4.x: 50; the vendor's documents). */
  modify_count_max?: number;
  /** A user has one device rather than up to four. */
  one_device?: boolean;
  /** Anyone may register over REST. */
  open_registration?: boolean;
  /** Messages can be pinned in their conversation (4.x: 505). */
  pins?: boolean;
  /** Users can be told of each other's presence (4.x: 505). */
  presence?: boolean;
  /** To how many others' presence a user may subscribe at a time (4.x: 50). */
  presence_subscriptions_max?: number;
  /** Messages bear reactions (4.x: 505). */
  reactions?: boolean;
  /** Messages can be recalled at all (505). */
  recall?: boolean;
  /** How long after it was sent a message can be recalled, in ms (504; rest.md B.8: 2 minutes). */
  recall_window_ms?: number;
  /** Messages can be reported to the app's moderators (4.x: 505). */
  reports?: boolean;
  /** History can be fetched. */
  roaming?: boolean;
  /** The app is served at all; off, every login is refused (status 12). */
  serving?: boolean;
  /** The list of conversations can be fetched. */
  sessions?: boolean;
  /** No user appears by login, no unknown token is taken for its bearer, no message goes to an unknown user. */
  strict?: boolean;
  /** Threads can hang on messages of groups. */
  threads?: boolean;
  /** How long a token from `/token` lives, in ms (rest.md B.1: 60 days). */
  token_ttl_ms?: number;
  /** Texts are translated (4.x: 505). */
  translation?: boolean;
  /** Who is asked before a message is taken; at most 4 (rest.md B.9). */
  webhooks?: Array<Webhook>;
  /** A message that holds one of these, in any case, is refused as sensitive (501). */
  words?: Array<string>;
};

/** Some of the [`Settings`], to change just those. */
export type SettingsPatch = {
  admins_recall?: boolean | null;
  antispam?: boolean | null;
  attachment_bytes_max?: number | null;
  client_id?: string | null;
  client_secret?: string | null;
  commands_count?: boolean | null;
  contacts_max?: number | null;
  contacts_only?: boolean | null;
  extra_device?: ExtraDevice | null;
  group_receipts?: boolean | null;
  improper_uploads?: boolean | null;
  joined_rooms_max?: number | null;
  kept_bytes_max?: number | null;
  kept_messages_max?: number | null;
  kept_ms_max?: number | null;
  message_bytes_max?: number | null;
  modify?: boolean | null;
  modify_count_max?: number | null;
  one_device?: boolean | null;
  open_registration?: boolean | null;
  pins?: boolean | null;
  presence?: boolean | null;
  presence_subscriptions_max?: number | null;
  reactions?: boolean | null;
  recall?: boolean | null;
  recall_window_ms?: number | null;
  reports?: boolean | null;
  roaming?: boolean | null;
  serving?: boolean | null;
  sessions?: boolean | null;
  strict?: boolean | null;
  threads?: boolean | null;
  token_ttl_ms?: number | null;
  translation?: boolean | null;
  webhooks?: Array<Webhook> | null;
  words?: Array<string> | null;
};

/** A file that members share. */
export type SharedFileState = {
  /** How many. */
  bytes: number;
  /** In base64; `None`: the bytes were no longer to be had. */
  content?: string | null;
  /** In ms since 1970. */
  created_ms: number;
  /** What clients know it by. */
  id: string;
  /** As its kind was called. */
  media_type?: string;
  /** As it was named. */
  name: string;
  /** Who shared it. */
  owner: string;
};

/** By version, such as `3.6.3`, what was shown; `core` is the reference client. */
export type Shows = Record<string, string>;

/** Uploads that come slowly. */
export type SlowUploadsState = {
  /** How many bytes of a file a second are read; at least 1. */
  bytes_per_second: number;
  /** How many uploads are left; at least 1. */
  left: number;
  /** Whose. */
  user: string;
};

/** `POST …/stage`: an error or a situation of the catalog happens to one user. The answer is a [`Staging`](crate::catalog::Staging). */
export type StageNamed = {
  /** A name of `GET /_mock/catalog`, such as `504`. */
  name: string;
  /** To whom; as typed, folded as ever. */
  user: string;
};

/** What is to be done to a world, and by its user. */
export type Staging = {
  /** The commands, in order; all or none. */
  armed: Array<Control>;
  /** What somebody has to do then. */
  then: Bilingual;
};

/** One file: some worlds of a server at one moment. */
export type StateFile = {
  /** [`FORMAT`]. */
  format: string;
  /** When and why it was saved; `None`: somebody asked for it over HTTP. */
  saved?: Saved | null;
  /** [`VERSION`] when it was written. */
  version: number;
  /** By age, each app key once. */
  worlds: Array<WorldState>;
};

/** Who is told of one user's presence. */
export type SubscriptionState = {
  /** In the order in which they are told; each has it in `subscribed_to`, too. */
  by: Array<WatcherState>;
  /** Whose. */
  to: string;
};

/** What a row tells. */
export type TapeEvent = {
  opened: {
    /** The connection. */
    conn: ConnId;
    /** How it came in. */
    door: Door;
  };
} | {
  logged_in: {
    /** The connection. */
    conn: ConnId;
    /** The device. */
    resource: string;
    /** The user, folded. */
    user: string;
  };
} | {
  frame: {
    /** As they were on the wire. */
    bytes: string;
    /** The connection. */
    conn: ConnId;
    /** Which way. */
    direction: Direction;
  };
} | {
  muted: {
    /** The connection. */
    conn: ConnId;
  };
} | {
  fault: {
    /** To whose frame; of a request none. */
    conn?: ConnId | null;
    /** What. */
    deed: Deed;
    /** The rule's number in its world. */
    rule: number;
    /** The same in words. */
    text: string;
  };
} | {
  at_door: {
    /** What. */
    deed: Deed;
    /** The fault's number in its world. */
    fault: number;
    /** The same in words. */
    text: string;
  };
} | {
  closed: {
    /** The connection. */
    conn: ConnId;
    /** Who ended it, and how, in words. */
    why: string;
  };
} | {
  http: {
    /** The answer's body. */
    answer: string;
    /** The request body. */
    body: string;
    /** The method. */
    method: string;
    /** Path and query, after `/{org}/{app}`. */
    path: string;
    /** The answer's status. */
    status: number;
    /** Whose token it carried, if it is a known one. */
    user?: string | null;
  };
};

/** The answer of `GET …/tape?from=N&rows=M`: a part of the tape. */
export type TapePage = {
  /** The number of the first of `rows`, counted from 0: `from`, or more where that row is gone. */
  from: number;
  /** The rows; at most [`PAGE_ROWS_MAX`], and fewer where they are long. */
  rows: Array<Row>;
  /** How many rows the tape has had by now, those that made room for others among them. */
  rows_ever: number;
};

/** What has to be so of a field's value. Only the last two hold or fail by whether it is there; the others never hold of a field that is not there, but for `is_not`, which always does. */
export type Test = {
  is: RuleValue;
} | {
  is_not: RuleValue;
} | {
  below: RuleValue;
} | {
  above: RuleValue;
} | {
  at_most: RuleValue;
} | {
  at_least: RuleValue;
} | {
  contains: RuleValue;
} | "exists" | "absent";

/** What a thread has over a group. */
export type ThreadState = {
  /** The id of its group. */
  group: string;
  /** The message that it hangs on. */
  message: Number;
  /** How many messages it has. */
  messages?: number;
  /** In ms since 1970. */
  updated_ms: number;
};

/** Where a token is from. */
export type TokenOriginState = "issued" | "brought";

/** An access token. */
export type TokenState = {
  /** In ms since 1970. */
  expires_ms: Number;
  /** Where it is from. */
  origin?: TokenOriginState;
  /** As clients send it. */
  token: string;
};

/** The answer of `GET …/traffic`. */
export type Traffic = {
  /** The number of the oldest row that is kept. */
  first: number;
  /** The number of the last row that was looked at: `after=` this goes on. `null`: none was. */
  last?: number | null;
  /** Those that were asked for. */
  rows: Array<TrafficRow>;
  /** How many rows the world has had, those that are forgotten among them. */
  rows_ever: number;
};

/** A row of a tape, read. */
export type TrafficRow = {
  /** The world's time, in ms since 1970. */
  at_ms: number;
  /** How long the frame is, or the request's body with the answer's, in bytes. */
  bytes: number;
  /** The clauses that it offends, by their ids in the project's list of clauses. */
  clauses: Array<string>;
  /** The socket, numbered in its world; of requests there is none. */
  conn?: number | null;
  /** Of a frame, its fields by their names in the schema, payloads within. */
  decoded?: unknown;
  /** The device, by the resource it logged in with. */
  device?: string | null;
  /** Of a frame, which way it went. */
  direction?: Direction | null;
  /** Of a socket that came, the way it came in. */
  door?: Door | null;
  /** Of a frame, its bytes in hexadecimal. */
  hex?: string | null;
  /** What it is. */
  kind: Kind;
  /** All of it in a short line, for people. */
  line: string;
  /** Of a request, its method. */
  method?: string | null;
  /** Its number: the first row of a world has 0, and none is given twice. */
  n: number;
  /** Of a request, path and query after `/{org}/{app}`. */
  path?: string | null;
  /** The request's body: the JSON that it is, or a string. */
  request?: unknown;
  /** The answer's body, likewise. */
  response?: unknown;
  /** Of a request, the status of its answer; 0: the connection was reset instead. */
  status?: number | null;
  /** Whose: of a socket the user that logged in on it, of a request the one of its token. */
  user?: string | null;
};

/** What a client tries at a door. */
export type Tries = "connections" | "info" | "upgrade";

/** What became of a multipart body. */
export type Upload = {
  file: {
    /** Where the bytes are. */
    blob: BlobId;
    /** How many. */
    bytes: number;
    /** Such as `thumbnail-width` of 4.x (rest.md A.4), and `part_number` (A.4.2). */
    fields: Record<string, string>;
    /** As the client called its kind; empty when it did not. */
    media_type: string;
    /** As the client named it. */
    name: string;
  };
} | "too_large" | {
  bad: string;
} | {
  lost: string;
};

/** A user, or a name that somebody wrote to. */
export type UserState = {
  /** What the user tells about itself. */
  attributes?: Record<string, string>;
  /** Who may not write to it, oldest first. */
  blocked?: Array<string>;
  /** Those of them to whom it may not write either. */
  blocked_both?: Array<string>;
  /** Oldest first; each has this user, too. */
  contacts?: Array<ContactState>;
  /** What it is part of. */
  conversations?: Array<MembershipState>;
  /** In ms since 1970. */
  created_ms?: number;
  /** Shut out by an operator. */
  deactivated?: boolean;
  /** The one that went last at the end. */
  devices?: Array<DeviceState>;
  /** Who waits for its answer, oldest first. */
  invited_by?: Array<string>;
  /** In ms since 1970. */
  modified_ms?: number;
  /** Where it may not speak in the whole app. */
  mutes?: MutesState;
  /** In lower case. */
  name: string;
  /** What others are shown. */
  nickname?: string;
  /** When pushes are silent. */
  notification?: NotificationState;
  /** As `/token` must be given it; `None`: nobody has set one. */
  password?: string | null;
  /** What it says of itself. */
  presence?: PresenceState;
  /** Push settings that nobody here acts upon. */
  properties?: Record<string, unknown>;
  /** It was removed and not made again: the name is kept for who has messages of it. */
  removed?: boolean;
  /** Of whose presence it is told, in the order in which it asked. */
  subscribed_to?: Array<string>;
  /** Oldest first. */
  tokens?: Array<TokenState>;
};

/** A user, or a name that somebody wrote to. */
export type UserView = {
  /** Until when the app lets it speak nowhere, in ms since 1970; `null`: it may speak. */
  muted_until_ms?: number | null;
  /** Folded to lower case. */
  name: string;
  /** Its devices, oldest first; none: it is away. */
  online: Array<DeviceView>;
  /** The queues that have something for it, at most [`OVERVIEW_QUEUES_MAX`]. */
  queues: Array<QueueView>;
  /** What the server counts as unread for it, over all conversations. */
  unread: number;
};

/** What becomes of a message. */
export type Verdict = "pass" | "refuse";

/** `POST …/wait`: what is waited for. Each field of a row that is named must be so; see [`Rows`] for each. */
export type WaitFor = {
  /** Only rows behind the one of this number; left out, whatever is kept counts. */
  after?: number | null;
  clause?: string | null;
  /** How many, 1 to [`PAGE_ROWS_MAX`]. A page counts for each message in it that is of the kind. */
  count?: number;
  device?: string | null;
  direction?: Direction | null;
  kind?: string | null;
  method?: string | null;
  path?: string | null;
  since_ms?: number | null;
  status?: number | null;
  text?: string | null;
  until_ms?: number | null;
  user?: string | null;
  where?: string | null;
  /** How long, in ms of real time, at most [`WITHIN_MS_MAX`]: also where the world's clock stands still. */
  within_ms?: number;
};

/** The answer of `POST …/wait`. */
export type Waited = {
  /** The number of the last of them: with it as `after`, the next wait goes on. */
  last: number;
  /** The rows in which what was waited for came. */
  rows: Array<TrafficRow>;
};

/** Who is told, and until when. */
export type WatcherState = {
  /** In ms since 1970. */
  until_ms: Number;
  /** Who. */
  user: string;
};

/** A rule that asks an app's own server before a message is taken (rest.md B.9: the pre-send callback). */
export type Webhook = {
  /** Which kinds of messages are asked about; empty: all that the contract lists. */
  kinds?: Array<MessageKind>;
  /** What becomes of the message when there is no answer, or none that makes sense. */
  on_timeout?: Verdict;
  /** Whether the sender learns of a refusal (502); otherwise it looks like a success. */
  report_error?: boolean;
  /** What the signature is made with. */
  secret?: string;
  /** How long it may take to answer, in ms. */
  timeout_ms?: number;
  /** Where it is asked: an `http://` address. */
  url?: string;
};

/** What became of a [`WebhookRequest`]. */
export type WebhookAnswer = {
  answered: {
    /** The whole body. */
    body: string;
    /** The HTTP status. */
    status: number;
  };
} | "timed_out" | {
  failed: string;
};

/** A call of a world to an app's own server, until it has been answered. */
export type WebhookId = number;

/** What a rule is about. */
export type What = {
  command: FrameCommand;
} | {
  kind: Kind;
} | "message" | "frame" | {
  request: {
    /** Those of this method alone. */
    method?: Method | null;
    /** Those with this in their path, behind `/{org}/{app}`; empty: any. */
    path?: string;
  };
} | {
  upload: {
    /** As of any other request. */
    path?: string;
  };
};

/** Which of those that fit. */
export type Which = {
  next: number;
} | {
  nth: number;
} | {
  every: number;
};

/** Why a file was saved. */
export type Why = "start" | "exit" | "interval";

/** One world in a few numbers. */
export type WorldLine = {
  /** `org#app`. */
  app_key: string;
  /** What time it is there, in ms since 1970. */
  now_ms: number;
  /** How many of those are logged in. */
  online: number;
  /** How many rows its tape has had; 0 where none is kept. */
  rows: number;
  /** How many names it knows. */
  users: number;
};

/** The answer of `GET /_mock/worlds`. */
export type WorldList = {
  /** Every world of the server, by its app key. */
  worlds: Array<WorldLine>;
};

/** One world. */
export type WorldState = {
  /** `org#app`. */
  app_key: string;
  /** The app's own tokens, oldest first. */
  app_tokens?: Array<TokenState>;
  /** Group messages that asked for receipts, oldest first. */
  asked_receipts?: Array<AskedState>;
  /** Files of `/chatfiles`, oldest first. */
  attachments?: Array<AttachmentState>;
  /** What time it is there. */
  clock: ClockState;
  /** Every conversation that ever had a message, by age. */
  conversations?: Array<ConversationState>;
  /** What was given out so far, so that nothing is given out twice. */
  counters: Counters;
  /** Ids of those that were dissolved last, oldest first. */
  dissolved?: Array<string>;
  /** What is armed. */
  faults?: FaultsState;
  /** Groups, rooms and threads, by age. */
  groups?: Array<GroupState>;
  /** What is kept of them, in the order in which it came. */
  messages?: Array<MessageState>;
  /** Senders who have not been told yet who read their messages while they were away. */
  missed_readers?: Array<MissedReadersState>;
  /** The seed of nasty mode, if it is on. */
  nasty?: Number | null;
  /** What the service told users, in the order in which it did. */
  notices?: Array<MessageState>;
  /** Uploads in parts that are not complete, oldest first. */
  part_uploads?: Array<PartUploadState>;
  /** Who is told of whose presence, by whom it is about. */
  presence_subscriptions?: Array<SubscriptionState>;
  /** What messages bear, by message. */
  reactions?: Array<ReactionState>;
  /** What was reported to the moderators, oldest first. */
  reports?: Array<ReportState>;
  /** What was said within the last seconds, where spam is watched for. */
  said_lately?: Array<SaidState>;
  /** What decides wherever chance does. */
  seed?: Number;
  /** Its rules; one that is left out has its default. */
  settings?: Settings;
  /** Users who alone make rooms. */
  super_admins?: Array<string>;
  /** By age. Also names that somebody wrote to, and those of users who were removed: others have messages of them. */
  users?: Array<UserState>;
};
