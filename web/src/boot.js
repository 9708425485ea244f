// Starts the app, or says in one sentence why it cannot start.
//
// In: the names of the app's hashed files, which the build leaves in <meta name="plumbline-app">. Out: the running app;
// it replaces #boot. WebAssembly is compiled while it streams in.

// The shortest module that uses a 128-bit vector: (func (result v128) i32.const 0; i8x16.splat; i8x16.popcnt).
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

function unable() {
  if (typeof WebAssembly !== "object") {
    return "This browser has no WebAssembly, which everything here runs on. Use a current Chrome, Edge, Firefox or Safari.";
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    return "This browser's WebAssembly has no SIMD, which the models need. Use Chrome or Edge 91, Firefox 89, Safari 16.4, or later.";
  }
  return null;
}

function say(sentence) {
  document.getElementById("boot-sentence").textContent = sentence;
}

const problem = unable();
if (problem) {
  say(problem);
} else {
  const { js, wasm } = document.querySelector("meta[name=plumbline-app]").dataset;
  try {
    // The app starts its engine through what goes ahead, which may arrive later than everything else.
    const ahead = document.getElementById("ahead").src;
    const [app] = await Promise.all([import(js), import(ahead)]);
    // The engine's worker is started by this thread, which the app will keep to itself for a tenth of a second.
    await globalThis.plumblineAhead.awake;
    await app.default({ module_or_path: wasm });
  } catch (error) {
    say(`The page could not start (${error.message}). Check the connection and load it again.`);
  }
}
