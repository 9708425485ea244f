// The kernels for graphics hardware under the browser's own shader compiler. No machine of ours has such hardware in a
// browser, and the native replayer compiles WGSL with another compiler, so this is where a browser would object.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { SOFTWARE_WEBGPU, required, withChromium } from './browsers.mjs';
import { openLive } from './live-page.mjs';

test('Chromium compiles every kernel that hardware would run', async (t) => {
  const models = {};
  for (const model of ['detector', 'lite', 'full', 'heavy']) {
    const args = ['inspect', model, '--kernels', '--json'];
    const { stdout } = await promisify(execFile)(required('PLUMBLINE_PLUMB'), args, { maxBuffer: 1 << 26 });
    models[model] = JSON.parse(stdout);
    assert.ok(models[model].some(({ label }) => label.startsWith('block ')), `${model} has no fused kernel`);
  }
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page } = await openLive(browser, {});
    for (const [model, kernels] of Object.entries(models)) {
      const refused = await page.evaluate(async (kernels) => {
        const adapter = await navigator.gpu.requestAdapter();
        const device = await adapter.requestDevice();
        const refused = [];
        for (const { label, wgsl } of kernels) {
          const { messages } = await device.createShaderModule({ code: wgsl }).getCompilationInfo();
          const errors = messages.filter(({ type }) => type === 'error');
          refused.push(...errors.map(({ lineNum, message }) => `${label}, line ${lineNum}: ${message}`));
        }
        device.destroy();
        return refused;
      }, kernels);
      t.diagnostic(`${model}: ${kernels.length} kernels, ${refused.length} refused`);
      assert.deepEqual(refused, []);
    }
  });
});
