// Begins what takes long before the app is there to ask for it. This file runs twice: in the page, where it starts the
// engine's worker and fetches the drawn person, and as that worker, where it reads the weights while the engine's
// module compiles. The page's thread builds the interface meanwhile, so what the worker does must not wait for it.
//
// In: the address, and the model that was chosen last (`plumbline.model` in local storage). Out:
// `globalThis.plumblineAhead`, from which web/src/platform/ahead.rs takes what was begun, once each, and through which it
// starts workers; src/boot.js waits for it. What was not begun, or was guessed wrong, whoever needs it begins by itself.
// Answers are not checked here but where they are used, as those of any other request.

const base = new URL("./", import.meta.url).pathname;
const isWorker = typeof document === "undefined";

/** A worker that says nothing for this long is not waited for. */
const AWAKE_LIMIT_MILLIS = 400;

/** Workers that run another program than the engine's are named by it, as `lab_worker`, whose script is `lab_worker.js`. */
const PROGRAM = /^[a-z]+_worker$/u;

/** By address: requests on their way. */
const responses = new Map();
/** By key in the cache of weights: reads on their way, of `{bytes, digest}`. */
const stored = new Map();
/** In the worker: settles when it is known which weights are stored, and reading or fetching them has begun. */
let listing = null;
/** In the worker: what the engine is to hear first. */
const heard = [];
/** In the page: the worker, and what it said before anybody listened. */
let engine = null;

globalThis.plumblineAhead = {
  /** Where everything is served, ending in a slash. */
  base,
  /** The answer to a request that has begun. A signal stops it from now on. */
  takeResponse(address, signal) {
    const begun = responses.get(address);
    responses.delete(address);
    signal?.addEventListener("abort", () => begun?.controller.abort());
    return begun?.response;
  },
  /** Stored weights that are being read, with their SHA-256, which is not compared with anything yet. */
  async takeStored(key) {
    await listing;
    const reading = stored.get(key);
    stored.delete(key);
    return reading;
  },
  /** What the engine is to hear before anything that the page says. */
  takeHeard() {
    return heard.splice(0);
  },
  /** The worker that was started with the page, with the messages that it has sent. */
  takeEngine() {
    const taken = engine;
    engine = null;
    return taken;
  },
  startWorker,
  /** Starts a worker with the program of this name. */
  startWorkerOf: (program) => new Worker(import.meta.url, { type: "module", name: program }),
  /** Loads a program into this page, as the interface that only /models has; gives its module. */
  async loadProgram(name) {
    const module = await import(`${base}${name}.js`);
    await module.default({ module_or_path: `${base}${name}_bg.wasm` });
    return module;
  },
  /** Loads the engine's module into the page itself, for browsers that cannot start it as a worker. */
  async startInPage(port) {
    const module = await import(`${base}worker.js`);
    await module.default();
    module.serve(port);
  },
  /** Resolves when the worker runs: it is started by this thread, so the app waits for that before it takes the thread. */
  awake: null,
};

/**
 * Starts a worker; its engine says so when it listens. What it may begin with goes into its name: messages to a worker
 * that is being started wait for a turn of this thread, which the app is about to take.
 */
function startWorker(begin) {
  return new Worker(import.meta.url, { type: "module", name: begin ? JSON.stringify(begin) : "plumbline-engine" });
}

/** A whole file is received whether or not anybody reads it yet; a browser stops after half a megabyte otherwise. */
function eager(response) {
  if (!response.ok || !response.body) return response;
  const all = new TransformStream({}, undefined, new ByteLengthQueuingStrategy({ highWaterMark: Infinity }));
  return new Response(response.body.pipeThrough(all), response);
}

function begin(address) {
  const controller = new AbortController();
  const response = fetch(address, { signal: controller.signal }).then(eager);
  // Whoever takes it hears of a failure; if nobody does, nothing is lost.
  response.catch(() => {});
  responses.set(address, { response, controller });
  return response;
}

// The page's part.

/** The landmark model that will be asked for, if the person keeps to the choice of last time. */
function likelyModel(query) {
  try {
    return query.get("model") ?? localStorage.getItem("plumbline.model") ?? "full";
  } catch {
    // Storage is forbidden: nothing was remembered.
    return query.get("model") ?? "full";
  }
}

function beginPage() {
  const query = new URLSearchParams(location.search);
  // Only the Live page measures; weights that are not stored are downloaded only where a source starts by itself.
  const measures = location.pathname === base;
  const worker = startWorker(
    measures && {
      kind: "begin",
      model: likelyModel(query),
      backend: query.get("backend") ?? "auto",
      downloads: query.has("source"),
    },
  );
  const said = [];
  engine = { worker, said };
  globalThis.plumblineAhead.awake = new Promise((resolve) => {
    worker.onmessage = ({ data }) => {
      said.push(data);
      resolve();
    };
    worker.onerror = (event) => {
      // The app tries again, and says what happened.
      event.preventDefault();
      engine = null;
      resolve();
    };
    setTimeout(resolve, AWAKE_LIMIT_MILLIS);
  });
  if (query.get("source") === "demo") {
    begin(`${base}demo/person.json`);
    begin(`${base}demo/person.mjpeg`);
  }
}

// The worker's part.

async function digested(found) {
  const bytes = await found.arrayBuffer();
  return { bytes, digest: await crypto.subtle.digest("SHA-256", bytes) };
}

async function beginWeights({ model, downloads }) {
  // The engine reads the list as well, at any time: each has a copy.
  const manifest = begin(`${base}models/manifest.json`).then((response) => response.clone());
  const hasStored = globalThis.caches && (await caches.has("plumbline-weights"));
  const cache = hasStored ? await caches.open("plumbline-weights") : null;
  const { models } = await (await manifest).json();
  for (const { name, file, sha256 } of models) {
    if (name !== "detector" && name !== model) continue;
    const found = await cache?.match(`${base}models/${file}?sha256=${sha256}`);
    if (found) {
      stored.set(`${base}models/${file}?sha256=${sha256}`, digested(found));
    } else if (downloads) {
      begin(`${base}models/${file}`);
    }
  }
}

async function serveAsWorker() {
  const name = PROGRAM.test(self.name) ? self.name : "worker";
  if (name === "worker") postMessage({ kind: "awake" });
  if (self.name.startsWith("{")) {
    heard.push(JSON.parse(self.name));
    listing = beginWeights(heard[0]).catch(() => {});
  }
  const program = `${base}${name}`;
  const module_or_path = fetch(`${program}_bg.wasm`);
  const { default: start } = await import(`${program}.js`);
  await start({ module_or_path });
}

if (isWorker) {
  serveAsWorker().catch((error) => {
    // Thrown outside of a promise it reaches the page, which then runs the engine itself.
    setTimeout(() => {
      throw error;
    });
  });
} else {
  try {
    beginPage();
  } catch {
    // The app finds out for itself.
  }
}
