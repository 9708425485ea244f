// The part of WASI preview 1 that a benchmark needs, for a page or Node: arguments, standard input from bytes,
// standard output to a string, a clock. Everything else answers "not supported".

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NOT_SUPPORTED = 58;

/**
 * Runs a wasm32-wasip1 program to its end.
 * @param {WebAssembly.Module} module
 * @param {string[]} args the program's arguments, its own name not among them
 * @param {Uint8Array} input standard input
 * @returns {Promise<string>} standard output; an exit code other than 0 throws, with standard error as its message
 */
export async function runProgram(module, args, input) {
  const words = ['program', ...args].map((word) => new TextEncoder().encode(`${word}\0`));
  const written = { 1: [], 2: [] };
  let read = 0;
  let memory;
  const view = () => new DataView(memory.buffer);

  /** Calls `use(start, length)` for each of the vectors at `list` until it returns less than `length`. */
  const eachVector = (list, count, use) => {
    let total = 0;
    for (let index = 0; index < count; index += 1) {
      const length = view().getUint32(list + 8 * index + 4, true);
      const done = use(view().getUint32(list + 8 * index, true), length);
      total += done;
      if (done < length) break;
    }
    return total;
  };

  const calls = {
    args_sizes_get(count, size) {
      view().setUint32(count, words.length, true);
      view().setUint32(size, words.reduce((sum, word) => sum + word.length, 0), true);
      return SUCCESS;
    },
    args_get(list, buffer) {
      let place = buffer;
      words.forEach((word, index) => {
        view().setUint32(list + 4 * index, place, true);
        new Uint8Array(memory.buffer).set(word, place);
        place += word.length;
      });
      return SUCCESS;
    },
    environ_sizes_get(count, size) {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return SUCCESS;
    },
    environ_get: () => SUCCESS,
    clock_time_get(_clock, _precision, result) {
      view().setBigUint64(result, BigInt(Math.round(performance.now() * 1e6)), true);
      return SUCCESS;
    },
    fd_read(descriptor, list, count, result) {
      if (descriptor !== 0) return BAD_DESCRIPTOR;
      const total = eachVector(list, count, (start, length) => {
        const part = input.subarray(read, read + length);
        new Uint8Array(memory.buffer).set(part, start);
        read += part.length;
        return part.length;
      });
      view().setUint32(result, total, true);
      return SUCCESS;
    },
    fd_write(descriptor, list, count, result) {
      if (!written[descriptor]) return BAD_DESCRIPTOR;
      const total = eachVector(list, count, (start, length) => {
        written[descriptor].push(new Uint8Array(memory.buffer).slice(start, start + length));
        return length;
      });
      view().setUint32(result, total, true);
      return SUCCESS;
    },
    random_get(start, length) {
      crypto.getRandomValues(new Uint8Array(memory.buffer, start, length));
      return SUCCESS;
    },
    proc_exit(code) {
      throw new Error(`the program ended with code ${code}: ${text(2)}`);
    },
  };
  const decoder = new TextDecoder();
  const text = (descriptor) => written[descriptor].map((part) => decoder.decode(part, { stream: true })).join('');
  const imports = {};
  for (const { module: name, name: call } of WebAssembly.Module.imports(module)) {
    imports[name] ??= {};
    imports[name][call] = calls[call] ?? (() => NOT_SUPPORTED);
  }
  const instance = await WebAssembly.instantiate(module, imports);
  memory = instance.exports.memory;
  try {
    instance.exports._start();
  } catch (error) {
    throw new Error(`${error.message} ${text(2)}`);
  }
  return text(1);
}
