/**
 * Replays the engine's GPU recordings on WebGPU.
 *
 * In: a recording (WGSL texts and flat tables of numbers) once, then one Float32Array per input and frame, and for
 * recordings that look at a picture the slot that holds it. Out: one Float32Array per frame that holds all outputs at
 * the offsets that the recording states.
 *
 * Why it is JavaScript: wgpu's web backend compiles pipelines one after the other and blocks meanwhile, and a
 * frame would cross the border between wasm and JavaScript some two hundred times. Here a frame is one call:
 * one writeBuffer per input, one encoder, one compute pass, one submit. Only the encoder, its pass and its
 * command buffer are created for a frame, and where the picture is an external texture, that and its bind group;
 * `counts` lets a test see that.
 *
 * The layout of the tables is that of `Recording` in the engine (core/engine/src/gpu/recording.rs).
 */

/**
 * Runs of a model that may be on their way at once: of one person, frames on the GPU, being mapped and being read; of
 * several, one for each of up to four.
 */
const RING = 4;

/** Kinds of bindings, as the recording numbers them. */
const READ = 0;
const READ_WRITE = 1;
const TEXTURE = 2;

/**
 * Firefox answers mapAsync when a timer of 100 ms looks at the device (Mozilla bug 1870699), or when
 * something is submitted; so while a frame is on its way it is given an empty submission after this time, and
 * again after ever longer times: a frame that takes seconds (a software adapter compiling) must not drown in
 * them. Other browsers answer at once.
 */
const FIRST_NUDGE_MILLIS = 4;
const NUDGE_GROWTH = 1.1;
const LAST_NUDGE_MILLIS = 50;

/**
 * @typedef {object} Recording
 * @property {string[]} shaders WGSL texts, entry point `main`.
 * @property {string[]} labels One for each shader.
 * @property {Uint32Array} layouts Per shader: number of bindings, then four bits for the kind of each.
 * @property {Uint32Array} bufferBytes Size of each buffer.
 * @property {Uint8Array[]} [contents] What each buffer holds at first; may be empty. A caller who has no such arrays
 *   gives `load` a function instead.
 * @property {Uint32Array} bindGroups Per group: shader, number of ranges, then (buffer, offset, bytes) for each binding
 *   that is no picture.
 * @property {Uint32Array} commands Per dispatch: shader, bind group, workgroups along x, y, z.
 * @property {Uint32Array} inputs Per input: buffer, offset in it in bytes, number of f32.
 * @property {Uint32Array} outputs Per output: buffer, offset in it in bytes, offset in the read-back buffer in bytes,
 *   number of f32.
 * @property {number} readBackBytes Size of a read-back buffer.
 */

/**
 * @typedef {object} Counts
 * @property {number} created Buffers, textures, layouts, modules, pipelines and bind groups; constant after loading
 *   and the first frames of a size.
 * @property {number} externals External textures with their bind groups: at most one of each a submission.
 * @property {number} encoders One a frame.
 * @property {number} passes One a frame.
 * @property {number} dispatches As many a frame as the recording has.
 * @property {number} submits One a frame.
 * @property {number} nudges Empty submissions (Firefox only).
 * @property {number} readBackBytes Bytes copied to read-back buffers.
 */

/** Contents as they lie in arrays. */
const inArrays = (contents) => (buffer, from) => contents[buffer].subarray(from);

/** An open WebGPU device. Several replayers share one. */
export class GpuDevice {
  #device;
  #failure = null;
  #pending = 0;
  #timer = null;

  /** @type {Counts} */
  counts = {
    created: 0,
    externals: 0,
    encoders: 0,
    passes: 0,
    dispatches: 0,
    submits: 0,
    nudges: 0,
    readBackBytes: 0,
  };

  /**
   * Opens the fastest adapter with the limits that every adapter has.
   *
   * @returns {Promise<GpuDevice>}
   * @throws {Error} A sentence that says what is missing.
   */
  static async open() {
    if (!navigator.gpu) throw new Error("This browser has no WebGPU here.");
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU offers no adapter here.");
    return new GpuDevice(adapter, await adapter.requestDevice({ label: "plumbline" }));
  }

  /** @private Use {@link GpuDevice.open}. */
  constructor(adapter, device) {
    const info = device.adapterInfo ?? adapter.info ?? {};
    this.#device = device;
    /** What the browser tells of the adapter; Firefox leaves the texts empty. */
    this.info = {
      vendor: info.vendor ?? "",
      architecture: info.architecture ?? "",
      device: info.device ?? "",
      description: info.description ?? "",
      isFallbackAdapter: Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter),
    };
    /** @type {Promise<string>} Resolves with a sentence when the device is gone, by itself or by `destroy`. */
    this.lost = device.lost.then((lost) => {
      this.#failure ??= `The GPU was lost: ${lost.message || lost.reason}`;
      this.#stopNudging();
      return this.#failure;
    });
    device.onuncapturederror = (event) => {
      this.#failure ??= `The GPU refused a frame: ${event.error.message}`;
    };
  }

  /** Why nothing runs any more, or null. */
  get failure() {
    return this.#failure;
  }

  /**
   * Creates everything that a recording needs. The shaders compile side by side and do not block this thread.
   *
   * @param {Recording} recording Read before this function returns its promise, so its arrays may be views of
   *   memory that the caller reuses.
   * @param {(buffer: number, from: number) => Uint8Array} contentsOf The next bytes of what a buffer holds at first, a
   *   multiple of four; none behind the last. So large weights are never in memory once more as a whole.
   * @returns {Promise<Replayer>}
   * @throws {Error} With the label of the shader that does not compile, or what else the device refuses.
   */
  async load(recording, contentsOf = inArrays(recording.contents)) {
    this.assertAlive();
    const device = this.#device;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const parts = this.#createParts(recording, contentsOf);
    const compiled = recording.shaders.map((code, i) =>
      this.#compile(code, recording.labels[i], parts.layoutOf[i]),
    );
    const errors = [device.popErrorScope(), device.popErrorScope()];
    const pipelines = await Promise.all(compiled);
    for (const error of await Promise.all(errors)) {
      if (error) throw new Error(`The GPU refuses this model: ${error.message}`);
    }
    return new Replayer(this, device, pipelines, parts);
  }

  /** Buffers, layouts and bind groups, and copies of the tables that a frame needs. */
  #createParts(recording, contentsOf) {
    const device = this.#device;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffers = Array.from(recording.bufferBytes, (size, i) => {
      const buffer = this.#count(device.createBuffer({ size, usage }));
      for (let at = 0, bytes; (bytes = contentsOf(i, at)).byteLength; at += bytes.byteLength) {
        device.queue.writeBuffer(buffer, at, bytes);
      }
      return buffer;
    });
    const layouts = new Map();
    const layoutOf = recording.shaders.map((_, i) => {
      const [count, kinds] = recording.layouts.subarray(2 * i, 2 * i + 2);
      const key = `${count} ${kinds}`;
      if (!layouts.has(key)) layouts.set(key, this.#createLayout(count, kinds));
      return layouts.get(key);
    });
    const bindGroups = [];
    const words = recording.bindGroups;
    for (let at = 0; at < words.length; ) {
      const [shader, count] = words.subarray(at, at + 2);
      at += 2;
      const ranges = Array.from({ length: count }, (_, i) => {
        const [buffer, offset, size] = words.subarray(at + 3 * i, at + 3 * i + 3);
        return { buffer: buffers[buffer], offset, size };
      });
      at += 3 * count;
      bindGroups.push(this.#createGroup(layoutOf[shader], ranges));
    }
    const ring = Array.from({ length: RING }, () =>
      this.#count(
        device.createBuffer({
          size: recording.readBackBytes,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        }),
      ),
    );
    return {
      buffers,
      layoutOf,
      bindGroups,
      ring,
      commands: recording.commands.slice(),
      inputs: recording.inputs.slice(),
      outputs: recording.outputs.slice(),
    };
  }

  /** The layout of shaders with this many bindings, four bits for the kind of each. */
  #createLayout(count, kinds) {
    const kindOf = Array.from({ length: count }, (_, binding) => (kinds >>> (4 * binding)) & 15);
    const entries = kindOf.map((kind, binding) => {
      const entry = { binding, visibility: GPUShaderStage.COMPUTE };
      if (kind === READ) return { ...entry, buffer: { type: "read-only-storage" } };
      if (kind === READ_WRITE) return { ...entry, buffer: { type: "storage" } };
      if (kind === TEXTURE) return { ...entry, texture: { sampleType: "unfilterable-float" } };
      return { ...entry, externalTexture: {} };
    });
    const group = this.#count(this.#device.createBindGroupLayout({ entries }));
    const pipeline = this.#count(this.#device.createPipelineLayout({ bindGroupLayouts: [group] }));
    return { group, pipeline, pictureAt: kindOf.findIndex((kind) => kind >= TEXTURE), count };
  }

  /** A bind group, or, where a picture belongs into it, a function from a slot to one. */
  #createGroup(layout, ranges) {
    const entriesWith = (picture) => {
      const left = ranges.values();
      return Array.from({ length: layout.count }, (_, binding) => ({
        binding,
        resource: binding === layout.pictureAt ? picture : left.next().value,
      }));
    };
    const create = (picture) =>
      this.#device.createBindGroup({ layout: layout.group, entries: entriesWith(picture) });
    if (layout.pictureAt < 0) return this.#count(create());
    // By slot: the texture that the group was made for, and the group.
    const kept = new Map();
    return (slot) => {
      const picture = slot.resource();
      if (!slot.isTexture) {
        this.counts.externals += 1;
        return create(picture);
      }
      let known = kept.get(slot);
      if (known?.picture !== picture) {
        known = { picture, group: this.#count(create(picture)) };
        kept.set(slot, known);
      }
      return known.group;
    };
  }

  async #compile(code, label, layout) {
    const module = this.#count(this.#device.createShaderModule({ label, code }));
    const compute = { module, entryPoint: "main" };
    try {
      const descriptor = { label, layout: layout.pipeline, compute };
      return this.#count(await this.#device.createComputePipelineAsync(descriptor));
    } catch (error) {
      throw new Error(`The GPU refuses the shader "${label}": ${error.message}`, { cause: error });
    }
  }

  #count(created) {
    this.counts.created += 1;
    return created;
  }

  /**
   * Whether a decoder's frame can be looked at where it lies. Found out by doing it, because a browser may have the
   * function and refuse to carry it out.
   *
   * @returns {Promise<boolean>}
   * @throws {Error} When the device does not survive the attempt, as in some software set-ups; open another.
   */
  async canImportFrames() {
    const device = this.#device;
    if (typeof device.importExternalTexture !== "function" || typeof VideoFrame !== "function") return false;
    device.pushErrorScope("validation");
    let isTaken = false;
    try {
      const canvas = new OffscreenCanvas(2, 2);
      canvas.getContext("2d").fillRect(0, 0, 2, 2);
      const source = new VideoFrame(canvas, { timestamp: 0 });
      device.importExternalTexture({ source });
      source.close();
      isTaken = true;
    } catch {
      // It is not taken; frames are copied then.
    }
    return (await device.popErrorScope()) === null && isTaken;
  }

  /**
   * A place for a picture.
   *
   * @param {boolean} imports Whether frames are looked at where they lie, or copied into a texture.
   * @returns {PictureSlot}
   */
  createSlot(imports) {
    return new PictureSlot(this.#device, imports, (created) => this.#count(created));
  }

  /** @throws {Error} When the device is gone or has refused something. */
  assertAlive() {
    if (this.#failure) throw new Error(this.#failure);
  }

  /** Called by replayers around the time that a frame is on its way. */
  frameStarted() {
    this.#pending += 1;
    const isFirefox = /\bGecko\/\d/.test(navigator.userAgent);
    if (isFirefox && this.#pending === 1) this.#nudgeAfter(FIRST_NUDGE_MILLIS);
  }

  #nudgeAfter(millis) {
    this.#timer = setTimeout(() => {
      this.counts.nudges += 1;
      this.#device.queue.submit([]);
      this.#nudgeAfter(Math.min(millis * NUDGE_GROWTH, LAST_NUDGE_MILLIS));
    }, millis);
  }

  /** The counterpart of {@link frameStarted}. */
  frameEnded() {
    this.#pending -= 1;
    if (this.#pending === 0) this.#stopNudging();
  }

  #stopNudging() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Gives the device and everything on it back. Frames on their way are rejected. */
  destroy() {
    this.#failure ??= "The GPU was given back.";
    this.#stopNudging();
    this.#device.destroy();
  }
}

/** One model on one device. */
export class Replayer {
  #gpu;
  #device;
  #pipelines;
  #parts;
  #busy = new Array(RING).fill(false);
  #next = 0;

  /** @private Use {@link GpuDevice.load}. */
  constructor(gpu, device, pipelines, parts) {
    this.#gpu = gpu;
    this.#device = device;
    this.#pipelines = pipelines;
    this.#parts = parts;
  }

  /**
   * One frame of a recording that looks at no picture; otherwise as {@link Replayer.start}.
   *
   * @param {...Float32Array} inputs
   * @returns {Promise<Float32Array>}
   */
  run(...inputs) {
    return this.start(null, ...inputs);
  }

  /**
   * One frame. The inputs and the picture are read before this function returns its promise, so views of wasm
   * memory are fine. Up to four may be on their way; they complete in order.
   *
   * @param {PictureSlot | null} slot The picture, for a recording that looks at one.
   * @param {...Float32Array} inputs One for each input of the recording.
   * @returns {Promise<Float32Array>} All outputs, at their offsets in the read-back buffer.
   * @throws {Error} When an input has the wrong length, four runs are on their way, or the device is gone.
   */
  async start(slot, ...inputs) {
    this.#gpu.assertAlive();
    const turn = this.#next;
    if (this.#busy[turn]) throw new Error("Four runs are on their way already; wait for one.");
    const table = this.#parts.inputs;
    for (let i = 0; 3 * i < table.length; i += 1) {
      if (inputs[i]?.length !== table[3 * i + 2]) {
        throw new Error(`Input ${i} takes ${table[3 * i + 2]} numbers, ${inputs[i]?.length ?? 0} were given.`);
      }
    }
    this.#next = (turn + 1) % RING;
    this.#busy[turn] = true;
    this.#gpu.frameStarted();
    try {
      this.#encode(slot, inputs, turn);
      const buffer = this.#parts.ring[turn];
      await buffer.mapAsync(GPUMapMode.READ);
      const outputs = new Float32Array(buffer.getMappedRange().slice(0));
      buffer.unmap();
      this.#gpu.assertAlive();
      return outputs;
    } catch (error) {
      throw new Error(this.#gpu.failure ?? error.message, { cause: error });
    } finally {
      this.#busy[turn] = false;
      this.#gpu.frameEnded();
    }
  }

  #encode(slot, inputs, turn) {
    const { buffers, bindGroups, commands, ring, outputs } = this.#parts;
    const { queue } = this.#device;
    const { counts } = this.#gpu;
    inputs.forEach((data, i) => {
      const [buffer, offset] = this.#parts.inputs.subarray(3 * i, 3 * i + 2);
      queue.writeBuffer(buffers[buffer], offset, data);
    });
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let current = -1;
    for (let at = 0; at < commands.length; at += 5) {
      const shader = commands[at];
      if (shader !== current) pass.setPipeline(this.#pipelines[shader]);
      current = shader;
      const group = bindGroups[commands[at + 1]];
      pass.setBindGroup(0, typeof group === "function" ? group(slot) : group);
      pass.dispatchWorkgroups(commands[at + 2], commands[at + 3], commands[at + 4]);
    }
    pass.end();
    for (let at = 0; at < outputs.length; at += 4) {
      const [buffer, from, to, length] = outputs.subarray(at, at + 4);
      encoder.copyBufferToBuffer(buffers[buffer], from, ring[turn], to, length * 4);
      counts.readBackBytes += length * 4;
    }
    queue.submit([encoder.finish()]);
    counts.encoders += 1;
    counts.passes += 1;
    counts.dispatches += commands.length / 5;
    counts.submits += 1;
  }

  /** Frees the buffers of this model; the device lives on. */
  destroy() {
    this.#parts.buffers.concat(this.#parts.ring).forEach((buffer) => buffer.destroy());
  }
}

/** A place for one picture: a decoder's frame that is looked at where it lies, or a texture that it is copied into. */
export class PictureSlot {
  #device;
  #count;
  #texture = null;
  #view = null;
  #frame = null;
  /** Draws what cannot be copied directly. */
  #canvas = null;
  /** Whether this browser copies decoders' frames; not so in Firefox, and in Chromium without a graphics context. */
  #copiesFrames = typeof VideoFrame === "function";

  /** @private Use {@link GpuDevice.createSlot}. */
  constructor(device, imports, count) {
    this.#device = device;
    this.#count = count;
    /** Whether the picture is a texture of this slot's own. */
    this.isTexture = !imports;
  }

  /**
   * Takes a picture. A frame that is looked at where it lies must stay open until it has been measured, or the slot
   * has taken another.
   *
   * @param {VideoFrame | ImageBitmap} picture
   * @param {number} width Columns, as it is shown.
   * @param {number} height Rows, as it is shown.
   */
  show(picture, width, height) {
    this.release();
    if (this.isTexture) {
      this.#copy(picture, width, height);
      return;
    }
    // Only frames can be imported: what is not one, or is stored turned, flipped or stretched, becomes one.
    if (picture instanceof VideoFrame && isPlain(picture)) {
      this.#frame = { source: picture, isOwn: false };
      return;
    }
    const source = new VideoFrame(this.#draw(picture, width, height), { timestamp: 0 });
    this.#frame = { source, isOwn: true };
  }

  /** What is bound. An external texture lives only until the present task ends, so each submission imports anew. */
  resource() {
    if (this.isTexture) return this.#view;
    return this.#device.importExternalTexture({ label: "picture", source: this.#frame.source });
  }

  /** The picture is not needed any more; a texture is kept for the next. */
  release() {
    if (this.#frame?.isOwn) this.#frame.source.close();
    this.#frame = null;
  }

  #copy(picture, width, height) {
    const isSame = this.#texture?.width === width && this.#texture?.height === height;
    if (!isSame) {
      this.#texture?.destroy();
      this.#texture = this.#count(
        this.#device.createTexture({
          label: "picture",
          size: [width, height],
          format: "rgba8unorm",
          usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
        }),
      );
      this.#view = this.#texture.createView();
    }
    const copy = (source) =>
      this.#device.queue.copyExternalImageToTexture({ source }, { texture: this.#texture }, [width, height]);
    const isFrame = typeof VideoFrame === "function" && picture instanceof VideoFrame;
    if (!isFrame) {
      copy(picture);
      return;
    }
    if (this.#copiesFrames && isPlain(picture)) {
      try {
        copy(picture);
        return;
      } catch {
        // What is wrong with more than the source, drawing it will say again.
        this.#copiesFrames = false;
      }
    }
    copy(this.#draw(picture, width, height));
  }

  /** A canvas with the picture as it is shown. */
  #draw(picture, width, height) {
    this.#canvas ??= new OffscreenCanvas(width, height);
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
    return this.#canvas;
  }
}

/** Whether a frame's stored pixels are its shown pixels: not turned, not flipped, not stretched. */
function isPlain(frame) {
  const { visibleRect, displayWidth, displayHeight, rotation, flip } = frame;
  return visibleRect?.width === displayWidth && visibleRect?.height === displayHeight && !rotation && !flip;
}
