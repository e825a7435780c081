// Loaded before a server that has no option for it: it listens on loopback only, and its port is a line {"port"} on stdout.

import { Server } from "node:net";

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...more) {
  this.once("listening", () => process.stdout.write(`${JSON.stringify({ port: this.address().port })}\n`));
  return listen.call(this, port, "127.0.0.1", ...more);
};
