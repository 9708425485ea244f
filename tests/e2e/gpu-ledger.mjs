// Counts what a worker asks of WebGPU, from outside: the interfaces themselves are wrapped, so that nothing the page
// says of itself is believed.

/**
 * Starts to count in the engine's worker.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<() => Promise<Record<string, number>>>} what was counted so far
 */
export async function keepGpuLedger(page) {
  const workers = page.workers();
  if (workers.length !== 1) throw new Error(`the page has ${workers.length} workers, not one`);
  await workers[0].evaluate(() => {
    const ledger = { readBackBytes: 0, mapsPending: 0, mostMapsPending: 0, pixelsRead: 0 };
    globalThis.gpuLedger = ledger;
    const wrap = (type, name, note) => {
      const original = type.prototype[name];
      ledger[name] = 0;
      type.prototype[name] = function (...args) {
        ledger[name] += 1;
        note?.(...args);
        return original.apply(this, args);
      };
    };
    for (const name of Object.getOwnPropertyNames(GPUDevice.prototype)) {
      if (name.startsWith('create') || name === 'importExternalTexture') wrap(GPUDevice, name);
    }
    wrap(GPUCommandEncoder, 'beginComputePass');
    wrap(GPUCommandEncoder, 'copyBufferToBuffer', (_from, _at, _to, _place, bytes) => {
      ledger.readBackBytes += bytes;
    });
    wrap(GPUQueue, 'submit');
    wrap(GPUQueue, 'writeBuffer');
    wrap(GPUQueue, 'writeTexture');
    wrap(GPUQueue, 'copyExternalImageToTexture');
    for (const [type, name] of [
      [VideoFrame, 'copyTo'],
      [OffscreenCanvasRenderingContext2D, 'getImageData'],
    ]) {
      wrap(type, name, () => (ledger.pixelsRead += 1));
    }
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function (...args) {
      ledger.mapsPending += 1;
      ledger.mostMapsPending = Math.max(ledger.mostMapsPending, ledger.mapsPending);
      try {
        await map.apply(this, args);
      } finally {
        ledger.mapsPending -= 1;
      }
    };
  });
  return () => workers[0].evaluate(() => ({ ...globalThis.gpuLedger }));
}
