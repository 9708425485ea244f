"""Makes of the TFLite models what peers need: ONNX for those that read nothing else, metadata for MediaPipe Tasks.

In: a folder with verified `NAME.tflite`. Out, in another folder: `NAME.onnx` with all outputs; for landmark models
`NAME-pose.onnx` without the person mask, which is what Plumbline runs, so that a peer can be timed on the same work;
`tasks/NAME.tflite`, the same weights with the normalisation of pixels stated inside, as MediaPipe Tasks demands; of lite
also `encoder.tflite` and `encoder.onnx`: its first half, up to where maps are enlarged again, which is a MobileNet-like
graph that wonnx can run too.

    python convert.py MODELS_FOLDER OUT_FOLDER NAME...

tf2onnx 1.17 cannot read sparse weights: where a file has DENSIFY operators (the detector), their results are taken from
TensorFlow's own interpreter and put in their place first.
"""

import sys
import tempfile
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from tensorflow.lite.python import schema_py_generated as schema

OPSET = 17
MASK = "Identity_2"
ENCODED = "lite"

# Pixels 0..255 become (value - mean) / std: -1..1 for the detector, 0..1 for the landmark models.
NORMALISATION = {"detector": (127.5, 127.5), "lite": (0.0, 255.0), "full": (0.0, 255.0), "heavy": (0.0, 255.0)}


def code_of(model: schema.ModelT, operator: schema.OperatorT) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def densified(content: bytes) -> bytes:
    """The same model with dense constants where it had sparse ones."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    [graph] = model.subgraphs
    sparse = [op for op in graph.operators if code_of(model, op) == schema.BuiltinOperator.DENSIFY]
    if not sparse:
        return content
    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        # The default delegate folds these operators away and keeps no tensor to read.
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    for operator in sparse:
        tensor = graph.tensors[operator.outputs[0]]
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(interpreter.get_tensor(operator.outputs[0]).tobytes(), dtype=np.uint8)
        tensor.buffer = len(model.buffers)
        tensor.sparsity = None
        model.buffers.append(buffer)
        # Nothing reads the sparse constant any more; the converter would stumble over it all the same.
        graph.tensors[operator.inputs[0]].buffer = 0
    graph.operators = [op for op in graph.operators if op not in sparse]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def normalisation_metadata(mean: float, std: float) -> bytes:
    """TFLite metadata of one image input with its normalisation, and nothing else.

    Field numbers are those of metadata_schema.fbs, version 1.5 (tensorflow/tflite-support).
    """
    builder = flatbuffers.Builder(256)

    def vector_of(*tables: int) -> int:
        builder.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            builder.PrependUOffsetTRelative(table)
        return builder.EndVector()

    def floats(value: float) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(value)
        return builder.EndVector()

    def table(fields: dict[int, int], kinds: dict[int, int] | None = None) -> int:
        """A table of offsets, and of bytes: the types of unions and enums."""
        builder.StartObject(max([*fields, *(kinds or {})]) + 1)
        for slot, offset in fields.items():
            builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        for slot, kind in (kinds or {}).items():
            builder.PrependUint8Slot(slot, kind, 0)
        return builder.EndObject()

    options = table({0: floats(mean), 1: floats(std)})
    process_unit = table({1: options}, {0: 1})  # NormalizationOptions
    image = table({}, {0: 1})  # RGB
    content = table({1: image}, {0: 2})  # ImageProperties
    name = builder.CreateString("image")
    tensor = table({0: name, 3: content, 4: vector_of(process_unit)})
    subgraph = table({2: vector_of(tensor)})
    builder.Finish(table({3: vector_of(subgraph)}), file_identifier=b"M001")
    return bytes(builder.Output())


def with_metadata(content: bytes, metadata: bytes) -> bytes:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(metadata, dtype=np.uint8)
    entry = schema.MetadataT()
    entry.name = "TFLITE_METADATA"
    entry.buffer = len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def encoder_of(content: bytes) -> bytes:
    """The part of a model that the first bilinear resize reads, as a model."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    [graph] = model.subgraphs
    resize = next(op for op in graph.operators if code_of(model, op) == schema.BuiltinOperator.RESIZE_BILINEAR)
    graph.outputs = [int(resize.inputs[0])]
    needed, kept = set(graph.outputs), []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs):
            kept.append(operator)
            needed.update(operator.inputs)
    graph.operators = kept[::-1]
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def fold_padding(model: onnx.ModelProto) -> None:
    """Moves spatial zero padding (NCHW) into the convolution behind it: wonnx 0.5.1 pads wrongly by more than one row."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for pad in [node for node in model.graph.node if node.op_type == "Pad"]:
        readers = [node for node in model.graph.node if pad.output[0] in node.input]
        amounts = constants[pad.input[1]].tolist()
        is_spatial = amounts[0] == amounts[1] == amounts[4] == amounts[5] == 0
        if not is_spatial or [node.op_type for node in readers] != ["Conv"]:
            continue
        [conv] = readers
        kept = [attribute for attribute in conv.attribute if attribute.name not in ("pads", "auto_pad")]
        del conv.attribute[:]
        conv.attribute.extend([*kept, onnx.helper.make_attribute("pads", amounts[2:4] + amounts[6:8])])
        conv.input[0] = pad.input[0]
        model.graph.node.remove(pad)


def convert(weights: Path, out: Path, outputs: list[str] | None, folded: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dense = Path(folder) / weights.name
        dense.write_bytes(densified(weights.read_bytes()))
        model, _ = tf2onnx.convert.from_tflite(str(dense), opset=OPSET, output_names=outputs)
    # tf2onnx declares operator sets that no node uses; wonnx refuses those that it does not know.
    used = {node.domain for node in model.graph.node}
    for declared in [entry for entry in model.opset_import if entry.domain not in used]:
        model.opset_import.remove(declared)
    if folded:
        fold_padding(model)
    # wonnx knows only the shapes that the file states.
    onnx.save(onnx.shape_inference.infer_shapes(model), str(out))
    print(f"{out.name}: {out.stat().st_size} bytes")


def main(models: Path, out: Path, names: list[str]) -> None:
    (out / "tasks").mkdir(exist_ok=True)
    for name in names:
        weights = models / f"{name}.tflite"
        described = with_metadata(weights.read_bytes(), normalisation_metadata(*NORMALISATION[name]))
        (out / "tasks" / weights.name).write_bytes(described)
        interpreter = tf.lite.Interpreter(model_path=str(weights))
        outputs = [detail["name"] for detail in interpreter.get_output_details()]
        convert(weights, out / f"{name}.onnx", None)
        if MASK in outputs:
            convert(weights, out / f"{name}-pose.onnx", [output for output in outputs if output != MASK])
        if name == ENCODED:
            encoder = out / "encoder.tflite"
            encoder.write_bytes(encoder_of(weights.read_bytes()))
            convert(encoder, out / "encoder.onnx", None, folded=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
