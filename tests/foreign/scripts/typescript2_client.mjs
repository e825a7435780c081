// The TypeScript SDK's client 2.x, as its users write it: over Streamable HTTP, with a handshake and without.
//
// Started with the folder that has its `node_modules`. Its line on stdin is {"url", "token"}; what it saw is one line on stdout.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/`);
const { Client, StreamableHTTPClientTransport } = await import(pathToFileURL(require.resolve("@modelcontextprotocol/client")));
const { url, token } = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const saw = {};

for (const mode of ["legacy", "auto"]) {
  const client = new Client({ name: "typescript-client", version: "2.4" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
  const { content } = await client.callTool({ name: "greet", arguments: { name: "Zoë" } });
  const { tools } = await client.listTools();
  const { contents } = await client.readResource({ uri: "df://planes/rows" });
  saw[mode] = {
    version: client.getNegotiatedProtocolVersion(),
    said: content[0].text,
    tools: tools.map((tool) => tool.name),
    rows: contents[0].text,
  };
  await client.close();
}
process.stdout.write(`${JSON.stringify(saw)}\n`);
process.exit(0);
