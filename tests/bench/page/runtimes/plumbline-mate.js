// The second worker of Plumbline on the CPU: loads the same WebAssembly and serves whoever has started it.

import init, { serveAsMate } from '../plumbline/plumbline_bench.js';

await init();
serveAsMate(globalThis);
