// Preloaded into servers that cannot be told an address to listen on: they would be open to the network.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  if (typeof given[0] === "number") {
    return listen.call(this, { port: given[0], host: "127.0.0.1" }, ...given.filter((one) => typeof one === "function"));
  }
  if (typeof given[0] === "object" && given[0] !== null && "port" in given[0]) {
    given[0] = { ...given[0], host: "127.0.0.1" };
  }
  return listen.apply(this, given);
};
