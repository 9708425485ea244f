// Begins what takes long before the app is there to ask for it: the engine's worker, the list of models, the weights.
//
// In: the address, and the model that was chosen last (`plumbline.model` in local storage). Out:
// `globalThis.plumblineAhead`, from which web/src/platform/ahead.rs takes what was begun, once each. Nothing depends
// on it: what is not here, or was guessed wrong, the app begins by itself. Answers are not checked here but where they
// are used, as those of any other request.

const base = new URL("./", import.meta.url).pathname;

/** By address: requests on their way. */
const responses = new Map();
/** By key in the cache of weights: reads on their way, of `{bytes, digest}`. */
const stored = new Map();
/** The engine, and what it said before anybody listened. */
let engine = null;

globalThis.plumblineAhead = {
  /** The answer to a request that has begun. A signal stops it from now on. */
  takeResponse(address, signal) {
    const begun = responses.get(address);
    responses.delete(address);
    signal?.addEventListener("abort", () => begun?.controller.abort());
    return begun?.response;
  },
  /** Stored weights that are being read, with their SHA-256, which is not compared with anything yet. */
  takeStored(key) {
    const reading = stored.get(key);
    stored.delete(key);
    return reading;
  },
  /** The worker, with the messages that it has sent. */
  takeEngine() {
    const taken = engine;
    engine = null;
    return taken;
  },
  /** Loads the engine's module into the page itself, for browsers that cannot start it as a worker. */
  async startInPage(address, port) {
    const module = await import(address);
    await module.default();
    module.serve(port);
  },
};

function startEngine() {
  const worker = new Worker(`${base}worker_loader.js`, { type: "module", name: "plumbline-engine" });
  const said = [];
  engine = { worker, said };
  worker.onmessage = ({ data }) => said.push(data);
  worker.onerror = (event) => {
    // The app tries again, and says what happened.
    event.preventDefault();
    engine = null;
  };
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

/** The models that will be asked for, if the person keeps to the choice of last time. */
function likelyModels(query) {
  let remembered = null;
  try {
    remembered = localStorage.getItem("plumbline.model");
  } catch {
    // Storage is forbidden: nothing was remembered.
  }
  return ["detector", query.get("model") ?? remembered ?? "full"];
}

async function digested(found) {
  const bytes = await found.arrayBuffer();
  return { bytes, digest: await crypto.subtle.digest("SHA-256", bytes) };
}

/** Weights that are stored are read; others are downloaded only if the address starts a source by itself. */
async function beginWeights(query) {
  const address = `${base}models/manifest.json`;
  const response = await begin(address);
  const { models } = await response.clone().json();
  const names = likelyModels(query);
  const weights = models.filter(({ name }) => names.includes(name));
  const cache = globalThis.caches && (await caches.has("plumbline-weights")) ? await caches.open("plumbline-weights") : null;
  for (const { file, sha256 } of weights) {
    const key = `${base}models/${file}?sha256=${sha256}`;
    const found = await cache?.match(key);
    if (found) {
      stored.set(key, digested(found));
    } else if (query.has("source")) {
      begin(`${base}models/${file}`);
    }
  }
}

const query = new URLSearchParams(location.search);
try {
  startEngine();
} catch {
  // The app finds out for itself.
}
beginWeights(query).catch(() => {});
if (query.get("source") === "demo") {
  begin(`${base}demo/person.json`);
  begin(`${base}demo/person.mjpeg`);
}
