// better-auth with its phone-number plugin on SQLite, every commit on disk; one process.
// Its sendOTP keeps the code; a header of the answer brings it to the load client.
import { createServer } from "node:http";
import { AsyncLocalStorage } from "node:async_hooks";
import { betterAuth } from "better-auth";
import { phoneNumber } from "better-auth/plugins";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { SqliteDialect } from "kysely";
import Database from "libsql";

const port = Number(process.argv[2]);
const database = new Database(process.env.PEER_DATABASE);
database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
const request = new AsyncLocalStorage();

const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: "a secret for a benchmark on the loopback, 32 bytes or more",
  database: { dialect: new SqliteDialect({ database }), type: "sqlite" },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [
    phoneNumber({
      sendOTP: ({ code }) => {
        request.getStore().code = code;
      },
      signUpOnVerification: { getTempEmail: (number) => `${number.slice(1)}@example.com` },
    }),
  ],
};
const auth = betterAuth(options);
const { runMigrations } = await getMigrations(options);
await runMigrations();
const answer = toNodeHandler(auth);

createServer((incoming, outgoing) => {
  const held = {};
  const writeHead = outgoing.writeHead.bind(outgoing);
  outgoing.writeHead = (...given) => {
    outgoing.setHeader("X-Code", held.code ?? "");
    return writeHead(...given);
  };
  request.run(held, () => answer(incoming, outgoing));
}).listen(port, "127.0.0.1");
