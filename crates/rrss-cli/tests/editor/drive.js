// Asks Taplo's language server, as "Even Better TOML" runs it, about the file rrss.toml of a folder.
//
//   node drive.js FOLDER < [["completion", LINE, COLUMN], ["hover", LINE, COLUMN], …]
//
// Prints the answers and what the server finds wrong, as JSON. Lines and columns begin at 0.

const fs = require("fs");
const path = require("path");
const url = require("url");
const { TaploLsp } = require("@taplo/lsp");

const folder = process.argv[2];
const questions = JSON.parse(fs.readFileSync(0, "utf8"));
const file = path.join(folder, "rrss.toml");
const uri = url.pathToFileURL(file).href;

// The list of schemas that others have published is not asked for.
const offline = () => Promise.reject(new Error("no network in a test"));
const environment = {
  now: () => new Date(),
  envVar: () => undefined,
  envVars: () => [],
  stdErrAtty: () => false,
  stdin: process.stdin,
  stdout: process.stderr,
  stderr: process.stderr,
  glob: () => [],
  readFile: (name) => fs.promises.readFile(name),
  writeFile: (name, bytes) => fs.promises.writeFile(name, bytes),
  urlToFilePath: (address) => url.fileURLToPath(address),
  isAbsolute: path.isAbsolute,
  cwd: () => folder,
  findConfigFile: () => undefined,
  fetch: { fetch: offline, Headers, Request, Response },
};

const waiting = new Map();
let published = 0;
let diagnosed;
const diagnostics = new Promise((done) => (diagnosed = done));
let server;
let number = 0;

const send = (message) => server.send({ jsonrpc: "2.0", ...message });
const request = (method, params) =>
  new Promise((done) => {
    number += 1;
    waiting.set(number, done);
    send({ id: number, method, params });
  });

const onMessage = (message) => {
  if (message.method && message.id !== undefined) {
    const items = message.params && message.params.items;
    send({ id: message.id, result: items ? items.map(() => null) : null });
  } else if (message.method === "textDocument/publishDiagnostics") {
    // What is wrong by the grammar, by the names that are given twice, and by the schema: each is published, the next only where
    // nothing was found.
    published += 1;
    if (published === 3 || message.params.diagnostics.length > 0) {
      diagnosed(message.params.diagnostics);
    }
  } else if (waiting.has(message.id)) {
    waiting.get(message.id)(message.result === undefined ? message.error : message.result);
    waiting.delete(message.id);
  }
};

const main = async () => {
  server = await TaploLsp.initialize(environment, { onMessage });
  const root = url.pathToFileURL(folder).href;
  await request("initialize", { processId: null, rootUri: root, capabilities: {}, workspaceFolders: [{ uri: root, name: "shop" }] });
  send({ method: "initialized", params: {} });
  const text = fs.readFileSync(file, "utf8");
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "toml", version: 1, text } } });
  const wrong = await diagnostics;
  const answers = [];
  for (const [method, line, character] of questions) {
    answers.push(await request(`textDocument/${method}`, { textDocument: { uri }, position: { line, character } }));
  }
  console.log(JSON.stringify({ answers, wrong }));
  process.exit(0);
};

main();
