// The models that a person keeps, in the origin's private file system: for each a folder `models/SHA256` with the file as
// it was given (`model`) and what is said of it (`record.json`). Works in a page and in a worker; `keep` only in a worker,
// because the handle that every browser writes with is there.
//
// The record is written last: a folder without one is what an interrupted write left, is not listed, and is cleared away
// when the same model is kept again or everything is deleted.

const FOLDER = "models";
const MODEL = "model";
const RECORD = "record.json";
/** What the worker that watches a session writes (web/watch/src/worker/record_store.rs). */
const RECORDS = "records";

/** The folder of all models, or undefined where the browser offers no such storage or refuses it, as in private windows. */
async function folder(create) {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create });
  } catch (error) {
    if (create) throw error;
    return undefined;
  }
}

/** Whether models can be kept here. Asks by opening the storage, because private windows have the function and refuse. */
export async function available() {
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

/** Hash, bytes and record of each model that is kept, as `[sha256, bytes, record][]`. */
export async function list() {
  const models = await folder(false);
  const found = [];
  if (!models) return found;
  for await (const [sha256, kept] of models.entries()) {
    try {
      const record = await (await kept.getFileHandle(RECORD)).getFile();
      const model = await (await kept.getFileHandle(MODEL)).getFile();
      found.push([sha256, model.size, await record.text()]);
    } catch {
      // Not whole.
    }
  }
  return found;
}

/** The file of a model. */
export async function open(sha256) {
  const models = await folder(false);
  const kept = await models.getDirectoryHandle(sha256);
  return (await kept.getFileHandle(MODEL)).getFile();
}

/** Keeps a model; one with the same hash is replaced. */
export async function keep(sha256, bytes, record) {
  const models = await folder(true);
  await models.removeEntry(sha256, { recursive: true }).catch(() => {});
  const kept = await models.getDirectoryHandle(sha256, { create: true });
  await write(kept, MODEL, new Uint8Array(bytes));
  await write(kept, RECORD, new TextEncoder().encode(record));
}

async function write(kept, name, bytes) {
  const file = await kept.getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle();
  try {
    const written = handle.write(bytes, { at: 0 });
    if (written !== bytes.length) throw new Error("the disk is full");
    handle.flush();
  } finally {
    handle.close();
  }
}

/** Deletes one model. */
export async function remove(sha256) {
  const models = await folder(false);
  await models?.removeEntry(sha256, { recursive: true });
}

/** Deletes all of them, and what watching has recorded. */
export async function removeAll() {
  const root = await navigator.storage.getDirectory().catch(() => undefined);
  for (const name of [FOLDER, RECORDS]) {
    await root?.removeEntry(name, { recursive: true }).catch((error) => {
      if (error.name !== "NotFoundError") throw error;
    });
  }
}

/** The bytes of what watching has recorded; 0 where there is nothing. */
export async function recorded() {
  try {
    const root = await navigator.storage.getDirectory();
    return await bytesBelow(await root.getDirectoryHandle(RECORDS));
  } catch {
    return 0;
  }
}

async function bytesBelow(folder) {
  let bytes = 0;
  for await (const entry of folder.values()) {
    bytes += entry.kind === "file" ? (await entry.getFile()).size : await bytesBelow(entry);
  }
  return bytes;
}
