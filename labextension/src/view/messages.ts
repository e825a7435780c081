// Written by labextension/generate_messages.py from mcp_workbench/views/messages.py; change that and run it again.

/** The first message: who speaks. The view takes its clock from `now`. */
export interface Hello {
  type: "hello";
  viewProtocol: number;
  /** Of mcp_workbench in the kernel's environment. */
  version: string;
  /** Seconds since 1970 by the kernel's clock. */
  now: number;
  kernelId?: string;
  /** Whether what is clicked waits until no cell is busy, as over a comm. */
  waitsForCells?: boolean;
  /** Whether it is a plain Python program, without cells. */
  plain?: boolean;
}

/** The two cannot talk; the connection ends. */
export interface Refused {
  type: "refused";
  /** Which side to upgrade, where. */
  sentence: string;
  /** What to type there. */
  command?: string;
}

/** The kernel has ended the connection, over a comm, which has no close of its own; the view may open again. */
export interface Closed {
  type: "closed";
  /** As a WebSocket's: 1001 it stops, 1006 it lost the view, 1013 it takes none now. */
  code: number;
  /** A sentence. */
  reason: string;
}

/** How one host is connected; holds no secret. */
export interface Snippet {
  /** `claude-code`, as `wb.config` takes it. */
  client: string;
  /** `Claude Code`. */
  title: string;
  /** What to do with the text, one sentence. */
  what: string;
  /** The text to copy. */
  text: string;
  /** How to see that it worked; what stands between backticks is code. */
  then?: string;
}

/** What is served. Sent whole when something of it has changed. */
export interface State {
  type: "state";
  name: string;
  /** Empty: it does not serve. */
  url?: string;
  since?: number;
  tools?: readonly string[];
  resources?: readonly string[];
  prompts?: readonly string[];
  /** Names of those that are published. */
  dataframes?: readonly string[];
  principals?: readonly string[];
  notices?: readonly string[];
  /** Calls that failed in what the author wrote, since the start. */
  failed?: number;
  /** Calls that failed by what callers sent. */
  mistakes?: number;
  /** Requests recorded since the start; handshakes and pings are none. */
  calls?: number;
  bytesIn?: number;
  bytesOut?: number;
  connect?: readonly Snippet[];
}

/** One session, open or ended lately. */
export interface SessionRow {
  id: string;
  transport: string;
  remote: string;
  principal: string;
  since: number;
  /** What the client calls itself; empty until it says so. */
  client?: string;
  clientVersion?: string;
  protocol?: string;
  /** `legacy` or `modern`; empty before the first request. */
  era?: string;
  /** 0 while it lasts. */
  until?: number;
  closeCode?: number;
  closeReason?: string;
  crash?: string;
  calls?: number;
  running?: number;
  parked?: number;
  backlog?: number;
  subscriptions?: number;
  outboxBytes?: number;
  unsentBytes?: number;
  /** Notifications that were dropped because the client did not read. */
  dropped?: number;
  messagesIn?: number;
  messagesOut?: number;
  bytesIn?: number;
  bytesOut?: number;
  /** Why messages got no answer: `response to an unknown id: 3`. */
  ignored?: readonly string[];
}

/** Sessions that are new or have changed, and the ids of those that are shown no longer. */
export interface Sessions {
  type: "sessions";
  rows?: readonly SessionRow[];
  gone?: readonly string[];
  /** How many are open, also where not all of them are sent. */
  open?: number;
}

/** A call that runs or waits. */
export interface OpenCall {
  /** What `Stop` takes. */
  key: string;
  /** Tool, prompt or URI. */
  target: string;
  method: string;
  session: string;
  principal: string;
  /** When it came. */
  at: number;
  client?: string;
  /** Empty while it waits for a place. */
  callId?: string;
  /** `j3`: it was answered early and goes on as this job. */
  job?: string;
  /** When its code began; 0: not yet. */
  started?: number;
  progress?: number;
  /** 0: unknown. */
  total?: number;
  /** What it said last. */
  message?: string;
  /** What it waits for: `behind cell [12]`, `its turn`, `news`, `the client's answer`; empty when it runs. */
  waits?: string;
}

/** Everything that runs or waits, oldest first; sent whole when it has changed. */
export interface OpenCalls {
  type: "openCalls";
  rows?: readonly OpenCall[];
  /** How many further ones there are. */
  more?: number;
}

/** One call that has ended. */
export interface CallRow {
  /** Counted from 1 in the order in which calls end; the name of its record. */
  seq: number;
  at: number;
  method: string;
  target: string;
  session: string;
  principal: string;
  /** `ok`, `tool_error`, `rpc_error`, `timeout`, `cancelled`, `rejected` or `dropped`. */
  outcome: string;
  client?: string;
  callId?: string;
  error?: string;
  code?: number;
  waitUs?: number | null;
  runUs?: number | null;
  sendUs?: number | null;
  totalUs?: number | null;
  bytesIn?: number;
  bytesOut?: number;
  /** `j3`: it was answered early and went on as this job. */
  job?: string;
  /** Whether its code said something. */
  printed?: boolean;
  /** The beginning of what the notebook's author wrote beside it last, when it was told. */
  note?: string;
  /** The beginning of what a tool or prompt was called with, as `n=5, region='EMEA'`; empty: nothing, or long, or kept no longer. */
  arguments?: string;
}

/** Calls that have ended since the last of these, ascending by `seq`. */
export interface Calls {
  type: "calls";
  rows?: readonly CallRow[];
  /** How many ended meanwhile that are not among them: too many came at once. Failed ones are never left out for others. */
  skipped?: number;
  /** `seq` of the oldest record that is still kept: what `Older` can reach. */
  oldest?: number;
  /** `seq` of the latest record; all between are kept, told or not. */
  newest?: number;
  /** Of the first of them: nothing before this `seq` was looked at; 0: all was. */
  since?: number;
  /** The filter by which they were chosen: what is told by another than the view wants now is too late. */
  filter?: string;
}

/** The answer to `GetOlder`. */
export interface OlderCalls {
  type: "olderCalls";
  re: number;
  rows?: readonly CallRow[];
  oldest?: number;
  /** With a filter: down to this `seq` it was looked, and of those that fit none is missing from there on. */
  reached?: number;
}

/** The answer to `CheckFilter`. */
export interface FilterChecked {
  type: "filterChecked";
  re: number;
  ok: boolean;
  /** The filter as it is understood. */
  canonical?: string;
  /** What is wrong with it. */
  sentence?: string;
  /** Index of the character where it went wrong; None: it is no matter of the text. */
  position?: number | null;
  /** What was probably meant. */
  nearest?: string;
}

/** A text, or the beginning of a long one. */
export interface Text {
  text: string;
  /** Its whole length in bytes. */
  size: number;
}

/** The answer to `GetDetail`: all that is known of one call. */
export interface Detail {
  type: "detail";
  re: number;
  row: CallRow;
  /** The request as it came; None where it is kept no longer. */
  request?: Text | null;
  /** The answer as it was sent. */
  answer?: Text | null;
  /** What crossed for it between request and answer, the latest of it: notifications, what its client was asked, and the replies. */
  meanwhile?: readonly Text[];
  /** What its code printed, logged, warned of and displayed. */
  output?: string;
  traceback?: string;
  /** `cell [12] line 3`. */
  definedAt?: string;
  toolVersion?: string;
  /** What it read, made or asked: `flights v17`. */
  notes?: readonly string[];
  queuedBehind?: string;
  /** The same call as a line for a cell; empty where there is none. */
  asCell?: string;
  /** What the notebook's author wrote beside it. */
  annotations?: readonly string[];
  /** Whether it can be sent again: `yes`, `asks` (it destroys something, so the person is asked), or empty. */
  resend?: string;
  /** JSON of what it was called with, to be edited and sent again; empty where it cannot be sent again. */
  arguments?: string;
  /** Its request among the messages, by which it is found there; 0: it is not kept. */
  requestSeq?: number;
}

/** What is compared of two calls, as JSON: without what belongs to the conversation, and what is counted anew each time. */
export interface Sides {
  /** Empty: it is kept no longer, or too long to be shown. */
  left: string;
  right: string;
  /** Places where they differ, also where the texts are not shown; 0: they are the same. */
  differences: number;
}

/** The answer to `Compare`. */
export interface Compared {
  type: "compared";
  re: number;
  arguments: Sides;
  result: Sides;
}

/** The answer to `Resend`: it was made again, and is a call of its own. */
export interface Resent {
  type: "resent";
  re: number;
  sentence: string;
  /** Of its record. */
  seq: number;
}

/** One message that crossed: a text of the wire, as far as a line has room for it. */
export interface MessageRow {
  /** Counted from 1 in the order in which they crossed. */
  seq: number;
  at: number;
  /** `s1` of this server; `out1` of this notebook as a client; `tap1` of a tap. */
  session: string;
  size: number;
  /** Whether we sent it; at a tap: the server. */
  out?: boolean;
  /** `request`, `response`, `error`, `notification`, `batch` or `malformed`; empty: its text was gone, or too long to be read here. */
  kind?: string;
  /** The request's id as JSON, `5` or `"a"`. */
  id?: string;
  method?: string;
  /** Tool, prompt, resource or task that it names. */
  target?: string;
  /** What it carries, as `exploring.carrying` puts it, as far as a line has room. */
  beginning?: string;
  /** Whether its text had been pushed out by newer ones when it was told. */
  gone?: boolean;
  /** `legacy` or `modern`; empty where that is not known. */
  era?: string;
  client?: string;
  /** Exchanges that it opens, by names that are good within its session. */
  begins?: readonly string[];
  /** Exchanges that it answers, or says something of. */
  belongs?: readonly string[];
}

/** Messages that have crossed since the last of these, ascending by `seq`. */
export interface Messages {
  type: "messages";
  rows?: readonly MessageRow[];
  /** How many crossed meanwhile, and fit the filter, that are not among them: too many at once. */
  skipped?: number;
  /** `seq` of the oldest message that is still kept. */
  oldest?: number;
  /** `seq` of the latest. */
  newest?: number;
  /** `seq` of the oldest one whose text is still kept. */
  oldestText?: number;
  since?: number;
  /** Both as of `Calls`. */
  filter?: string;
}

/** The answer to `GetOlderMessages`. */
export interface OlderMessages {
  type: "olderMessages";
  re: number;
  rows?: readonly MessageRow[];
  oldest?: number;
  /** As of `OlderCalls`. */
  reached?: number;
}

/** The answer to `GetText`: a message, whole or its beginning, and what belongs to it. */
export interface MessageText {
  type: "messageText";
  re: number;
  row: MessageRow;
  /** None: it was pushed out by newer ones. */
  text?: Text | null;
  /** `seq` of the call that it belongs to; 0: none that has ended and is kept. */
  call?: number;
  /** The other messages of that call, ascending. */
  others?: readonly MessageRow[];
}

/** One call that has ended, as a bar. */
export interface Span {
  seq: number;
  /** When its request arrived. */
  at: number;
  session: string;
  target: string;
  method: string;
  outcome: string;
  totalUs: number;
  waitUs?: number | null;
  runUs?: number | null;
  client?: string;
}

/** One moment. */
export interface Mark {
  at: number;
  /** `notification` or `version`. */
  kind: string;
  /** `notifications/progress`; `flights v17: 1,000 rows appended`. */
  text: string;
  /** Whose it is; empty: of no session. */
  session?: string;
  /** Of a notification: whether we sent it. */
  out?: boolean;
  /** Of a notification: its message. */
  seq?: number;
}

/** Calls that have ended and marks that were made since the last of these. */
export interface Timeline {
  type: "timeline";
  /** Ascending by `seq`. */
  spans?: readonly Span[];
  marks?: readonly Mark[];
  /** How many calls ended meanwhile that are not among them. */
  skipped?: number;
  /** How many marks are not among them. */
  skippedMarks?: number;
  /** Of the first of them: nothing before this `seq` was looked at; 0: all was. */
  since?: number;
  /** The filter by which they were chosen: what is told by another than the view wants now is too late. */
  filter?: string;
}

/** Of the calls that ended well, in microseconds; None: too few calls support it (p99.9 takes 1,000). */
export interface Quantiles {
  p50?: number | null;
  p90?: number | null;
  p99?: number | null;
  p999?: number | null;
}

/** The calls of one tool added up, as seen by the server. */
export interface ToolRow {
  name: string;
  /** Calls that ended, failed ones included. */
  n: number;
  errors?: number;
  /** Calls a second, over the last ten seconds. */
  perS?: number;
  total?: Quantiles;
  wait?: Quantiles;
  run?: Quantiles;
  send?: Quantiles;
}

/** Tools whose calls have changed; at most one a second. */
export interface Tools {
  type: "tools";
  rows?: readonly ToolRow[];
}

/** Durations of one tool; at most one a second for each that is watched. Bucket `i` holds the durations in `(2**(i/32), 2**((i+1)/32)]` seconds, as OpenTelemetry's of scale 5. */
export interface Histogram {
  type: "histogram";
  tool: string;
  /** `total`, `wait`, `run` or `send`. */
  phase: string;
  failed?: boolean;
  n?: number;
  /** Index and count, ascending. */
  buckets?: readonly (readonly [number, number])[];
  minUs?: number | null;
  maxUs?: number | null;
  meanUs?: number | null;
  quantiles?: Quantiles;
}

/** Ten seconds of calls. */
export interface HeatColumn {
  /** When it begins; a multiple of ten seconds. */
  at: number;
  /** Row and count, ascending; row `r` holds the durations in `(2**(r/2), 2**((r+1)/2)]` seconds. */
  cells?: readonly (readonly [number, number])[];
  failed?: number;
}

/** How long calls took over the last ten minutes: the columns that have changed. */
export interface Heatmap {
  type: "heatmap";
  /** Empty: all tools together. */
  tool?: string;
  columns?: readonly HeatColumn[];
}

/** One published DataFrame. */
export interface DataFrameRow {
  name: string;
  rows: number;
  columns: number;
  version: number;
  /** How the latest version came to be: `published`, `append`, `columns`, `schema`, `replace`, `touched`. */
  kind: string;
  /** `polars`, `pyarrow` or `duckdb`; empty: pandas. */
  library?: string;
  /** `1,000 rows appended`. */
  summary?: string;
  /** When the latest version was made. */
  at?: number;
  /** Ids of the sessions that are told of changes. */
  subscribers?: readonly string[];
  /** Why it is not followed any more; empty: it is. */
  lost?: string;
}

/** DataFrames that are new or have changed, and the names of those that are gone. */
export interface DataFrames {
  type: "dataFrames";
  rows?: readonly DataFrameRow[];
  gone?: readonly string[];
}

/** One column of a preview. */
export interface Column {
  name: string;
  dtype: string;
}

/** The answer to `GetPreview`: the first rows, as text. */
export interface Preview {
  type: "preview";
  re: number;
  name: string;
  version: number;
  columns: readonly Column[];
  rows: readonly (readonly string[])[];
  allRows: number;
  allColumns: number;
  /** How many of the first columns are the index's, which `all_columns` does not count; 0: it only counts the rows. */
  indexColumns?: number;
}

/** One job, running or ended and still kept. */
export interface JobRow {
  id: string;
  /** What `Stop` takes. */
  key: string;
  tool: string;
  principal: string;
  /** `waiting`, `running`, `done`, `failed`, `cancelled` or `timed out`. */
  state: string;
  /** When its call came. */
  at: number;
  client?: string;
  callId?: string;
  /** How long it took; 0 while it runs. */
  seconds?: number;
  progress?: number;
  total?: number;
  message?: string;
  waits?: string;
  resultBytes?: number;
  fetched?: boolean;
}

/** Jobs that are new or have changed, and the ids of those that are kept no longer. */
export interface Jobs {
  type: "jobs";
  rows?: readonly JobRow[];
  gone?: readonly string[];
}

/** The reading of one queue or counter. */
export interface Queue {
  name: string;
  value: number;
  /** 0: it has none. */
  bound?: number;
  meaning?: string;
  /** Full is how it usually is: the oldest go for the newest. */
  rolls?: boolean;
}

/** What the kernel is doing. Sent whole when something of it has changed. */
export interface Kernel {
  type: "kernel";
  /** `[12]`: the cell that runs; empty: none does. */
  cell?: string;
  cellSince?: number;
  /** Name of the call that has the main thread, so that cells wait for it. */
  mainCall?: string;
  mainCallId?: string;
  mainSince?: number;
  /** Calls in line for the main thread. */
  mainWaiting?: number;
  queues?: readonly Queue[];
}

/** The answer to `Stop`, `Touch`, `Annotate`, and to whatever could not be done. */
export interface Done {
  type: "done";
  re: number;
  ok: boolean;
  /** What became of it. */
  sentence: string;
}

/** The first message of a view. */
export interface Open {
  type: "open";
  viewProtocol: number;
  /** Of mcp_workbench where the view comes from. */
  version: string;
}

/** Which histogram. */
export interface HistogramKey {
  tool: string;
  phase: string;
  failed?: boolean;
}

/** What of a panel's rows is wanted. */
export interface PanelFilter {
  /** `calls`, `messages` or `timeline`. */
  panel: string;
  /** In the language of filters; the kernel has said that it can be read. */
  text: string;
}

/** What is to be seen, in place of what was; nothing of a panel that is not named is sent. Over a comm the view says it again every 20 s, as its sign of life. */
export interface Watch {
  type: "watch";
  /** `connect`, `sessions`, `calls` (those that have ended), `running` (those that have not), `messages`, `timeline`, `latency`, `dataframes`, `kernel`. */
  panels?: readonly string[];
  histograms?: readonly HistogramKey[];
  /** A tool, or empty for all together; None: no heatmap. */
  heatmap?: string | null;
  /** Panels that are not named here tell everything. */
  filters?: readonly PanelFilter[];
}

/** Whether a text is a filter for the rows of a panel. */
export interface CheckFilter {
  type: "checkFilter";
  id: number;
  /** `calls`, `messages` or `timeline`. */
  panel: string;
  text: string;
}

/** All that is known of the call with this `seq`. */
export interface GetDetail {
  type: "getDetail";
  id: number;
  seq: number;
}

/** What differs between two calls, as `wb.traffic.diff` has it. */
export interface Compare {
  type: "compare";
  id: number;
  seq: number;
  other: number;
}

/** Calls that ended before `before`. */
export interface GetOlder {
  type: "getOlder";
  id: number;
  before: number;
  /** At most 500. */
  limit: number;
  filter?: string;
}

/** Messages that crossed before `before`. */
export interface GetOlderMessages {
  type: "getOlderMessages";
  id: number;
  before: number;
  /** At most 500. */
  limit: number;
  filter?: string;
}

/** The text of the message with this `seq`, and what belongs to it. */
export interface GetText {
  type: "getText";
  id: number;
  seq: number;
  /** All of it, as far as a view may be sent so much; else no more than its beginning. */
  whole?: boolean;
}

/** Make a call again, through the wire, as the notebook itself. */
export interface Resend {
  type: "resend";
  id: number;
  /** Of its record. */
  seq: number;
  /** JSON: what it is called with this time. */
  arguments: string;
  /** The person was asked, and said yes: for what destroys something. */
  sure?: boolean;
}

/** Write something beside a call. */
export interface Annotate {
  type: "annotate";
  id: number;
  seq: number;
  /** Empty: all that stands there is taken away. */
  text: string;
}

/** The first rows of a DataFrame. */
export interface GetPreview {
  type: "getPreview";
  id: number;
  name: string;
}

/** End a call or job. */
export interface Stop {
  type: "stop";
  id: number;
  key: string;
}

/** Say that a DataFrame has changed, as `wb.touch`. */
export interface Touch {
  type: "touch";
  id: number;
  name: string;
}

export const VIEW_PROTOCOL = 1;

export const VERSION = "0.1.0";

export type ToView = Hello | Refused | Closed | State | Sessions | OpenCalls | Calls | OlderCalls | FilterChecked | Detail | Compared | Resent | Messages | OlderMessages | MessageText | Timeline | Tools | Histogram | Heatmap | DataFrames | Preview | Jobs | Kernel | Done;

export type ToKernel = Open | Watch | CheckFilter | GetDetail | Compare | GetOlder | GetOlderMessages | GetText | Resend | Annotate | GetPreview | Stop | Touch;
