// The TypeScript SDK 1.32 on a tour through the server, with its own transports over WebSocket and Streamable HTTP.
//
// Started with the folder that has its `node_modules`; what it is told and says is described in `witness.py`.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);

/**
 * What Node before 22 lacks: a WebSocket like the browsers', each message in a task of its own. Without that the SDK, which
 * puts notifications off to the next microtask but not responses, drops the progress that arrives together with the result.
 */
class WebSocketLikeBrowsers extends require("ws") {
  constructor(url, protocols) {
    super(url, protocols, { allowSynchronousEvents: false });
  }
}
globalThis.WebSocket ??= WebSocketLikeBrowsers;
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { WebSocketClientTransport } = require("@modelcontextprotocol/sdk/client/websocket.js");
const types = require("@modelcontextprotocol/sdk/types.js");

const STEP_WITHIN_MS = 10_000;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => JSON.parse((await lines.next()).value);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const order = await nextLine();
const testimony = {};

/** Notifications of one kind, each taken once. */
class Notifications {
  #waiting = [];
  #taker = null;

  push(notification) {
    if (this.#taker === null) {
      this.#waiting.push(notification);
    } else {
      this.#taker(notification);
      this.#taker = null;
    }
  }

  next() {
    return this.#waiting.length > 0 ? Promise.resolve(this.#waiting.shift()) : new Promise((taker) => (this.#taker = taker));
  }
}

/** One connection. */
class Tour {
  constructor(visit, calls) {
    this.visit = visit;
    this.calls = calls;
    this.saw = testimony[visit.version] = { complaints: [] };
    this.client = new Client({ name: "typescript-sdk", version: "1.32" }, { capabilities: {} });
    this.client.onerror = (error) => this.saw.complaints.push(String(error).slice(0, 500));
    this.updates = this.#collect(types.ResourceUpdatedNotificationSchema);
    this.listChanges = this.#collect(types.ToolListChangedNotificationSchema);
    this.logs = [];
    this.client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) => void this.logs.push(params));
  }

  #collect(schema) {
    const notifications = new Notifications();
    this.client.setNotificationHandler(schema, (notification) => notifications.push(notification));
    return notifications;
  }

  /** Write down what a step gives; one that fails is written down as such, and the tour goes on. */
  async see(name, step) {
    let timer;
    const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error("nothing came in time")), STEP_WITHIN_MS)));
    try {
      this.saw[name] = await Promise.race([step(), late]);
    } catch (error) {
      this.saw[name] = { failed: String(error), code: error.code ?? null };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Have the test do something at the notebook; returns when it is done. */
  async cue(deed) {
    say({ visit: this.visit.version, cue: deed });
    await nextLine();
  }

  async run() {
    const { client } = this;
    const url = new URL(this.visit.url);
    const headers = { Authorization: `Bearer ${this.visit.token}` };
    const transport = url.protocol === "http:"
      ? new StreamableHTTPClientTransport(url, { requestInit: { headers } })
      : new WebSocketClientTransport(url);
    const itsOwn = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => {
      this.version = version;
      itsOwn?.(version);
    };
    await client.connect(transport);
    await this.see("opened", () => this.opened());
    await this.see("tools", async () => (await client.listTools()).tools);
    await this.see("resources", () => this.resources());
    await this.see("prompts", async () => (await client.listPrompts()).prompts);
    for (const [name, [tool, given]] of Object.entries(this.calls.calls)) {
      await this.see(`call ${name}`, () => client.callTool({ name: tool, arguments: given }));
    }
    await this.see("unknown tool", () => client.callTool({ name: "unheard_of" }));
    await this.see("progress", () => this.progress());
    await this.see("logs", () => this.log());
    for (const uri of this.calls.reads) {
      await this.see(`read ${uri}`, () => this.read(uri));
    }
    await this.see("prompt", () => client.getPrompt({ name: "explain", arguments: { topic: "delays" } }));
    await this.see("completions", () => this.completions());
    await this.see("updated", () => this.updated());
    await this.see("unsubscribed", () => this.unsubscribed());
    await this.see("cancelled", () => this.cancelled());
    await this.see("list changed", () => this.listChanged());
    await this.see("ping", () => client.ping());
    const closed = new Promise((resolve) => (client.onclose = resolve));
    await transport.terminateSession?.();
    await client.close();
    await closed;
  }

  async opened() {
    return {
      protocolVersion: this.version,
      capabilities: this.client.getServerCapabilities(),
      serverInfo: this.client.getServerVersion(),
      instructions: this.client.getInstructions(),
    };
  }

  async resources() {
    const { resources } = await this.client.listResources();
    const { resourceTemplates } = await this.client.listResourceTemplates();
    return [...resources, ...resourceTemplates];
  }

  async progress() {
    const reports = [];
    const onprogress = ({ progress, total, message }) => reports.push([progress, total, message]);
    await this.client.callTool({ name: "count", arguments: { upto: 3 } }, undefined, { onprogress });
    return reports;
  }

  async log() {
    await this.client.setLoggingLevel("info");
    await this.client.callTool({ name: "log" });
    return this.logs;
  }

  async read(uri) {
    return (await this.client.readResource({ uri })).contents;
  }

  async completions() {
    const prompt = { ref: { type: "ref/prompt", name: "explain" }, argument: { name: "topic", value: "wea" } };
    const template = { ref: { type: "ref/resource", uri: "weather://{station}" }, argument: { name: "station", value: "S" } };
    const context = { arguments: { tone: "plain" } };
    return [
      (await this.client.complete(prompt)).completion.values,
      (await this.client.complete({ ...template, context })).completion.values,
    ];
  }

  async updated() {
    await this.client.subscribeResource({ uri: "df://flights" });
    await this.cue("change flights");
    const told = await this.updates.next();
    return [told.params.uri, await this.read("df://flights/rows?limit=1")];
  }

  async unsubscribed() {
    await this.client.subscribeResource({ uri: "df://planes" });
    await this.client.unsubscribeResource({ uri: "df://planes" });
    await this.client.subscribeResource({ uri: "notes://today" });
    await this.cue("touch planes");
    await this.cue("touch notes");
    return (await this.updates.next()).params.uri;
  }

  async cancelled() {
    const abort = new AbortController();
    const onprogress = () => abort.abort("enough");
    const call = this.client.callTool({ name: "wait_for_ever" }, undefined, { signal: abort.signal, onprogress });
    await call.then(
      () => Promise.reject(new Error("the cancelled call gave a result")),
      () => this.cue("await the end of the slow call"),
    );
    return (await this.client.callTool({ name: "add", arguments: { a: 40, b: 2 } })).content[0].text;
  }

  async listChanged() {
    await this.cue("define a tool");
    await this.listChanges.next();
    return (await this.client.listTools()).tools.map((tool) => tool.name).filter((name) => name === "late");
  }
}

for (const visit of order.visits) {
  await new Tour(visit, order.itinerary).run();
}
// Not before it is written: what is still buffered at an exit is lost.
process.stdout.write(`${JSON.stringify({ saw: testimony })}\n`, () => process.exit(0));
