// Which GPUs the browser offers, and whether they are real: a software adapter's times say nothing about hardware.

/**
 * @typedef {object} Adapter
 * @property {string} label for every row that was measured on it
 * @property {boolean} software
 */

/** Names of software rasterisers: Chromium's, Mesa's, Windows'. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i;

/** @returns {Promise<{webgpu: Adapter, webgl: Adapter}>} */
export async function findAdapters() {
  return { webgpu: await findWebGpu(), webgl: findWebGl() };
}

async function findWebGpu() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { label: 'no WebGPU adapter', software: true };
  const info = adapter.info ?? {};
  const words = [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' ');
  // Firefox names nothing; its driver is chosen by whoever started it.
  const named = words || 'an adapter that the browser does not name';
  const isFallback = Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter);
  return labelled(`WebGPU: ${named}`, isFallback || SOFTWARE.test(named));
}

function findWebGl() {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return { label: 'no WebGL2', software: true };
  const extension = gl.getExtension('WEBGL_debug_renderer_info');
  const name = gl.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return labelled(`WebGL2: ${name}`, SOFTWARE.test(name));
}

function labelled(label, software) {
  return { label: software ? `${label} (software)` : label, software };
}
